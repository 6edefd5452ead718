//! The URLs that people are told.

use std::net::SocketAddr;

use crate::connect::{instructions, urls};

/// The URLs of `document`, whose listener on port 8080 was bound to `bound`.
fn check(document: &str, bound: &str, expected: &[&str]) {
    let reading = config::read("portico.yaml", document).unwrap();
    assert_eq!(reading.diagnostics, []);
    let configured = SocketAddr::from(([127, 0, 0, 1], 8080));
    assert_eq!(urls(&reading.document, configured, bound.parse().unwrap()), expected);
}

#[test]
fn without_routes_it_is_the_usual_path() {
    check("", "127.0.0.1:8080", &["http://127.0.0.1:8080/mcp"]);
}

#[test]
fn an_address_for_all_interfaces_is_reached_through_loopback() {
    check("", "0.0.0.0:80", &["http://127.0.0.1:80/mcp"]);
    check("", "[::]:80", &["http://[::1]:80/mcp"]);
}

#[test]
fn each_route_has_its_url() {
    check(
        "routes:\n- path: /github\n  backend: a\n- hostnames: [x.example]\n  backend: b\n",
        "127.0.0.1:9000",
        &["http://127.0.0.1:9000/github", "http://x.example:9000/"],
    );
    check(
        "routes: [{ matches: [{ path: { exact: /a } }, { path: { exact: /a/ } }], backend: a }]",
        "127.0.0.1:9000",
        &["http://127.0.0.1:9000/a"],
    );
}

#[test]
fn what_is_closed_has_no_url_and_a_listener_of_one_host_has_its_own() {
    check(
        "listeners: [{ name: a, address: '127.0.0.1:8080', hostname: a.example }]\nroutes:\n- path: /open\n  backend: a\n- path: /shut\n  close: { id: guard, reason: no }\n",
        "127.0.0.1:8080",
        &["http://a.example:8080/open"],
    );
}

#[test]
fn the_instructions_are_json_where_json_is_pasted() {
    let text = instructions("http://127.0.0.1:8080/mcp");
    let pasted = text.lines().filter_map(|line| {
        let start = line.find('{')?;
        Some(line.get(start..)?.trim_end_matches('\''))
    });
    let parsed: Vec<serde_json::Value> =
        pasted.map(|json| serde_json::from_str(json).unwrap()).collect();
    assert_eq!(parsed.len(), 2);
    assert_eq!(parsed[0]["mcpServers"]["portico"]["url"], "http://127.0.0.1:8080/mcp");
}
