//! What one endpoint makes of clients of several revisions: batches, the header that names one, requests without a
//! session.

use anyhow::Context;
use serde_json::json;
use testkit::{Caller, CallerKind, Front, REVISIONS, Wire, notification, request, tool_call};

use crate::behaviour::{Behaviour, Reason, everywhere};
use crate::cell::Cell;

pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        number: 26,
        name: "A batch is answered in 2025-03-26, and an invalid request in any other revision",
        meaning: "A batch of a notification, a ping and a call of each of two targets: all answers come. Elsewhere it is \
                  -32600, and no target hears of it.",
        file: file!(),
        without: everywhere,
        check: |cell| Box::pin(batch(cell)),
    },
    Behaviour {
        number: 26,
        name: "The header that names a revision is taken, absent or of any legacy one",
        meaning: "In a session, calls without `MCP-Protocol-Version` and with any legacy one are answered, and an unknown \
                  one is 400. Without a session, it decides whether there are batches; absent, it means 2025-03-26.",
        file: file!(),
        without: no_header,
        check: |cell| Box::pin(header(cell)),
    },
    Behaviour {
        number: 26,
        name: "Requests without a session have their own answers",
        meaning: "DELETE is 405, and so is GET that names a revision or takes anything; GET with `Last-Event-ID` is 400; \
                  GET that takes events and says nothing else is a client of HTTP+SSE; `initialize` in a batch is -32600.",
        file: file!(),
        without: |cell| (cell.client == CallerKind::Stdio).then_some(&NO_HTTP),
        check: |cell| Box::pin(without_session(cell)),
    },
];

const NO_HEADER: Reason = Reason {
    label: "no-header",
    text: "Only clients of streamable HTTP have the header `MCP-Protocol-Version`.",
};

const NO_HTTP: Reason = Reason { label: "no-http", text: "A pipe has neither GET nor DELETE." };

fn no_header(cell: Cell) -> Option<&'static Reason> {
    (!cell.client.is_streamable()).then_some(&NO_HEADER)
}

async fn batch(cell: Cell) -> anyhow::Result<()> {
    let (a, b, front) = cell.two_targets().await?;
    let mut caller = front.open().await?;
    let unheard = notification("notifications/cancelled", &json!({ "requestId": "nothing" }));
    let ping = request("\"ping\"", "ping", &json!({}));
    let calls = [tool_call("1", "a_work"), tool_call("\"1\"", "b_work")].join(",");
    let body = format!("[{unheard},{ping},{calls}]");
    if cell.revision() != "2025-03-26" {
        caller.send(&body).await?;
        caller.hears("-32600", |heard| heard.at("/error/code") == -32600).await?;
        let called = [&a, &b].map(|host| host.count("tools/call"));
        anyhow::ensure!(called == [0, 0], "a target heard of it: {called:?}");
        return Ok(());
    }
    let (sent, answered) = tokio::join!(caller.send(&body), async {
        for (host, name) in [(&a, "a"), (&b, "b")] {
            host.call().await?.result(&json!({ "content": [], "of": name }))?;
        }
        anyhow::Ok(())
    });
    sent.and(answered)?;
    for (id, of) in [("1", json!("a")), ("\"1\"", json!("b")), ("\"ping\"", json!(null))] {
        let answer = caller.hears(id, |heard| heard.answers(id)).await?;
        anyhow::ensure!(answer.at("/result/of") == of, "{id}: {answer:?}");
    }
    Ok(())
}

async fn header(cell: Cell) -> anyhow::Result<()> {
    let (a, _b, front) = cell.two_targets().await?;
    let caller = front.open().await?;
    let mut named: Vec<Option<&str>> = REVISIONS.into_iter().map(Some).collect();
    named.push(None);
    for revision in &named {
        let headers = revision.map(|revision| ("mcp-protocol-version", revision));
        let mut wire = caller.wire()?;
        let (answer, answered) =
            tokio::join!(wire.post_with(tool_call("1", "a_work"), headers.as_slice()), async {
                a.call().await?.result(&json!({ "content": [] }))
            });
        answered?;
        let answer = answer?;
        anyhow::ensure!(answer.status.is_success(), "{revision:?}: {answer:?}");
    }
    let unknown = [("mcp-protocol-version", "1999-01-01")];
    let ping = request("1", "ping", &json!({}));
    let answer = caller.wire()?.post_with(ping.clone(), &unknown).await?;
    anyhow::ensure!(answer.status.as_u16() == 400, "{answer:?}");
    let batch = format!("[{ping}]");
    for revision in named {
        let headers = revision.map(|revision| ("mcp-protocol-version", revision));
        let answer = nobody(&front)?.post_with(batch.clone(), headers.as_slice()).await?;
        let is_taken = !String::from_utf8_lossy(&answer.body).contains("-32600");
        let has_batches = revision.is_none_or(|revision| revision == "2025-03-26");
        anyhow::ensure!(is_taken == has_batches, "{revision:?}: {answer:?}");
    }
    Ok(())
}

async fn without_session(cell: Cell) -> anyhow::Result<()> {
    let (_a, _b, front) = cell.two_targets().await?;
    // Somebody else's session changes nothing.
    let _caller: Caller = front.open().await?;
    let status = nobody(&front)?.delete().await?.status;
    anyhow::ensure!(status.as_u16() == 405, "DELETE: {status}");
    for (headers, wanted) in [
        ([("mcp-protocol-version", cell.revision())], 405),
        ([("accept", "*/*")], 405),
        ([("last-event-id", "1-1")], 400),
    ] {
        let status = nobody(&front)?.get_with(&headers).await?.status;
        anyhow::ensure!(status.as_u16() == wanted, "GET with {headers:?}: {status}");
    }
    let mut wire = nobody(&front)?;
    let mut events = wire.get_with(&[("accept", "text/event-stream")]).await?.events()?;
    let (first, _) = events.message().await?;
    anyhow::ensure!(first.data.starts_with("/mcp?"), "a client of HTTP+SSE is told: {first:?}");
    let hello = request("1", "initialize", &json!({ "protocolVersion": cell.revision() }));
    let answer = nobody(&front)?.post(format!("[{hello}]")).await?;
    let text = String::from_utf8_lossy(&answer.body);
    anyhow::ensure!(text.contains("-32600"), "`initialize` in a batch: {text}");
    Ok(())
}

/// A client without a session.
fn nobody(front: &Front) -> anyhow::Result<Wire> {
    Wire::new(&front.url().context("no endpoint")?)
}
