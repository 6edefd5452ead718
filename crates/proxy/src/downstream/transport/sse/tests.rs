//! Who is a client of HTTP+SSE, and where it posts to.

use http::Request;

use super::*;

fn head(method: &str, uri: &str, headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::builder().method(method).uri(uri);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap().into_parts().0
}

#[test]
fn a_get_that_names_events_and_nothing_of_streamable_http_begins_it() {
    let begins = |headers: &[(&str, &str)]| super::begins(&head("GET", "/mcp", headers));
    let events = ("accept", "text/event-stream");
    assert!(begins(&[events]));
    assert!(begins(&[("accept", "application/json, text/event-stream")]));
    assert!(!begins(&[]));
    assert!(!begins(&[("accept", "*/*")]));
    assert!(!begins(&[("accept", "text/html, */*;q=0.8")]));
    for name in ["mcp-session-id", "last-event-id", "mcp-protocol-version"] {
        assert!(!begins(&[events, (name, "x")]), "{name}");
    }
}

#[test]
fn a_post_names_its_stream_in_the_query() {
    assert_eq!(session(&head("POST", "/mcp?a=b&sessionId=x", &[])), Some("x"));
    assert_eq!(session(&head("POST", "/mcp?a=b", &[])), None);
    let streamable = head("POST", "/mcp?sessionId=x", &[("mcp-session-id", "y")]);
    assert_eq!(session(&streamable), None);
}

#[test]
fn the_clients_own_parameters_stay_in_the_uri_that_it_posts_to() {
    assert_eq!(posted_to("/mcp", None, "x"), "/mcp?sessionId=x");
    assert_eq!(posted_to("/mcp", Some("a=b&sessionId=old&c"), "x"), "/mcp?a=b&c&sessionId=x");
}
