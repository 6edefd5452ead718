//! What the admin port answers, over a real socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use config::Document;
use config::document::{Backend, Target, TargetEntry};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::admin::{Admin, AdminSources, Inside, Readiness, TargetState, TargetStatus};
use crate::metrics::Metrics;
use crate::tasks::Tasks;

fn sources(tasks: &Tasks, document: Document) -> AdminSources {
    let (document, metrics) = (Arc::new(document), Metrics::new(tasks));
    AdminSources {
        metrics: Arc::new(move || metrics.encode()),
        readiness: Arc::new(Readiness::new()),
        inside: Some(Inside {
            document: Arc::new(move || document.clone()),
            targets: Arc::new(|| {
                vec![TargetStatus {
                    backend: "all".to_owned(),
                    target: "github".to_owned(),
                    state: TargetState::Stale,
                    revision: Some(mcp::Revision::V2025_11_25),
                    tools: 3,
                    error: Some("timeout"),
                    since: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
                }]
            }),
        }),
    }
}

async fn ask(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    response
}

/// The response to `request` for `host` has `status` and holds all of `expected`.
async fn check(
    sources: &AdminSources,
    request: &str,
    host: &str,
    status: &str,
    expected: &[&str],
) -> String {
    let tasks = Tasks::new();
    let admin = Admin::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = admin.address();
    admin.serve(&tasks, sources.clone());
    let head = format!("{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let response = ask(address, &head).await;
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
    for text in expected {
        assert!(response.contains(text), "`{text}` is missing in {response}");
    }
    tasks.close().await;
    response
}

#[tokio::test]
async fn readiness_follows_the_gateway_from_start_to_drain() {
    let sources = sources(&Tasks::new(), Document::default());
    check(&sources, "GET /readyz", "localhost", "503", &["starting"]).await;
    sources.readiness.ready();
    check(&sources, "GET /readyz", "localhost", "200", &["ready"]).await;
    sources.readiness.unbound();
    check(&sources, "GET /readyz", "localhost", "503", &["unbound"]).await;
    sources.readiness.ready();
    check(&sources, "GET /readyz", "localhost", "200", &["ready"]).await;
    sources.readiness.drain();
    sources.readiness.ready();
    sources.readiness.unbound();
    check(&sources, "GET /readyz", "localhost", "503", &["draining"]).await;
    check(&sources, "GET /livez", "localhost", "200", &["alive"]).await;
}

#[tokio::test]
async fn metrics_are_in_the_format_that_prometheus_asks_for() {
    let sources = sources(&Tasks::new(), Document::default());
    let expected = ["content-type: application/openmetrics-text", "portico_sessions 0", "# EOF"];
    check(&sources, "GET /metrics", "127.0.0.1:15000", "200", &expected).await;
}

#[tokio::test]
async fn targets_show_how_they_stand() {
    let sources = sources(&Tasks::new(), Document::default());
    let expected = [
        "\"state\": \"stale\"",
        "\"revision\": \"2025-11-25\"",
        "\"error\": \"timeout\"",
        "\"since\": \"2027-01-15T08:00:00.000Z\"",
    ];
    check(&sources, "GET /targets", "[::1]:15000", "200", &expected).await;
}

#[tokio::test]
async fn the_document_shows_references_to_secrets_and_no_literals() {
    let target = |name: &str, value: &str| Target {
        name: name.to_owned(),
        url: Some("http://127.0.0.1:1/mcp".to_owned()),
        headers: [("Authorization".to_owned(), value.to_owned())].into(),
        ..Target::default()
    };
    let document = Document {
        targets: vec![target("github", "Bearer ${TOKEN}"), target("gitlab", "Bearer hunter2")],
        backends: vec![Backend {
            name: "all".to_owned(),
            targets: vec![TargetEntry::Inline(Box::new(target("inline", "Bearer hunter2")))],
            ..Backend::default()
        }],
        ..Document::default()
    };
    let sources = sources(&Tasks::new(), document);
    let response = check(&sources, "GET /config", "localhost", "200", &["Bearer ${TOKEN}"]).await;
    assert!(!response.contains("hunter2"), "{response}");
}

#[tokio::test]
async fn a_foreign_host_name_and_other_methods_are_refused() {
    let sources = sources(&Tasks::new(), Document::default());
    check(&sources, "GET /config", "evil.example", "421", &[]).await;
    check(&sources, "DELETE /config", "localhost", "405", &["allow: GET, HEAD"]).await;
    check(&sources, "GET /nothing", "localhost", "404", &["/targets"]).await;
}

#[tokio::test]
async fn a_port_in_use_is_named_with_a_way_out() {
    let first = Admin::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let error = Admin::bind(first.address()).await.unwrap_err().to_string();
    assert!(error.contains(&first.address().to_string()), "{error}");
    assert!(error.contains("--admin-port"), "{error}");
}
