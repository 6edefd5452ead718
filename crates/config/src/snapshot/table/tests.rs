//! Which route a request reaches.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::snapshot::RequestHead;
use crate::{Variables, compile, read};

/// `request` is `METHOD host path?query header=value …`; `expected` a route's name or `-`.
fn check(document: &str, requests: &[(&str, &str)]) {
    let document = format!("{document}\nbackends: [{{ name: b, targets: [] }}]\n");
    let reading = read("table.yaml", &document).unwrap();
    assert_eq!(reading.diagnostics, [], "{document}");
    let compiled = compile(&reading.document, &reading.origins, &Variables::new());
    let table = &compiled.snapshot.listeners[0].routes;
    for (request, expected) in requests {
        let mut words = request.split(' ');
        let (method, host) = (words.next().unwrap(), words.next().unwrap());
        let target = words.next().unwrap();
        let (path, query) = target.split_once('?').map_or((target, None), |(p, q)| (p, Some(q)));
        let mut headers = HeaderMap::new();
        for word in words {
            let (name, value) = word.split_once('=').unwrap();
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        let head = RequestHead { host, path, query, method, headers: &headers };
        let found = table.find(&head).map_or("-", |found| &*found.route.name);
        assert_eq!(found, *expected, "{request} in {document}");
    }
}

#[test]
fn the_more_specific_path_wins() {
    check(
        r#"
routes:
  - { name: root, path: /, backend: b }
  - { name: long, path: /a/b, backend: b }
  - { name: short, path: /a, backend: b }
  - { name: regex, matches: [{ path: { regex: "/a/[0-9]+" } }], backend: b }
  - { name: exact, matches: [{ path: { exact: /a/7 } }], backend: b }
"#,
        &[
            ("GET h /", "root"),
            ("GET h /x", "root"),
            ("GET h /a", "short"),
            ("GET h /a/", "short"),
            ("GET h /ab", "root"),
            ("GET h /a/b", "long"),
            ("GET h /a/b/c/d", "long"),
            ("GET h /a/bc", "short"),
            ("GET h /a/12", "regex"),
            ("GET h /a/12x", "short"),
            ("GET h /a/7", "exact"),
            ("GET h /a/7/", "short"),
        ],
    );
}

#[test]
fn the_more_specific_host_wins() {
    check(
        r#"
routes:
  - { name: any, path: /, backend: b }
  - { name: wide, hostnames: ["*.example.com"], path: /, backend: b }
  - { name: narrow, hostnames: ["*.a.example.com"], path: /, backend: b }
  - { name: exact, hostnames: [x.example.com], path: /only, backend: b }
"#,
        &[
            ("GET other.com /", "any"),
            ("GET example.com /", "any"),
            ("GET y.example.com /", "wide"),
            ("GET y.z.example.com /", "wide"),
            ("GET y.a.example.com /", "narrow"),
            ("GET a.example.com /", "wide"),
            ("GET x.example.com /only", "exact"),
            ("GET x.example.com /other", "wide"),
            ("GET .example.com /", "any"),
            ("GET  /", "any"),
        ],
    );
}

#[test]
fn one_listener_answers_for_a_host() {
    check(
        r#"
listeners:
  - { name: any, address: "127.0.0.1:80" }
  - { name: a, address: "127.0.0.1:80", hostname: a.com }
routes:
  - { name: any, listeners: [any], path: /any, backend: b }
  - { name: a, listeners: [a], path: /a, backend: b }
"#,
        &[
            ("GET a.com /a", "a"),
            ("GET a.com /any", "-"),
            ("GET b.com /any", "any"),
            ("GET b.com /a", "-"),
        ],
    );
}

#[test]
fn a_method_headers_and_parameters_decide_in_this_order() {
    check(
        r#"
routes:
  - { name: first, path: /, backend: b }
  - { name: second, path: /, backend: b }
  - { name: query, matches: [{ query: [{ name: v, exact: "a b" }] }], backend: b }
  - { name: regex, matches: [{ query: [{ name: r, regex: "x.z" }] }], backend: b }
  - { name: header, matches: [{ headers: [{ name: X-A, exact: "1" }] }], backend: b }
  - { name: headers, backend: b,
      matches: [{ headers: [{ name: X-A, exact: "1" }, { name: X-B, regex: "[0-9]" }] }] }
  - { name: method, matches: [{ method: DELETE }], backend: b }
"#,
        &[
            ("GET h /", "first"),
            ("GET h /?v=a+b", "query"),
            ("GET h /?x=1&v=a%20b&v=c", "query"),
            ("GET h /?v=c&v=a+b", "first"),
            ("GET h /?v=a%2", "first"),
            ("GET h /?r=x%79z", "regex"),
            ("GET h /?r=xyzz", "first"),
            ("GET h /?v=a+b x-a=1", "header"),
            ("GET h / x-a=2 x-a=1", "header"),
            ("GET h / x-a=1 x-b=7", "headers"),
            ("GET h / x-a=1 x-b=77", "header"),
            ("DELETE h / x-a=1 x-b=7", "method"),
        ],
    );
}
