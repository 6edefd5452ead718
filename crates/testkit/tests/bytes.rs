//! Calls are bytes: outside the id, the progress token and the name, a request and its answer arrive as they were sent,
//! over every transport and framing.

use std::path::Path;

use serde_json::Value;
use testkit::{Framing, Gateway, RawServer, Wire};

/// Members that nobody knows, in an order that nobody sorts, with numbers and escapes that a parser would change.
const ARGUMENTS: &str = r#"{"z":1,"a":{"big":123456789012345678901234567890,"tiny":1.10e-30,"minus":-0.0,"one":1.0},"escapes":"\u0041\/\ud83d\ude00 \"é\"","empty":{}, "spaced" : [ 1 ,2 ]}"#;

/// A result of the same kind.
const RESULT: &str = r#"{"x-unknown":{"b":[1,2],"a":null},"content":[{"text":"\u0041\/\ud83d\ude00é","type":"text","x":9007199254740993}],"structuredContent":{"total":123456789012345678901234567890.123,"exponent":1E+2},"isError":false}"#;

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_call_over_streamable_http_with_json_keeps_its_bytes() -> anyhow::Result<()> {
    check(Framing::Json).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_call_over_streamable_http_with_events_keeps_its_bytes() -> anyhow::Result<()> {
    check(Framing::Events).await?;
    check_progress(Framing::Events).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_call_over_http_and_sse_keeps_its_bytes() -> anyhow::Result<()> {
    check(Framing::Sse).await?;
    check_progress(Framing::Sse).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_call_over_stdio_keeps_its_bytes() -> anyhow::Result<()> {
    check(Framing::Stdio).await?;
    check_progress(Framing::Stdio).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn several_mebibytes_pass_both_ways_over_every_framing() -> anyhow::Result<()> {
    for framing in [Framing::Json, Framing::Events, Framing::Sse, Framing::Stdio] {
        let text = "0123456789abcdef".repeat(3 * 65_536);
        let arguments = format!(r#"{{"text":"{text}"}}"#);
        let result = format!(r#"{{"content":[{{"type":"text","text":"{text}{text}"}}]}}"#);
        check_one(framing, &arguments, &result).await?;
    }
    Ok(())
}

async fn check(framing: Framing) -> anyhow::Result<()> {
    check_one(framing, ARGUMENTS, RESULT).await
}

/// One call there and back, whose answer is one message.
async fn check_one(framing: Framing, arguments: &str, result: &str) -> anyhow::Result<()> {
    let (server, _other, gateway) = start(framing).await?;
    let mut wire = opened(&gateway).await?;
    let (sent, asked) =
        tokio::join!(wire.post(request("\"me-1\"", "\"mine\"", "raw_work", arguments)), async {
            let mut call = server.call().await?;
            let (id, token) = (call.request.id(), call.request.progress_token());
            call.send(&answer(&id, result))?;
            let body = call.request.body.clone();
            call.end()?;
            anyhow::Ok((id, token, body))
        });
    let (id, token, body) = asked?;
    anyhow::ensure!(id != "\"me-1\"" && token != "\"mine\"", "ids of ours: {id} {token}");
    same(framing, "request", &body, &request(&id, &token, "work", arguments))?;
    let sent = sent?;
    let text = String::from_utf8(sent.body.to_vec())?;
    let back = if sent.is_event_stream() { events(&text).concat() } else { text };
    same(framing, "answer", &back, &answer("\"me-1\"", result))
}

/// A call whose answer is a progress notification and then the result: the client gets both, in one stream.
async fn check_progress(framing: Framing) -> anyhow::Result<()> {
    let (server, _other, gateway) = start(framing).await?;
    let mut wire = opened(&gateway).await?;
    let (sent, asked) =
        tokio::join!(wire.post(request("7", "\"mine\"", "raw_work", ARGUMENTS)), async {
            let mut call = server.call().await?;
            call.send(&progress(&call.request.progress_token()))?;
            call.send(&answer(&call.request.id(), RESULT))?;
            call.end()
        });
    asked?;
    let sent = sent?;
    anyhow::ensure!(sent.is_event_stream(), "{framing:?}: not an event stream: {sent:?}");
    let text = String::from_utf8(sent.body.to_vec())?;
    let [first, second] = &events(&text)[..] else { anyhow::bail!("two events, not {text}") };
    same(framing, "progress", first, &progress("\"mine\""))?;
    same(framing, "answer", second, &answer("7", RESULT))
}

/// A raw server as one of two targets, so that names are edited too.
async fn start(framing: Framing) -> anyhow::Result<(RawServer, RawServer, Gateway)> {
    let server = RawServer::start(framing).await?;
    let other = RawServer::start(Framing::Json).await?;
    let bridge = Path::new(env!("CARGO_BIN_EXE_stdio-to-tcp"));
    let targets = format!("{}{}", server.target("raw", bridge), other.target("other", bridge));
    let gateway = Gateway::native(&format!("targets:\n{targets}")).await?;
    Ok((server, other, gateway))
}

async fn opened(gateway: &Gateway) -> anyhow::Result<Wire> {
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    let tools = wire.tools().await?;
    let log = gateway.process.log.all().join("\n");
    anyhow::ensure!(tools.contains(&"raw_work".to_owned()), "{tools:?}\n{log}");
    Ok(wire)
}

fn request(id: &str, token: &str, name: &str, arguments: &str) -> String {
    format!(
        r#"{{"x-first":{{"k":1e2}},"params":{{"_meta":{{"y":"\u00e9","progressToken":{token},"a":[]}},"arguments":{arguments},"name":"{name}","x-last":0.10}},"method":"tools/call", "id":{id} ,"jsonrpc":"2.0"}}"#
    )
}

fn answer(id: &str, result: &str) -> String {
    format!(r#"{{"result":{result},"jsonrpc":"2.0","id":{id},"x-extra":[1.50]}}"#)
}

fn progress(token: &str) -> String {
    format!(
        r#"{{"method":"notifications/progress","params":{{"message":"\u0041","x-more":{{}},"progress":1.0,"progressToken":{token},"total":3}},"jsonrpc":"2.0"}}"#
    )
}

fn events(text: &str) -> Vec<String> {
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter(|data| serde_json::from_str::<Value>(data).is_ok()).map(str::to_owned).collect()
}

fn same(framing: Framing, what: &str, got: &str, wanted: &str) -> anyhow::Result<()> {
    if got == wanted {
        return Ok(());
    }
    let place = got.bytes().zip(wanted.bytes()).take_while(|(a, b)| a == b).count();
    let around = |text: &str| {
        let bytes = text.bytes().skip(place.saturating_sub(40)).take(120).collect::<Vec<_>>();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    anyhow::bail!(
        "{framing:?}: the {what} differs from byte {place} on:\n got    …{}…\n wanted …{}…",
        around(got),
        around(wanted)
    )
}
