//! Which of several answers.

use std::collections::BTreeMap;

use http::StatusCode;
use testkit::{Gateway, Host, Plain, Visitor, Wire};

use crate::document;

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn each_request_is_answered_by_weight() -> anyhow::Result<()> {
    let (one, two, none) =
        (Plain::start("one").await?, Plain::start("two").await?, Plain::start("none").await?);
    let routes = "
- name: split
  path: /
  backends:
  - { service: one, weight: 3, filters: { requestHeaders: { set: { x-share: one } } } }
  - { service: two, weight: 1, filters: { responseHeaders: { set: { x-answered: two } } } }
  - { service: none, weight: 0 }
  - { fail: { id: reference.unknown, reason: there is no Service c }, weight: 1 }
";
    let gateway = Gateway::native(&document(&[&one, &two, &none], routes)).await?;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    let mut visitor = Visitor::of(gateway.port()).await?;
    for _ in 0..500 {
        let (head, said) = visitor.get("localhost", "/", &[]).await?;
        let name = said["name"].as_str().unwrap_or(head.status.as_str()).to_owned();
        assert_eq!(said["headers"]["x-share"] == "one", name == "one");
        assert_eq!(head.headers.contains_key("x-answered"), name == "two");
        *counts.entry(name).or_default() += 1;
    }
    // Four times the deviation that is to be expected of each.
    let near = |name: &str, share: f64| {
        let count = f64::from(counts.get(name).copied().unwrap_or_default());
        let deviation = (500.0 * share * (1.0 - share)).sqrt();
        (count - 500.0 * share).abs() < 4.0 * deviation
    };
    anyhow::ensure!(near("one", 0.6) && near("two", 0.2) && near("500", 0.2), "{counts:?}");
    anyhow::ensure!(!counts.contains_key("none"), "{counts:?}");
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_session_stays_where_mcp_is_spoken_beside_an_ordinary_server() -> anyhow::Result<()> {
    let (web, host) = (Plain::start("web").await?, Host::of_one_tool().await?);
    let routes = "
- { name: both, path: /mcp, backends: [{ service: web, weight: 1 }, { name: tools, weight: 1 }] }
";
    let document = format!(
        "{}backends: [{{ name: tools, targets: [t] }}]\ntargets:\n- {{ name: t, url: \"http://127.0.0.1:{}/mcp\" }}\n",
        document(&[&web], routes),
        host.port
    );
    let gateway = Gateway::native(&document).await?;
    let mut wire = loop {
        // Half of those that begin reach the ordinary server, which knows no sessions.
        let opened = Wire::open(&gateway.url("/mcp"), "2025-06-18").await;
        if let Ok(wire) = opened
            && wire.session.is_some()
        {
            break wire;
        }
    };
    let before = web.asked.all().len();
    for _ in 0..20 {
        let tools = wire.tools().await?;
        anyhow::ensure!(!tools.is_empty(), "no tools: {tools:?}");
    }
    assert_eq!(web.asked.all().len(), before, "a session was sent elsewhere");
    let mut visitor = Visitor::of(gateway.port()).await?;
    loop {
        let (head, said) = visitor.get("localhost", "/mcp", &[("accept", "*/*")]).await?;
        if said["name"] == "web" {
            assert_eq!(head.status, StatusCode::OK);
            return gateway.stop().await;
        }
    }
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn requests_go_round_the_endpoints_and_follow_them() -> anyhow::Result<()> {
    let (one, two, three) =
        (Plain::start("one").await?, Plain::start("two").await?, Plain::start("three").await?);
    let text = |endpoints: &[&Plain]| {
        let endpoints: Vec<String> =
            endpoints.iter().map(|server| format!("\"127.0.0.1:{}\"", server.port)).collect();
        format!(
            "routes: [{{ name: web, path: /, service: web }}]
services: [{{ name: web, url: \"http://web.invalid:80\", endpoints: web }}]
endpoints: {{ web: [{}] }}",
            endpoints.join(", ")
        )
    };
    let gateway = Gateway::native(&text(&[&one, &two])).await?;
    let mut visitor = Visitor::of(gateway.port()).await?;
    for _ in 0..10 {
        visitor.get("localhost", "/", &[]).await?;
    }
    assert_eq!((one.asked.all().len(), two.asked.all().len()), (5, 5));
    gateway.write("portico.yaml", &text(&[&three]))?;
    loop {
        let (head, said) = visitor.get("localhost", "/", &[]).await?;
        assert_eq!(head.status, StatusCode::OK, "a request failed meanwhile: {said}");
        if said["name"] == "three" {
            break;
        }
    }
    let before = one.asked.all().len() + two.asked.all().len();
    for _ in 0..4 {
        visitor.get("localhost", "/", &[]).await?;
    }
    assert_eq!(one.asked.all().len() + two.asked.all().len(), before);
    gateway.stop().await
}
