use super::*;

fn check(allowed: &str, origins: &[(&str, bool)]) {
    let cors = Cors { origins: vec![Origin::parse(allowed).unwrap()], ..Cors::default() };
    for (origin, expected) in origins {
        assert_eq!(cors.allows(origin), *expected, "{allowed}: {origin}");
    }
}

#[test]
fn an_origin_has_a_scheme_a_host_and_a_port() {
    check(
        "https://App.example.com",
        &[
            ("https://app.example.com", true),
            ("https://app.example.com:443", true),
            ("https://app.example.com:8443", false),
            ("http://app.example.com", false),
            ("https://app.example.com.evil.com", false),
            ("https://evil.com/https://app.example.com", false),
            ("null", false),
            ("", false),
        ],
    );
    check("http://a:80", &[("http://a", true), ("http://a:80", true), ("http://a:81", false)]);
}

#[test]
fn a_wildcard_stands_for_any_labels() {
    check(
        "https://*.example.com",
        &[
            ("https://a.example.com", true),
            ("https://a.b.example.com", true),
            ("https://example.com", false),
            ("https://.example.com", false),
            ("https://aexample.com", false),
            ("http://a.example.com", false),
        ],
    );
    check("https://*", &[("https://a", true), ("http://a", false), ("https://a:8443", false)]);
    check("http://*:81", &[("http://a:81", true), ("http://a", false)]);
    check("*", &[("https://a:1", true), ("null", true)]);
}

#[test]
fn what_is_no_origin_is_not_taken_for_one() {
    for text in
        ["", "a", "https://", "ftp://a", "https://a/b", "https://a*b", "https://u@a", "null"]
    {
        assert_eq!(Origin::parse(text), None, "{text}");
    }
}
