//! Who is answered, by host, by origin and by headers that may be there once.

use std::net::SocketAddr;

use config::{Allowed, AllowedByHost, Listener, RouteTable};
use http::Request;

use super::{check, host};

const LOOPBACK: &str = "127.0.0.1:8080";
const ANYWHERE: &str = "0.0.0.0:8080";

/// What a listener at `address` says to a request with `headers`; empty if it answers it.
fn refusal(address: &str, headers: &[(&str, &str)]) -> String {
    refusal_by(&listener(address), headers)
}

fn listener(address: &str) -> Listener {
    let address: SocketAddr = address.parse().unwrap();
    let mut allowed = AllowedByHost::default();
    *allowed.entry(None) = Allowed {
        origins: vec!["https://app.example.com".to_owned()],
        hosts: vec!["gateway.example.com".to_owned(), "*.team.example.com".to_owned()],
    };
    Listener { name: "default".into(), address, routes: RouteTable::default(), allowed, tls: None }
}

fn refusal_by(listener: &Listener, headers: &[(&str, &str)]) -> String {
    let mut request = Request::builder().uri("/mcp");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, ()) = request.body(()).unwrap().into_parts();
    let outcome = host(&head);
    let outcome = outcome.and_then(|host| check(listener, listener.address, &head, &host));
    outcome.err().map(|error| format!("{} {error}", error.status().as_u16())).unwrap_or_default()
}

#[track_caller]
fn check_answered(address: &str, headers: &[(&str, &str)]) {
    assert_eq!(refusal(address, headers), "", "{headers:?}");
}

#[track_caller]
fn check_refused(address: &str, headers: &[(&str, &str)], start: &str) {
    let refusal = refusal(address, headers);
    assert!(refusal.starts_with(start), "{headers:?}: {refusal}");
}

#[test]
fn a_loopback_listener_answers_to_names_of_this_machine_and_to_those_that_are_allowed() {
    for host in [
        "localhost",
        "localhost:8080",
        "LocalHost:1",
        "app.localhost:8080",
        "127.0.0.1",
        "127.0.0.1:8080",
        "127.1.2.3:8080",
        "[::1]",
        "[::1]:8080",
        "gateway.example.com",
        "Gateway.Example.com:443",
        "one.team.example.com:443",
        "a.b.team.example.com",
    ] {
        check_answered(LOOPBACK, &[("host", host)]);
        check_answered("[::1]:8080", &[("host", host)]);
    }
}

#[test]
fn a_name_that_was_rebound_to_loopback_is_refused() {
    for host in [
        "evil.example",
        "evil.example:8080",
        "localhost.evil.example",
        "notlocalhost",
        "127.0.0.1.evil.example",
        "gateway.example.com.evil.example",
        "team.example.com",
        ".team.example.com",
        "evilteam.example.com",
        "192.168.0.1:8080",
        "0.0.0.0:8080",
        "[::2]:8080",
        "[2001:db8::1]",
        "",
    ] {
        check_refused(LOOPBACK, &[("host", host)], "403 host ");
    }
    check_refused(LOOPBACK, &[], "403 host ");
}

#[test]
fn a_listener_that_others_can_reach_answers_to_any_name() {
    check_answered(ANYWHERE, &[("host", "whatever.example")]);
    check_answered(ANYWHERE, &[]);
}

#[test]
fn a_second_host_is_refused() {
    let hosts = [("host", "localhost"), ("host", "localhost")];
    check_refused(LOOPBACK, &hosts, "403 host ");
    check_refused(ANYWHERE, &hosts, "403 host ");
}

#[test]
fn origins_of_this_machine_and_those_that_are_allowed_are_answered() {
    for origin in [
        "http://localhost:3000",
        "https://localhost",
        "http://app.localhost",
        "http://127.0.0.1:5173",
        "http://[::1]:5173",
        "https://app.example.com",
        "https://gateway.example.com",
    ] {
        check_answered(LOOPBACK, &[("host", "localhost"), ("origin", origin)]);
        check_answered(ANYWHERE, &[("origin", origin)]);
    }
}

#[test]
fn foreign_origins_are_refused_wherever_they_call() {
    for origin in [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://app.example.com",
        "https://app.example.com:8443",
        "https://app.example.com.evil.example",
        "https://evil.example/https://app.example.com",
        "http://127.0.0.1@evil.example",
        "null",
        "file://",
        "",
    ] {
        let start = format!("403 origin `{origin}`");
        check_refused(LOOPBACK, &[("host", "localhost"), ("origin", origin)], &start);
        check_refused(ANYWHERE, &[("host", "evil.example"), ("origin", origin)], &start);
    }
}

#[test]
fn a_listener_that_allows_every_origin_answers_every_page() {
    let mut listener = listener(ANYWHERE);
    listener.allowed.entry(None).origins = vec!["*".to_owned()];
    for origin in ["https://evil.example", "null"] {
        assert_eq!(refusal_by(&listener, &[("origin", origin)]), "");
    }
}

#[test]
fn a_page_may_use_only_the_virtual_listener_that_allows_it() {
    let mut listener = listener(ANYWHERE);
    let named = |origin: &str, host: &str| Allowed {
        origins: vec![origin.to_owned()],
        hosts: vec![host.to_owned()],
    };
    *listener.allowed.entry(Some("a.example.com")) = named("*", "a.example.com");
    *listener.allowed.entry(Some("*.example.com")) = named("https://b.page", "*.example.com");
    let refusal =
        |host: &str, origin: &str| refusal_by(&listener, &[("host", host), ("origin", origin)]);
    assert_eq!(refusal("a.example.com", "https://evil.example"), "");
    assert_eq!(refusal("b.example.com:80", "https://b.page"), "");
    assert_eq!(refusal("b.example.com", "https://c.example.com"), "");
    assert_eq!(refusal("elsewhere.example", "https://app.example.com"), "");
    for (host, origin) in [
        ("b.example.com", "https://evil.example"),
        ("b.example.com", "https://app.example.com.evil.example"),
        ("elsewhere.example", "https://b.page"),
        ("elsewhere.example", "https://a.example.com"),
    ] {
        let refusal = refusal(host, origin);
        assert!(refusal.starts_with("403 origin "), "{host} {origin}: {refusal}");
    }
}

#[test]
fn of_several_origins_each_has_to_be_allowed() {
    let ours = ("origin", "http://localhost:3000");
    let foreign = ("origin", "https://evil.example");
    check_answered(ANYWHERE, &[ours, ours]);
    check_refused(ANYWHERE, &[ours, foreign], "403 origin ");
    check_refused(ANYWHERE, &[foreign, ours], "403 origin ");
    let together = ("origin", "http://localhost:3000 https://evil.example");
    check_refused(ANYWHERE, &[together], "403 origin ");
}

#[test]
fn a_header_that_says_what_a_request_is_may_be_there_once() {
    for name in ["Mcp-Session-Id", "MCP-Protocol-Version", "Mcp-Method", "Mcp-Name"] {
        check_answered(ANYWHERE, &[(name, "a")]);
        let lower = name.to_ascii_lowercase();
        let start = format!("400 there is more than one `{name}`");
        check_refused(ANYWHERE, &[(name, "a"), (&lower, "b")], &start);
        check_refused(ANYWHERE, &[(name, "a"), (name, "a")], &start);
    }
    check_answered(ANYWHERE, &[("x-own", "a"), ("x-own", "b")]);
}

#[test]
fn what_could_be_read_as_another_host_is_refused_everywhere() {
    for host in [
        "localhost:x@evil.example.com",
        "user@localhost",
        "localhost, evil.example.com",
        "localhost:1, evil.example.com",
        "[localhost]evil.example.com",
        "[::1]evil.example.com",
        "[::1",
        "a/..",
        "localhost evil",
        "h\u{e4}ms",
    ] {
        check_refused(LOOPBACK, &[("host", host)], "400 ");
        check_refused(ANYWHERE, &[("host", host)], "400 ");
    }
    let target = Request::get("http://localhost:x@evil.example.com/mcp").body(());
    if let Ok(request) = target {
        assert!(host(&request.into_parts().0).is_err());
    }
    let (head, ()) =
        Request::get("/").header("host", "Admin.Example.com.").body(()).unwrap().into_parts();
    assert_eq!(host(&head).unwrap(), "admin.example.com");
}
