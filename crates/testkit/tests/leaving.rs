//! A client that leaves: what happens upstream is what its revision says, and the access log tells it.
//! Up to 2025-11-25 a disconnect is no cancellation: the call goes on.

use std::path::Path;

use serde_json::json;
use testkit::{Framing, Gateway, RawServer, Wire};
use tokio::task::JoinHandle;

const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_client_that_leaves_before_the_head_does_not_end_its_call() -> anyhow::Result<()> {
    for framing in [Framing::Json, Framing::Events, Framing::Sse, Framing::Stdio] {
        for revision in REVISIONS {
            let (server, gateway) = start(framing).await?;
            let wire = Wire::open(&gateway.url("/mcp"), revision).await?;
            let session = wire.session.clone();
            let leaving = calling(wire, "left");
            let mut call = server.call().await?;
            leaving.abort();
            said(&gateway, "client_left_before_head").await?;
            call.send(&result(&call.request.id()))?;
            call.end()?;
            check_goes_on(&server, &gateway, session).await?;
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_client_that_leaves_in_mid_stream_does_not_end_its_call() -> anyhow::Result<()> {
    for framing in [Framing::Events, Framing::Sse, Framing::Stdio] {
        for revision in REVISIONS {
            let (server, gateway) = start(framing).await?;
            let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
            let session = wire.session.clone();
            let (reading, call) = tokio::join!(wire.post_and_read(call_of("left")), async {
                let mut call = server.call().await?;
                call.send(&progress(&call.request.progress_token()))?;
                anyhow::Ok(call)
            });
            let (mut reading, mut call) = (reading?, call?);
            reading.up_to("notifications/progress").await?;
            drop((reading, wire));
            // An answer is dropped when it cannot be written: the next event shows that nobody reads.
            call.send(&progress(&call.request.progress_token()))?;
            said(&gateway, "client_left_mid_stream").await?;
            call.send(&result(&call.request.id()))?;
            call.end()?;
            check_goes_on(&server, &gateway, session).await?;
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_client_that_leaves_after_the_result_has_had_it_all() -> anyhow::Result<()> {
    for framing in [Framing::Json, Framing::Events, Framing::Sse, Framing::Stdio] {
        for revision in REVISIONS {
            let (server, gateway) = start(framing).await?;
            let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
            let session = wire.session.clone();
            let (answer, answered) = tokio::join!(wire.post(call_of("left")), async {
                let mut call = server.call().await?;
                call.send(&result(&call.request.id()))?;
                call.end()
            });
            answered?;
            anyhow::ensure!(answer?.status.is_success(), "no answer");
            drop(wire);
            said(&gateway, "complete").await?;
            check_goes_on(&server, &gateway, session).await?;
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_call_that_its_client_cancels_is_cancelled_upstream() -> anyhow::Result<()> {
    for framing in [Framing::Json, Framing::Events, Framing::Sse, Framing::Stdio] {
        let (server, gateway) = start(framing).await?;
        let wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
        let mut second = Wire::new(&gateway.url("/mcp"))?;
        second.session = wire.session.clone();
        let calling = calling(wire, "cancelled");
        let call = server.call().await?;
        let cancel = json!({
            "jsonrpc": "2.0", "method": "notifications/cancelled",
            "params": { "requestId": "cancelled", "reason": "enough" },
        });
        second.post(cancel.to_string()).await?;
        let cancelled = server.sees("notifications/cancelled").await?;
        let message = cancelled.message();
        let id = message.pointer("/params/requestId").map(ToString::to_string);
        assert_eq!(id, Some(call.request.id()), "the id that the target knows");
        calling.abort();
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_session_that_is_deleted_cancels_its_calls_upstream() -> anyhow::Result<()> {
    for framing in [Framing::Json, Framing::Events, Framing::Sse, Framing::Stdio] {
        let (server, gateway) = start(framing).await?;
        let wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
        let mut second = Wire::new(&gateway.url("/mcp"))?;
        second.session = wire.session.clone();
        let calling = calling(wire, "deleted");
        let call = server.call().await?;
        anyhow::ensure!(second.delete().await?.status.is_success(), "not deleted");
        let cancelled = server.sees("notifications/cancelled").await?;
        let id = cancelled.message().pointer("/params/requestId").map(ToString::to_string);
        assert_eq!(id, Some(call.request.id()), "the id that the target knows");
        let again = second.post(call_of("late")).await?;
        assert_eq!(again.status.as_u16(), 404, "a session that is gone");
        calling.abort();
    }
    Ok(())
}

/// The session still works, on the target's same session, and nobody was told to stop.
async fn check_goes_on(
    server: &RawServer,
    gateway: &Gateway,
    session: Option<String>,
) -> anyhow::Result<()> {
    let mut again = Wire::new(&gateway.url("/mcp"))?;
    again.session = session;
    // The catalog for what this client declared has its own session, which is open when it has been read.
    assert_eq!(again.tools().await?, ["work"]);
    let opened = server.count("initialize");
    let (answer, answered) = tokio::join!(again.post(call_of("again")), async {
        let mut call = server.call().await?;
        call.send(&result(&call.request.id()))?;
        call.end()
    });
    answered?;
    let text = String::from_utf8(answer?.body.to_vec())?;
    anyhow::ensure!(text.contains("\"again\"") && text.contains("done"), "{text}");
    assert_eq!(server.count("notifications/cancelled"), 0, "nobody cancelled anything");
    assert_eq!(server.count("initialize"), opened, "the target's session goes on");
    Ok(())
}

async fn start(framing: Framing) -> anyhow::Result<(RawServer, Gateway)> {
    let server = RawServer::start(framing).await?;
    let bridge = Path::new(env!("CARGO_BIN_EXE_stdio-to-tcp"));
    let document = format!("targets:\n{}", server.target("raw", bridge));
    let gateway = Gateway::native(&document).await?;
    // The session of the catalog that is there without clients, so that later ones are counted right.
    server.sees("initialize").await?;
    Ok((server, gateway))
}

/// Calls from a task that can be aborted: its connection closes with it.
fn calling(mut wire: Wire, id: &str) -> JoinHandle<()> {
    let body = call_of(id);
    tokio::spawn(async move {
        // Whoever aborts this does not want the answer.
        let _ = wire.post(body).await;
    })
}

async fn said(gateway: &Gateway, ending: &str) -> anyhow::Result<()> {
    let what = format!("an access line of a call that ended as {ending}");
    let is_it =
        |line: &str| line.contains("tool=work") && line.contains(&format!("ended={ending}"));
    gateway.access_line(&what, is_it).await.map(drop)
}

fn call_of(id: &str) -> String {
    json!({
        "jsonrpc": "2.0", "id": id, "method": "tools/call",
        "params": { "name": "work", "arguments": {}, "_meta": { "progressToken": "mine" } },
    })
    .to_string()
}

fn result(id: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":"done"}}]}}}}"#
    )
}

fn progress(token: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":1}}}}"#
    )
}
