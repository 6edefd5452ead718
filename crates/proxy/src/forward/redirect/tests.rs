use config::PathRewrite;
use http::StatusCode;

use super::*;

fn nowhere() -> Redirect {
    Redirect { scheme: None, host: None, port: None, path: None, status: StatusCode::FOUND }
}

/// `from` is scheme, host and port of a client that asked for `/a/b?c=d` on a route for `/a`.
fn check(to: Redirect, from: (&str, &str, Option<u16>), expected: &str) {
    let (scheme, host, port) = from;
    let from = Place { scheme, host, port };
    assert_eq!(location(&to, &from, 2, "/a/b", Some("c=d")), expected, "{to:?}");
}

#[test]
fn what_is_not_said_stays_as_it_was_asked() {
    check(nowhere(), ("http", "h", Some(8080)), "http://h:8080/a/b?c=d");
    check(nowhere(), ("http", "[::1]", None), "http://[::1]/a/b?c=d");
    let path = Some(PathRewrite::Full("/new".into()));
    check(Redirect { path, ..nowhere() }, ("https", "h", Some(443)), "https://h/new?c=d");
    let path = Some(PathRewrite::Prefix("/x".into()));
    check(Redirect { path, ..nowhere() }, ("http", "h", Some(80)), "http://h/x/b?c=d");
    let host = Some("example.com".into());
    check(
        Redirect { host, ..nowhere() },
        ("http", "h", Some(8080)),
        "http://example.com:8080/a/b?c=d",
    );
}

#[test]
fn a_scheme_brings_its_own_port() {
    let https = || Redirect { scheme: Some(RedirectScheme::Https), ..nowhere() };
    check(https(), ("http", "h", Some(8080)), "https://h/a/b?c=d");
    check(
        Redirect { port: Some(8443), ..https() },
        ("http", "h", Some(80)),
        "https://h:8443/a/b?c=d",
    );
    check(Redirect { port: Some(443), ..https() }, ("http", "h", Some(80)), "https://h/a/b?c=d");
    let http = Redirect { scheme: Some(RedirectScheme::Http), ..nowhere() };
    check(http, ("http", "h", Some(8080)), "http://h/a/b?c=d");
    let port = Redirect { port: Some(80), ..nowhere() };
    check(port, ("https", "h", Some(443)), "https://h:80/a/b?c=d");
}
