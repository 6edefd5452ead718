//! Policies in force: what servers are asked and shown, how long they may take, and what clients are told.

use std::time::{Duration, Instant};

use anyhow::Context;
use bytes::Bytes;
use http::StatusCode;
use http_body_util::Full;
use serde_json::{Value, json};
use testkit::{Authority, Framing, Gateway, Plain, RawServer, Recorder, Start, Visitor, Wire};

const GATEWAY: &str = "\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gateway }
spec:
  gatewayClassName: agentgateway
  listeners: [{ name: http, protocol: HTTP, port: 80 }]
---
";

/// A route at `/` to the Backend `server`, which has this `spec`.
fn route(spec: &str) -> String {
    format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{ name: route }}
spec:
  parentRefs: [{{ name: gateway }}]
  rules:
  - matches: [{{ path: {{ value: / }} }}]
    backendRefs: [{{ group: agentgateway.dev, kind: AgentgatewayBackend, name: server }}]
---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {{ name: server }}
spec: {spec}
---
"
    )
}

/// A policy that is attached to the Backend, or else to the route.
fn policy(name: &str, kind: &str, rules: &str) -> String {
    let target = match kind {
        "HTTPRoute" => "group: gateway.networking.k8s.io, kind: HTTPRoute, name: route",
        _ => "group: agentgateway.dev, kind: AgentgatewayBackend, name: server",
    };
    format!(
        "apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {{ name: {name} }}
spec: {{ targetRefs: [{{ {target} }}], {rules} }}
---
"
    )
}

/// An object of the core group whose `data` are texts, as JSON, which is YAML.
fn texts(kind: &str, name: &str, field: &str, texts: &Value) -> String {
    let object = json!({
        "apiVersion": "v1", "kind": kind, "metadata": { "name": name }, field: texts,
    });
    format!("{object}\n---\n")
}

async fn start(manifests: &[String]) -> anyhow::Result<Gateway> {
    let files = vec![("manifests.yaml", format!("{GATEWAY}{}", manifests.concat()))];
    Gateway::start(Start { files, listener: Some(80), ..Start::default() }).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_server_is_connected_to_by_tls_and_shown_what_secrets_hold() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let web = Plain::secure("web", &authority, &["web.example.com"]).await?;
    let (certificate, key) = authority.certificate(&["gateway.example.com"])?;
    let secret = |token: &str| {
        texts("Secret", "token", "stringData", &json!({ "Authorization": token, "other": "b" }))
    };
    let manifests = |token: &str, sni: &str| {
        vec![
            route(&format!("{{ static: {{ host: 127.0.0.1, port: {} }} }}", web.port)),
            policy(
                "tls",
                "AgentgatewayBackend",
                &format!(
                    "backend: {{ tls: {{ sni: {sni}, caCertificateRefs: [{{ name: authority }}], \
                     mtlsCertificateRef: [{{ name: pair }}] }}, auth: {{ secretRef: {{ name: token }}, \
                     credentials: [{{ location: {{ header: {{ name: x-key }} }}, \
                     secretRef: {{ name: token, key: other }} }}] }} }}"
                ),
            ),
            texts("ConfigMap", "authority", "data", &json!({ "ca.crt": authority.pem() })),
            texts(
                "Secret",
                "pair",
                "stringData",
                &json!({ "tls.crt": certificate, "tls.key": key }),
            ),
            secret(token),
        ]
    };
    let gateway = start(&manifests("Bearer first", "web.example.com")).await?;
    let mut visitor = Visitor::<Full<Bytes>>::of(gateway.port()).await?;
    let own = [("authorization", "Bearer of-the-client"), ("x-key", "of-the-client")];
    let (head, said) = visitor.get("localhost", "/x", &own).await?;
    assert_eq!(head.status, StatusCode::OK, "{said}");
    assert_eq!(said["headers"]["authorization"], "Bearer first");
    assert_eq!(said["headers"]["x-key"], "b");

    // A new token is shown from then on; nothing shows it to people.
    let renewed = format!("{GATEWAY}{}", manifests("second\n", "web.example.com").concat());
    gateway.write("manifests.yaml", &renewed)?;
    loop {
        let (_, said) = visitor.get("localhost", "/x", &own).await?;
        match said["headers"]["authorization"].as_str() {
            Some("Bearer second") => break,
            Some("Bearer first") => tokio::task::yield_now().await,
            other => anyhow::bail!("{other:?} is shown"),
        }
    }
    let shown = gateway.admin("/config").await?;
    anyhow::ensure!(shown.contains("token"), "{shown}");
    anyhow::ensure!(!shown.contains("second") && !shown.contains("BEGIN"), "{shown}");

    // A certificate for another name is not taken.
    let other = format!("{GATEWAY}{}", manifests("second", "other.example.com").concat());
    gateway.write("manifests.yaml", &other)?;
    while visitor.get("localhost", "/x", &own).await?.0.status == StatusCode::OK {
        tokio::task::yield_now().await;
    }
    let asked = web.asked.find(|asked| asked.headers["authorization"] == "Bearer of-the-client");
    anyhow::ensure!(asked.is_none(), "a client's token reached the server");
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_server_is_known_by_a_uri_in_its_certificate() -> anyhow::Result<()> {
    let authority = Authority::new()?;
    let names = ["web.example.com", "spiffe://example.com/web"];
    let web = Plain::secure("web", &authority, &names).await?;
    let (certificate, key) = authority.certificate(&["gateway.example.com"])?;
    let manifests = |uri: &str| {
        let tls = format!(
            "backend: {{ tls: {{ sni: web.example.com, verifySubjectAltNames: [\"{uri}\"], \
             caCertificateRefs: [{{ name: authority }}], mtlsCertificateRef: [{{ name: pair }}] }} }}"
        );
        let pair = json!({ "tls.crt": certificate, "tls.key": key });
        vec![
            route(&format!("{{ static: {{ host: 127.0.0.1, port: {} }} }}", web.port)),
            policy("tls", "AgentgatewayBackend", &tls),
            texts("ConfigMap", "authority", "data", &json!({ "ca.crt": authority.pem() })),
            texts("Secret", "pair", "stringData", &pair),
        ]
    };
    let gateway = start(&manifests("spiffe://example.com/other")).await?;
    let mut visitor = Visitor::<Full<Bytes>>::of(gateway.port()).await?;
    let (head, _) = visitor.get("localhost", "/x", &[]).await?;
    assert_eq!(head.status, StatusCode::SERVICE_UNAVAILABLE);
    let is_told = |line: &str| line.contains("reason=") && line.contains("certificate");
    gateway.access_line("why the server was not reached", is_told).await?;
    anyhow::ensure!(web.asked.find(|_| true).is_none(), "a stranger was asked");

    let right = format!("{GATEWAY}{}", manifests("spiffe://example.com/web").concat());
    gateway.write("manifests.yaml", &right)?;
    while visitor.get("localhost", "/x", &[]).await?.0.status != StatusCode::OK {
        tokio::task::yield_now().await;
    }
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn an_mcp_server_is_shown_its_token_with_every_request() -> anyhow::Result<()> {
    let server = RawServer::start(Framing::Json).await?;
    let recorder = Recorder::to(server.port).await?;
    let backend = route(&format!(
        "{{ mcp: {{ targets: [{{ name: raw, static: {{ host: 127.0.0.1, port: {} }} }}] }}, \
         policies: {{ auth: {{ key: of-the-backend }} }} }}",
        recorder.port
    ));
    // What a Backend says itself counts more than what is attached to it.
    let attached = policy("key", "AgentgatewayBackend", "backend: { auth: { key: attached } }");
    let gateway = start(&[backend, attached]).await?;
    let mut wire = Wire::open(&gateway.url("/"), "2025-06-18").await?;
    assert_eq!(wire.tools().await?, ["work"]);
    let is_shown = |headers: &http::HeaderMap| {
        headers.get("authorization").is_some_and(|value| value == "Bearer of-the-backend")
    };
    let without = recorder.exchanges.find(|exchange| !is_shown(&exchange.headers));
    anyhow::ensure!(without.is_none(), "{without:?}");
    recorder.sees("a request", |exchange| is_shown(&exchange.headers)).await?;
    anyhow::ensure!(!gateway.admin("/config").await?.contains("of-the-backend"));
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn clients_are_told_of_a_closed_target_no_more_than_an_id() -> anyhow::Result<()> {
    let server = RawServer::start(Framing::Json).await?;
    let backend = route(&format!(
        "{{ mcp: {{ targets: [{{ name: open, static: {{ host: 127.0.0.1, port: {0} }} }}, \
         {{ name: shut, static: {{ host: 127.0.0.1, port: {0}, \
         policies: {{ auth: {{ secretRef: {{ name: absent }} }} }} }} }}] }} }}",
        server.port
    ));
    let gateway = start(&[backend]).await?;
    let mut wire = Wire::open(&gateway.url("/"), "2025-06-18").await?;
    let said = wire.request("tools/list", json!({})).await?;
    let targets = said.pointer("/result/_meta/dev.portico~1targets").cloned().unwrap_or_default();
    let shut = targets.as_array().into_iter().flatten().find(|one| one["name"] == "shut");
    let shut = shut.with_context(|| format!("nothing is said of it: {said}"))?;
    anyhow::ensure!(
        shut["reason"].as_str().is_some_and(|why| why.starts_with("closed [")),
        "{shut}"
    );

    let answer = wire.call("shut_work", json!({})).await?;
    anyhow::ensure!(!said.to_string().contains("absent"), "{said}");
    anyhow::ensure!(!answer.to_string().contains("absent"), "{answer}");
    gateway.process.says("absent").await?;
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_call_ends_when_the_policy_of_its_route_says_so() -> anyhow::Result<()> {
    let server = RawServer::start(Framing::Json).await?;
    let backend = route(&format!(
        "{{ mcp: {{ targets: [{{ name: raw, static: {{ host: 127.0.0.1, port: {} }} }}] }} }}",
        server.port
    ));
    let rules = "traffic: { timeouts: { request: 700ms }, \
                 headerModifiers: { response: { set: [{ name: x-from, value: policy }] } }, \
                 cors: { allowOrigins: [\"https://app.example.com\"] } }";
    let gateway = start(&[backend, policy("traffic", "HTTPRoute", rules)]).await?;
    let mut wire = Wire::open(&gateway.url("/"), "2025-06-18").await?;
    let began = Instant::now();
    let answer = wire.call("work", json!({})).await?;
    let error = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
    anyhow::ensure!(error.contains("did not answer"), "{answer}");
    anyhow::ensure!(began.elapsed() >= Duration::from_millis(700), "{:?}", began.elapsed());
    anyhow::ensure!(began.elapsed() < testkit::DEADLINE, "{:?}", began.elapsed());

    let ping = r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#;
    let answer = wire.post(ping).await?;
    assert_eq!(answer.headers.get("x-from").map(http::HeaderValue::as_bytes), Some(&b"policy"[..]));
    let mut visitor = Visitor::<Full<Bytes>>::of(gateway.port()).await?;
    let page = [("origin", "https://app.example.com")];
    let (head, _) = visitor.get("localhost", "/", &page).await?;
    let allowed = head.headers.get("access-control-allow-origin");
    assert_eq!(allowed.map(http::HeaderValue::as_bytes), Some(&b"https://app.example.com"[..]));
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_policy_whose_secret_is_not_there_closes_until_it_is() -> anyhow::Result<()> {
    let web = Plain::start("web").await?;
    let manifests = vec![
        route(&format!("{{ static: {{ host: 127.0.0.1, port: {} }} }}", web.port)),
        policy("key", "AgentgatewayBackend", "backend: { auth: { secretRef: { name: token } } }"),
    ];
    let gateway = start(&manifests).await?;
    let mut visitor = Visitor::<Full<Bytes>>::of(gateway.port()).await?;
    let (head, _) = visitor.get("localhost", "/x", &[]).await?;
    assert_eq!(head.status, StatusCode::SERVICE_UNAVAILABLE);
    anyhow::ensure!(web.asked.find(|_| true).is_none(), "it was asked without its token");
    gateway.process.says("there is no Secret default/token").await?;
    let secret = texts("Secret", "token", "stringData", &json!({ "Authorization": "Bearer t" }));
    gateway.write("manifests.yaml", &format!("{GATEWAY}{}{secret}", manifests.concat()))?;
    loop {
        let (head, said) = visitor.get("localhost", "/x", &[]).await?;
        if head.status == StatusCode::OK {
            assert_eq!(said["headers"]["authorization"], "Bearer t");
            return gateway.stop().await;
        }
        tokio::task::yield_now().await;
    }
}
