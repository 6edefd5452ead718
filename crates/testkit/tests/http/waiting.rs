//! Servers that do not answer, or not to the end.

use std::time::{Duration, Instant};

use http::{Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use testkit::{Plain, Visitor, reserved_port, within};

use crate::{document, gateway};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_server_that_is_silent_is_waited_for_as_long_as_the_route_says() -> anyhow::Result<()> {
    let web = Plain::start("web").await?;
    let routes = "
- { name: request, path: /request, service: web, timeouts: { request: 300ms } }
- { name: backend, path: /backend, service: web, timeouts: { request: 1h, backendRequest: 300ms } }
- { name: any, path: /any, service: web, timeouts: { request: 0s } }";
    let gateway = gateway(&[&web], routes).await?;
    for path in ["/request/silent", "/backend/silent"] {
        let began = Instant::now();
        let (head, said) = Visitor::of(gateway.port()).await?.get("localhost", path, &[]).await?;
        assert_eq!(head.status, StatusCode::GATEWAY_TIMEOUT, "{said}");
        anyhow::ensure!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
    }
    gateway.access_line("a timeout", |line| line.contains("ended=target_timed_out")).await?;

    // One that began to answer is cut off.
    let mut visitor = Visitor::of(gateway.port()).await?;
    let request = Request::get("/request/stall").header("host", "localhost");
    let response = visitor.send(request.body(http_body_util::Full::default())?).await?;
    assert_eq!(response.status(), StatusCode::OK);
    let rest = within("the end of it", response.into_body().collect()).await?;
    anyhow::ensure!(rest.is_err(), "half an answer looks whole");

    // An answer that is there in time is not.
    for path in ["/request/now", "/any/now"] {
        let mut visitor = Visitor::of(gateway.port()).await?;
        let (head, _) = visitor.get("localhost", path, &[]).await?;
        assert_eq!(head.status, StatusCode::OK);
    }
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_server_that_cannot_be_reached_is_told_from_one_that_breaks_off() -> anyhow::Result<()> {
    let web = Plain::start("web").await?;
    let dead = reserved_port()?;
    let routes = "
- { name: web, path: /web, service: web }
- { name: dead, path: /dead, service: dead }
- { name: none, path: /none, service: none }
- { name: shut, path: /shut, service: shut }
- { name: fails, path: /fails, fail: { id: reference.unknown, reason: there is no Service x } }
- { name: some, path: /some, service: some }";
    let more = format!(
        "- {{ name: dead, url: \"http://127.0.0.1:{dead}\" }}
- {{ name: none, url: \"http://none.invalid\", endpoints: none }}
- {{ name: shut, url: \"http://shut.invalid\", close: {{ id: a.b, reason: not now }} }}
- {{ name: some, url: \"http://some.invalid\", endpoints: some }}
endpoints:
  some: [\"127.0.0.1:{dead}\", \"127.0.0.1:{}\"]
",
        web.port
    );
    let gateway = testkit::Gateway::native(&format!("{}{more}", document(&[&web], routes))).await?;
    let ask = async |path: &str| -> anyhow::Result<(StatusCode, Value)> {
        let mut visitor = Visitor::of(gateway.port()).await?;
        let (head, said) = visitor.get("localhost", path, &[]).await?;
        Ok((head.status, said))
    };
    for (path, status, ended, text) in [
        ("/web/cut", StatusCode::BAD_GATEWAY, "target_failed", "broke off"),
        ("/dead", StatusCode::SERVICE_UNAVAILABLE, "target_failed", "cannot be reached"),
        ("/none", StatusCode::SERVICE_UNAVAILABLE, "target_failed", "cannot be reached"),
        ("/shut", StatusCode::SERVICE_UNAVAILABLE, "refused", "closed [a.b]"),
        ("/fails", StatusCode::INTERNAL_SERVER_ERROR, "refused", "[reference.unknown]"),
    ] {
        let (found, said) = ask(path).await?;
        assert_eq!(found, status, "{path}: {said}");
        anyhow::ensure!(said.as_str().is_some_and(|said| said.contains(text)), "{path}: {said}");
        let route = path.split('/').nth(1).unwrap_or_default();
        let is_it = |line: &str| line.contains(&format!("route={route}"));
        let line = gateway.access_line(&format!("the line of {path}"), is_it).await?;
        anyhow::ensure!(line.contains(&format!("ended={ended}")), "{line}");
        // Clients are not told what they could learn from it.
        let reason = match path {
            "/web/cut" => continue,
            "/shut" => "reason=\"not now\"",
            "/fails" => "reason=\"there is no Service x\"",
            _ => "reason=",
        };
        anyhow::ensure!(line.contains(reason), "{path}: {line}");
        anyhow::ensure!(said.as_str().is_some_and(|said| !said.contains("not now")), "{said}");
    }
    // Nobody notices that one of several endpoints is gone.
    for _ in 0..4 {
        let (found, said) = ask("/some").await?;
        assert_eq!(found, StatusCode::OK, "{said}");
    }
    let (found, said) = ask("/nothing").await?;
    assert_eq!(found, StatusCode::NOT_FOUND, "{said}");
    gateway.stop().await
}
