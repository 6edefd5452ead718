//! A client and a server say to each other what they would say without the gateway between them: real clients and real
//! servers, recorded directly and on both sides of the gateway that has the server as its only target.

mod exceptions;

use anyhow::Context;
use http::Method;
use serde_json::{Value, json};
use testkit::{
    Change, Client, Exchange, Gateway, Peers, Player, PlayerKind, Process, Recorder, Transcript,
    repository,
};

use crate::exceptions::{EXCEPTIONS, Exception, Server, Side};

/// One request of a client, and what else it is told because of it, if anything.
struct Step {
    method: &'static str,
    params: Value,
    told: Option<&'static str>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn the_typescript_client_and_server_everything_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::TypeScript, Server::Everything).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn the_typescript_client_and_pythons_server_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::TypeScript, Server::Python).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn pythons_client_and_server_everything_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::Python, Server::Everything).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn pythons_client_and_server_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::Python, Server::Python).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn rmcps_client_and_server_everything_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::Rmcp, Server::Everything).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn rmcps_client_and_pythons_server_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::Rmcp, Server::Python).await
}

async fn check(kind: PlayerKind, server: Server) -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let port = peers.port()?;
    let _server = start(server, &peers, port).await?;

    let direct = Recorder::to(port).await?;
    play(kind, server, &peers, &direct).await.context("directly")?;
    let direct = Transcript::of(&direct.exchanges.all(), server.by_chance());

    let upstream = Recorder::to(port).await?;
    let target = format!("targets:\n- name: only\n  url: http://127.0.0.1:{}/mcp\n", upstream.port);
    let gateway = Gateway::native(&target).await?;
    // Not the recorded client: it finds a gateway whose catalog is there.
    Client::connect(&gateway.url("/mcp")).await?.tools().await?;
    let downstream = Recorder::to(gateway.port()).await?;
    let played = play(kind, server, &peers, &downstream).await;
    played.with_context(|| gateway.process.log.all().join("\n"))?;
    let session = session_of_the_client(&upstream).await?;
    let through = Transcript::of(&downstream.exchanges.all(), server.by_chance());
    judge(kind, server, Side::Client, &direct, &through)?;
    judge(kind, server, Side::Server, &direct, &Transcript::of(&session, server.by_chance()))
}

/// What is lost or found is on the list of exceptions, and all that is on it is lost or found.
fn judge(
    kind: PlayerKind,
    server: Server,
    side: Side,
    direct: &Transcript,
    through: &Transcript,
) -> anyhow::Result<()> {
    let is_due = |exception: &&Exception| {
        let Exception { clients, servers, .. } = exception;
        exception.side == side && clients.contains(&kind) && servers.contains(&server)
    };
    let due: Vec<&Exception> = EXCEPTIONS.iter().filter(is_due).collect();
    let changes = direct.changes(through);
    let fits = |change: &Change, pattern: &str| {
        let (Change::Lost(line) | Change::Found(line)) = change;
        is_like(line, pattern)
    };
    let mut lines = due.iter().flat_map(|exception| exception.lines);
    let differs = |change: &&Change| !lines.clone().any(|pattern| fits(change, pattern));
    let different: Vec<String> =
        changes.iter().filter(differs).map(|change| format!("{change:?}")).collect();
    anyhow::ensure!(
        different.is_empty(),
        "{kind:?} and {server:?} notice on the side of the {side:?}:\n{}",
        different.join("\n")
    );
    let unused = lines.find(|pattern| !changes.iter().any(|change| fits(change, pattern)));
    let reason =
        |line: &str| due.iter().find(|due| due.lines.contains(&line)).map(|due| due.reason);
    anyhow::ensure!(
        unused.is_none(),
        "{kind:?} and {server:?}, {side:?}: nothing is like `{}` any more ({:?})",
        unused.unwrap_or(&""),
        unused.and_then(|line| reason(line))
    );
    Ok(())
}

/// Whether a line is as the pattern says.
fn is_like(line: &str, pattern: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return line == pattern };
    let Some(line) = line.strip_prefix(start) else { return false };
    line.char_indices().any(|(place, _)| is_like(&line[place..], rest)) || is_like("", rest)
}

async fn start(server: Server, peers: &Peers, port: u16) -> anyhow::Result<Process> {
    match server {
        Server::Everything => peers.everything(port).await,
        Server::Python => {
            let script = repository()?.join("tests/peers/mcp/server.py");
            peers.python(&script, "streamable-http", port).await
        }
    }
}

async fn play(
    kind: PlayerKind,
    server: Server,
    peers: &Peers,
    recorder: &Recorder,
) -> anyhow::Result<()> {
    let url = format!("http://127.0.0.1:{}/mcp", recorder.port);
    let mut player = Player::connect(kind, peers, &url).await?;
    recorder.sees("a stream of the client", Exchange::listens).await?;
    if server == Server::Everything {
        // It asks for the roots a moment after it was initialized, and then says how many there are.
        told(recorder, "roots/list", 1).await?;
        told(recorder, "notifications/message", 1).await?;
    }
    for Step { method, params, told: what } in steps(server) {
        let before = what.map(|what| count(recorder, what));
        player.play(method, params.clone()).await.with_context(|| format!("{method} {params}"))?;
        if let (Some(what), Some(before)) = (what, before) {
            told(recorder, what, before + 1).await.with_context(|| format!("{method} {params}"))?;
        }
    }
    player.leave().await
}

/// Awaits that the client was told `method` so often, outside of calls or in them.
async fn told(recorder: &Recorder, method: &str, times: usize) -> anyhow::Result<()> {
    let what = format!("{times} of `{method}` for the client");
    let exchanges = &recorder.exchanges;
    exchanges.until(&what, |seen| (counted(seen, method) >= times).then_some(())).await
}

fn count(recorder: &Recorder, method: &str) -> usize {
    counted(&recorder.exchanges.all(), method)
}

fn counted(exchanges: &[Exchange], method: &str) -> usize {
    exchanges.iter().map(|exchange| exchange.brought(method)).sum()
}

/// What the gateway and the server said to each other in the session of the client; the others are the gateway's own,
/// in which it does no more than list and listen.
async fn session_of_the_client(upstream: &Recorder) -> anyhow::Result<Vec<Exchange>> {
    let is_call = |exchange: &Exchange| exchange.asks().as_deref() == Some("tools/call");
    let call = upstream.sees("a call upstream", is_call).await?;
    let session = session(&call);
    let is_end =
        |exchange: &Exchange| exchange.method == Method::DELETE && exchange.answer.is_some();
    let is_its_end = |exchange: &Exchange| is_end(exchange) && self::session(exchange) == session;
    upstream.sees("the end of the client's session upstream", is_its_end).await?;
    let (its, others): (Vec<_>, Vec<_>) = upstream
        .exchanges
        .all()
        .into_iter()
        .partition(|exchange| self::session(exchange) == session);
    let own = ["initialize", "notifications/initialized", "ping", "logging/setLevel"];
    for exchange in others {
        let method = exchange.asks();
        let is_own = |method: &str| own.contains(&method) || method.ends_with("/list");
        anyhow::ensure!(
            method.as_deref().is_none_or(is_own),
            "the gateway's own session asks for {method:?}"
        );
    }
    Ok(its)
}

/// The session of an exchange: of its request, or opened by its answer.
fn session(exchange: &Exchange) -> Option<String> {
    let answered = exchange.answer.as_ref().and_then(|answer| answer.headers.get("mcp-session-id"));
    let id = exchange.headers.get("mcp-session-id").or(answered)?;
    Some(String::from_utf8_lossy(id.as_bytes()).into_owned())
}

fn steps(server: Server) -> Vec<Step> {
    let mut steps: Vec<Step> =
        ["tools/list", "resources/list", "resources/templates/list", "prompts/list", "ping"]
            .map(|method| step(method, json!({})))
            .into();
    steps.extend(match server {
        Server::Everything => steps_of_everything(),
        Server::Python => steps_of_python(),
    });
    steps
}

fn steps_of_everything() -> Vec<Step> {
    let text = "demo://resource/dynamic/text/1";
    let page = "https://example.com/consent";
    vec![
        step("logging/setLevel", json!({ "level": "debug" })),
        call("echo", json!({ "message": "hi \u{1f600} \"é\"" })),
        call("get-sum", json!({ "a": 1.5, "b": 2 })),
        call("get-sum", json!({ "a": "no number" })),
        call("nobody-has-this", json!({})),
        call("get-structured-content", json!({ "location": "New York" })),
        call("get-annotated-message", json!({ "messageType": "error", "includeImage": true })),
        call("get-resource-links", json!({ "count": 2 })),
        call("get-resource-reference", json!({ "resourceType": "Text", "resourceId": 1 })),
        call("get-tiny-image", json!({})),
        call("trigger-long-running-operation", json!({ "duration": 0.06, "steps": 3 })),
        call("trigger-elicitation-request", json!({})),
        call("trigger-url-elicitation", json!({ "url": page, "elicitationId": "mine" })),
        call(
            "trigger-url-elicitation",
            json!({ "url": page, "elicitationId": "other", "errorPath": true }),
        ),
        call("trigger-sampling-request", json!({ "prompt": "hi", "maxTokens": 10 })),
        call("get-roots-list", json!({})),
        step("prompts/get", json!({ "name": "simple-prompt" })),
        step("prompts/get", json!({ "name": "args-prompt", "arguments": { "city": "Paris" } })),
        step("prompts/get", json!({ "name": "nobody-has-this" })),
        step("completion/complete", completion("department", "E", json!({}))),
        step(
            "completion/complete",
            completion("name", "A", json!({ "department": "Engineering" })),
        ),
        step("resources/read", json!({ "uri": text })),
        step("resources/read", json!({ "uri": "demo://resource/static/document/features.md" })),
        step("resources/read", json!({ "uri": "nobody://has/this" })),
        telling("resources/subscribe", json!({ "uri": text }), "notifications/message"),
        telling(
            "tools/call",
            json!({ "name": "toggle-subscriber-updates" }),
            "notifications/resources/updated",
        ),
        call("toggle-subscriber-updates", json!({})),
        telling("resources/unsubscribe", json!({ "uri": text }), "notifications/message"),
    ]
}

fn completion(argument: &str, value: &str, context: Value) -> Value {
    json!({
        "ref": { "type": "ref/prompt", "name": "completable-prompt" },
        "argument": { "name": argument, "value": value },
        "context": { "arguments": context },
    })
}

fn steps_of_python() -> Vec<Step> {
    let note = "note://hello";
    let reference = json!({ "type": "ref/resource", "uri": "note://{name}/text" });
    vec![
        step("logging/setLevel", json!({ "level": "info" })),
        call("greet", json!({ "name": "Ada" })),
        call("greet", json!({ "nobody": "Ada" })),
        call("nobody_has_this", json!({})),
        call("count", json!({ "to": 3 })),
        call("log", json!({})),
        call("ask", json!({})),
        call("sample", json!({})),
        call("clock", json!({})),
        step("prompts/get", json!({ "name": "introduce", "arguments": { "name": "Ada" } })),
        step("prompts/get", json!({ "name": "nobody_has_this" })),
        step(
            "completion/complete",
            json!({ "ref": reference, "argument": { "name": "name", "value": "A" } }),
        ),
        step("resources/read", json!({ "uri": note })),
        step("resources/read", json!({ "uri": "note://Ada/text" })),
        step("resources/read", json!({ "uri": "ui://python/clock.html" })),
        step("resources/read", json!({ "uri": "nobody://has/this" })),
        step("resources/subscribe", json!({ "uri": note })),
        telling("tools/call", json!({ "name": "change" }), "notifications/resources/updated"),
        step("resources/unsubscribe", json!({ "uri": note })),
        telling("tools/call", json!({ "name": "grow" }), "notifications/tools/list_changed"),
        step("tools/list", json!({})),
        telling("tools/call", json!({ "name": "shrink" }), "notifications/tools/list_changed"),
        step("tools/list", json!({})),
    ]
}

fn call(tool: &str, arguments: Value) -> Step {
    step("tools/call", json!({ "name": tool, "arguments": arguments }))
}

fn step(method: &'static str, params: Value) -> Step {
    Step { method, params, told: None }
}

fn telling(method: &'static str, params: Value, told: &'static str) -> Step {
    Step { method, params, told: Some(told) }
}
