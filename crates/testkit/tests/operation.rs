//! What an operator sees and does: metrics, the access log, readiness, signals, the drain, and a guard that is not built yet.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::{Framing, Gateway, RawServer, Start, Wire};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_call_that_is_in_flight_is_answered_while_the_gateway_drains() -> anyhow::Result<()> {
    for framing in [Framing::Json, Framing::Events, Framing::Sse, Framing::Stdio] {
        let (server, mut gateway) = start(framing).await?;
        let mut wire = Wire::open(&gateway.url("/mcp"), "2025-11-25").await?;
        let calling = tokio::spawn(async move { wire.call("work", json!({})).await });
        let mut call = server.call().await?;
        gateway.process.signal(Signal::TERM)?;
        gateway.process.says("Draining").await?;
        call.send(&format!(
            r#"{{"jsonrpc":"2.0","id":{},"result":{{"content":[]}}}}"#,
            call.request.id()
        ))?;
        call.end()?;
        let answer = calling.await??;
        assert_eq!(answer.pointer("/result/content"), Some(&json!([])), "{framing:?}: {answer}");
        let status = gateway.process.ended().await?;
        anyhow::ensure!(status.success(), "{framing:?}: the gateway ended with {status}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_call_that_outlasts_the_drain_is_told_that_the_gateway_stops() -> anyhow::Result<()> {
    for framing in [Framing::Json, Framing::Events, Framing::Sse, Framing::Stdio] {
        ended_call(framing, "drain: { limit: 100ms }", &[Signal::TERM]).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_second_signal_ends_the_gateway_at_once() -> anyhow::Result<()> {
    for drain in ["drain: { limit: 10m }", "drain: { announce: 10m, limit: 10m }"] {
        ended_call(Framing::Events, drain, &[Signal::TERM, Signal::TERM]).await?;
        ended_call(Framing::Events, drain, &[Signal::INT, Signal::TERM]).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn sighup_rereads_a_file_whose_folder_did_not_tell() -> anyhow::Result<()> {
    let servers = [RawServer::start(Framing::Json).await?, RawServer::start(Framing::Json).await?];
    let [one, two] = servers.each_ref().map(|server| server.port);
    let document = format!("targets:\n- name: one\n  url: http://127.0.0.1:{one}/mcp\n");
    let gateway = Gateway::native(&document).await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    let mut listening = Wire::new(&gateway.url("/mcp"))?;
    listening.session = wire.session.clone();
    let mut stream = listening.get().await?;
    // What is written by another name of the file is an event of another folder.
    let elsewhere = gateway.folder().join("elsewhere");
    fs::create_dir(&elsewhere)?;
    let name = elsewhere.join("portico.yaml");
    fs::hard_link(gateway.folder().join("portico.yaml"), &name)?;
    fs::write(&name, format!("{document}- name: two\n  url: http://127.0.0.1:{two}/mcp\n"))?;
    gateway.process.signal(Signal::HUP)?;
    gateway.process.says("SIGHUP").await?;
    stream.up_to("notifications/tools/list_changed").await?;
    assert_eq!(wire.tools().await?, ["one_work", "two_work"]);
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_call_is_counted_and_logged_with_its_target_and_tool() -> anyhow::Result<()> {
    let server = RawServer::start(Framing::Events).await?;
    let other = RawServer::start(Framing::Json).await?;
    let none = Path::new("none");
    let targets = format!("{}{}", server.target("raw", none), other.target("other", none));
    let gateway = Gateway::native(&format!("targets:\n{targets}")).await?;
    anyhow::ensure!(!gateway.admin("/livez").await?.is_empty(), "no answer of /livez");
    anyhow::ensure!(!gateway.admin("/readyz").await?.is_empty(), "no answer of /readyz");
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    let (answer, answered) = tokio::join!(wire.call("raw_work", json!({})), async {
        let mut call = server.call().await?;
        call.send(&format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#, call.request.id()))?;
        call.end()
    });
    answered?;
    anyhow::ensure!(answer?.get("result").is_some(), "no result");
    let line =
        gateway.access_line("the line of the call", |line| line.contains("tool=raw_work")).await?;
    for part in [
        "method=tools/call",
        "target=raw",
        "status=200",
        "duration_ms=",
        "bytes=",
        "ended=complete",
    ] {
        anyhow::ensure!(line.contains(part), "no {part} in {line}");
    }
    let metrics = gateway.admin("/metrics").await?;
    for part in ["target=\"raw\"", "method=\"tools/call\"", "_bucket{", "# TYPE"] {
        anyhow::ensure!(metrics.contains(part), "no {part} in {metrics}");
    }
    // What a client writes becomes no label.
    wire.call("nobody-has-this", json!({})).await?;
    wire.request("nobody/asks", json!({})).await?;
    let metrics = gateway.admin("/metrics").await?;
    anyhow::ensure!(!metrics.contains("nobody"), "{metrics}");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_batch_of_2025_03_26_is_answered_as_a_batch() -> anyhow::Result<()> {
    let (_server, gateway) = start(Framing::Json).await?;
    let batch = r#"[{"jsonrpc":"2.0","id":"a","method":"ping"},{"jsonrpc":"2.0","method":"notifications/initialized"},{"jsonrpc":"2.0","id":"b","method":"tools/list"}]"#;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-03-26").await?;
    let mut ids: Vec<String> = wire
        .post(batch)
        .await?
        .messages()?
        .iter()
        .filter_map(|message| message.get("id")?.as_str().map(str::to_owned))
        .collect();
    ids.sort();
    assert_eq!(ids, ["a", "b"]);
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    let answer = wire.post(batch).await?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    anyhow::ensure!(text.contains("-32600"), "2025-06-18 has no batches: {text}");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn the_get_stream_tells_of_a_new_target() -> anyhow::Result<()> {
    let servers = [RawServer::start(Framing::Json).await?, RawServer::start(Framing::Json).await?];
    let [one, two] = servers.each_ref().map(|server| server.port);
    let document = format!("targets:\n- name: one\n  url: http://127.0.0.1:{one}/mcp\n");
    let gateway = Gateway::native(&document).await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    assert_eq!(wire.tools().await?, ["work"]);
    let mut listening = Wire::new(&gateway.url("/mcp"))?;
    listening.session = wire.session.clone();
    let mut stream = listening.get().await?;
    assert_eq!(stream.status.as_u16(), 200);
    gateway.write(
        "portico.yaml",
        &format!("{document}- name: two\n  url: http://127.0.0.1:{two}/mcp\n"),
    )?;
    stream.up_to("notifications/tools/list_changed").await?;
    assert_eq!(wire.tools().await?, ["one_work", "two_work"]);
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_policy_that_is_not_built_closes_what_it_guards_and_nothing_else() -> anyhow::Result<()> {
    let server = RawServer::start(Framing::Json).await?;
    let port = server.port;
    let route = |name: &str| {
        format!(
            "apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{ name: {name}, namespace: default }}
spec:
  parentRefs: [{{ name: gateway }}]
  rules:
  - matches: [{{ path: {{ type: PathPrefix, value: /{name} }} }}]
    backendRefs: [{{ group: agentgateway.dev, kind: AgentgatewayBackend, name: raw }}]
---
"
        )
    };
    let manifests = format!(
        "apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {{ name: gateway, namespace: default }}
spec:
  gatewayClassName: agentgateway
  listeners: [{{ name: http, protocol: HTTP, port: 80 }}]
---
apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayBackend
metadata: {{ name: raw, namespace: default }}
spec: {{ mcp: {{ targets: [{{ name: raw, static: {{ host: 127.0.0.1, port: {port} }} }}] }} }}
---
{}{}apiVersion: agentgateway.dev/v1alpha1
kind: AgentgatewayPolicy
metadata: {{ name: guard, namespace: default }}
spec:
  targetRefs: [{{ group: gateway.networking.k8s.io, kind: HTTPRoute, name: guarded }}]
  traffic: {{ jwtAuthentication: {{ mode: Strict, providers: [] }} }}
",
        route("open"),
        route("guarded")
    );
    let gateway = Gateway::start(Start {
        files: vec![("manifests.yaml", manifests)],
        listener: Some(80),
        ..Start::default()
    })
    .await?;
    let mut wire = Wire::open(&gateway.url("/open"), "2025-06-18").await?;
    assert_eq!(wire.tools().await?, ["work"]);
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let answer = Wire::new(&gateway.url("/guarded"))?.post(body).await?;
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    assert_eq!(answer.status.as_u16(), 503, "{text}");
    anyhow::ensure!(text.contains("policy"), "the diagnostic is not told: {text}");
    gateway.process.says("guard").await.map(drop)
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_list_says_itself_which_target_is_missing_and_why() -> anyhow::Result<()> {
    let server = RawServer::start(Framing::Json).await?;
    let (up, down) = (server.port, testkit::reserved_port()?);
    let gateway = Gateway::native(&format!(
        "targets:\n- name: up\n  url: http://127.0.0.1:{up}/mcp\n- name: down\n  url: http://127.0.0.1:{down}/mcp\n"
    ))
    .await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    let list = wire.tool_list().await?;
    let meta = list.get("_meta").map(Value::to_string).unwrap_or_default();
    anyhow::ensure!(meta.contains("\"down\"") && !meta.contains("\"up\""), "{list}");
    let answer = wire.call("down_work", json!({})).await?;
    let error = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
    anyhow::ensure!(error.contains("down"), "{answer}");
    Ok(())
}

/// A call that its target never answers, in a gateway that gets `signals` one after the other.
async fn ended_call(framing: Framing, drain: &str, signals: &[Signal]) -> anyhow::Result<()> {
    let (server, mut gateway) = start_with(framing, drain).await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-11-25").await?;
    let calling = tokio::spawn(async move { wire.call("work", json!({})).await });
    let _call = server.call().await?;
    for signal in signals {
        gateway.process.signal(*signal)?;
        gateway.process.says("Draining").await?;
    }
    let answer = calling.await??;
    let error = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
    anyhow::ensure!(
        error.contains("the gateway stops serving this address"),
        "{framing:?}: {answer}"
    );
    let status = gateway.process.ended().await?;
    anyhow::ensure!(status.success(), "{framing:?}: the gateway ended with {status}");
    Ok(())
}

async fn start(framing: Framing) -> anyhow::Result<(RawServer, Gateway)> {
    start_with(framing, "").await
}

/// A gateway before one target, with more lines in its document.
async fn start_with(framing: Framing, more: &str) -> anyhow::Result<(RawServer, Gateway)> {
    let server = RawServer::start(framing).await?;
    let bridge = Path::new(env!("CARGO_BIN_EXE_stdio-to-tcp"));
    let document = format!("{more}\ntargets:\n{}", server.target("raw", bridge));
    Ok((server, Gateway::native(&document).await?))
}
