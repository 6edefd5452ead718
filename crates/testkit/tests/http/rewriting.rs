//! What is changed on the way where a route says so.

use http::{HeaderValue, StatusCode};
use serde_json::{Value, json};
use testkit::{Gateway, Host, Plain, Visitor, Wire};

use crate::{document, gateway};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn headers_hosts_and_paths_are_rewritten() -> anyhow::Result<()> {
    let web = Plain::start("web").await?;
    let routes = r#"
- name: headers
  path: /headers
  service: web
  filters:
    requestHeaders: { set: { X-Set: new }, add: { X-Add: more }, remove: [X-Remove] }
    responseHeaders: { set: { X-Answered: "yes" }, add: { Vary: x-add }, remove: [Server] }
- name: prefix
  path: /old
  service: web
  filters: { rewrite: { host: inner.example.com, path: { prefix: /new } } }
- name: root
  path: /strip
  service: web
  filters: { rewrite: { path: { prefix: / } } }
- name: full
  path: /full
  backends:
  - { service: web, filters: { rewrite: { path: { full: /one } } } }
"#;
    let gateway = gateway(&[&web], routes).await?;
    let mut visitor = Visitor::of(gateway.port()).await?;
    let sent = [("x-set", "old"), ("x-add", "one"), ("x-remove", "gone")];
    let (head, said) = visitor.get("a.example.com", "/headers", &sent).await?;
    assert_eq!(said["headers"]["x-set"], "new");
    assert_eq!(said["headers"]["x-add"], "one | more");
    assert_eq!(said["headers"].get("x-remove"), None);
    assert_eq!(said["headers"]["host"], "a.example.com");
    assert_eq!(head.headers.get("x-answered"), Some(&HeaderValue::from_static("yes")));
    assert_eq!(head.headers.get("server"), None);

    let (_, said) = visitor.get("a.example.com", "/old/b?c=d", &[]).await?;
    assert_eq!(said["line"], "GET /new/b?c=d");
    assert_eq!(said["headers"]["host"], "inner.example.com");
    assert_eq!(said["headers"]["x-forwarded-host"], "a.example.com");
    for (path, expected) in [
        ("/strip", "GET /"),
        ("/strip/", "GET /"),
        ("/strip/a//b", "GET /a//b"),
        ("/full/a?b", "GET /one?b"),
    ] {
        let (_, said) = visitor.get("a.example.com", path, &[]).await?;
        assert_eq!(said["line"], expected, "{path}");
    }
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn clients_are_sent_elsewhere() -> anyhow::Result<()> {
    let routes = "
- { name: plain, path: /plain, redirect: { path: { full: /found } } }
- name: whole
  path: /old
  redirect: { scheme: https, host: new.example.com, path: { prefix: /new }, status: 308 }
";
    let gateway = Gateway::native(&document(&[], routes).replace("services:\n", "")).await?;
    let mut visitor = Visitor::of(gateway.port()).await?;
    let port = gateway.port();
    for (path, status, location) in [
        ("/plain/a?b=c", StatusCode::FOUND, format!("http://a.example.com:{port}/found?b=c")),
        ("/old/a?b=c", StatusCode::PERMANENT_REDIRECT, "https://new.example.com/new/a?b=c".into()),
    ] {
        let (head, _) = visitor.get("a.example.com", path, &[]).await?;
        assert_eq!(head.status, status);
        assert_eq!(
            head.headers.get("location").map(HeaderValue::as_bytes),
            Some(location.as_bytes())
        );
    }
    gateway.stop().await
}

/// What an `OPTIONS` of a page of `origin` is told.
async fn preflight(gateway: &Gateway, path: &str, origin: &str) -> anyhow::Result<Value> {
    let mut visitor = Visitor::of(gateway.port()).await?;
    let request = http::Request::options(path).header("host", "localhost").header("origin", origin);
    let request = request
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "x-a, x-b");
    let response = visitor.send(request.body(http_body_util::Full::default())?).await?;
    anyhow::ensure!(response.status() == StatusCode::NO_CONTENT, "{response:?}");
    Ok(said_of_pages(response.headers()))
}

fn said_of_pages(headers: &http::HeaderMap) -> Value {
    let named = headers.iter().filter_map(|(name, value)| {
        let name = name.as_str().strip_prefix("access-control-")?;
        Some((name.to_owned(), json!(String::from_utf8_lossy(value.as_bytes()))))
    });
    Value::Object(named.collect())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn pages_may_use_what_the_route_says_they_may() -> anyhow::Result<()> {
    let (web, host) = (Plain::start("web").await?, Host::of_one_tool().await?);
    let routes = r#"
- name: strict
  path: /strict
  service: web
  filters:
    cors:
      origins: ["https://*.example.com"]
      credentials: true
      methods: ["*"]
      headers: [x-a]
      exposeHeaders: [x-c]
      maxAge: 60
- { name: open, path: /open, service: web, filters: { cors: { origins: ["*"], methods: [GET] } } }
- { name: silent, path: /silently, service: web }
- { name: mcp, path: /mcp, backend: tools, filters: { cors: { origins: ["https://app.example.com"] } } }
"#;
    let document = format!(
        "{}backends: [{{ name: tools, targets: [t] }}]\ntargets:\n- {{ name: t, url: \"http://127.0.0.1:{}/mcp\" }}\n",
        document(&[&web], routes),
        host.port
    );
    let gateway = Gateway::native(&document).await?;
    let allowed = preflight(&gateway, "/strict", "https://a.example.com").await?;
    let expected = json!({
        "allow-origin": "https://a.example.com", "allow-credentials": "true",
        "allow-methods": "PATCH", "allow-headers": "x-a", "expose-headers": "x-c", "max-age": "60",
    });
    assert_eq!(allowed, expected);
    assert_eq!(preflight(&gateway, "/strict", "https://example.org").await?, json!({}));
    let open = preflight(&gateway, "/open", "https://example.org").await?;
    let expected =
        json!({ "allow-origin": "https://example.org", "allow-methods": "GET", "max-age": "5" });
    assert_eq!(open, expected);
    anyhow::ensure!(web.asked.all().is_empty(), "the server was asked: {:?}", web.asked.all());

    let mut visitor = Visitor::of(gateway.port()).await?;
    for (path, origin, shown) in [
        ("/strict", "https://a.example.com", true),
        ("/strict", "https://example.org", false),
        ("/silently", "https://a.example.com", false),
    ] {
        let (head, _) = visitor.get("localhost", path, &[("origin", origin)]).await?;
        assert_eq!(head.status, StatusCode::OK);
        assert_eq!(head.headers.contains_key("access-control-allow-origin"), shown, "{path}");
    }
    // An endpoint of MCP opens for the page that is listed, and for no other.
    for (origin, status) in [
        ("https://app.example.com", StatusCode::OK),
        ("https://example.org", StatusCode::FORBIDDEN),
    ] {
        let mut wire = Wire::new(&gateway.url("/mcp"))?;
        let hello = json!({
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18", "capabilities": {},
                "clientInfo": { "name": "page", "version": "1" },
            },
        });
        let answer = wire.post_with(hello.to_string(), &[("origin", origin)]).await?;
        assert_eq!(answer.status, status, "{origin}");
        let shown = answer.headers.get("access-control-allow-origin");
        assert_eq!(shown.is_some(), status == StatusCode::OK, "{origin}");
    }
    gateway.stop().await
}
