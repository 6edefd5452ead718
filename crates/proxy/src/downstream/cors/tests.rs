//! What a browser is told.

use http::Request;

use super::*;

fn head(method: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri("/mcp");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

const PAGE: (&str, &str) = ("origin", "https://app.example.com");

#[test]
fn only_a_browser_that_asks_for_a_page_is_answered() {
    let asks = ("access-control-request-method", "POST");
    assert!(is_preflight(&head("OPTIONS", &[PAGE, asks])));
    assert!(!is_preflight(&head("OPTIONS", &[PAGE])));
    assert!(!is_preflight(&head("OPTIONS", &[asks])));
    assert!(!is_preflight(&head("POST", &[PAGE, asks])));
}

#[test]
fn a_page_may_send_what_mcp_needs_and_the_parameters_that_it_names() {
    let asked = "Content-Type, X-Other, Mcp-Param-Region,mcp-param-a b, MCP-PARAM-TENANT";
    let response = preflight(&head("OPTIONS", &[("access-control-request-headers", asked)]));
    let allowed = response.headers()[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
    assert_eq!(allowed, format!("{ALLOWED}, mcp-param-region, mcp-param-tenant"));
}

#[test]
fn a_page_reads_what_is_for_it_alone() {
    let mut response = respond::empty(StatusCode::OK);
    show(&mut response, origin(&head("POST", &[PAGE])).unwrap());
    let headers = response.headers();
    assert_eq!(headers[ACCESS_CONTROL_ALLOW_ORIGIN], PAGE.1);
    assert_eq!(headers[VARY], "origin");
    assert!(headers[ACCESS_CONTROL_EXPOSE_HEADERS].to_str().unwrap().contains("mcp-session-id"));
    assert_eq!(origin(&head("POST", &[])), None);
}
