//! What many behaviours begin with.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::{Caller, Heard, Host, HostKind, RawCall, Visit, progress, request, tool_call};

/// A call in mid-stream: the client has had one progress notification of it.
pub(crate) async fn in_mid_stream(
    caller: &mut Caller,
    host: &Host,
    id: &str,
    tool: &str,
) -> anyhow::Result<RawCall> {
    caller.send(&tool_call(id, tool)).await?;
    let mut call = host.call().await?;
    call.send(&progress(&call.request.progress_token(), 1))?;
    let heard = caller.hears("the first progress", |heard| is_progress(heard, id, 1)).await?;
    anyhow::ensure!(heard.place == caller.kind.place_of(id), "{heard:?}");
    Ok(call)
}

/// A call that is answered at once, so that the client's session is open at its target.
pub(crate) async fn one_call(
    caller: &mut Caller,
    host: &Host,
    id: &str,
    tool: &str,
) -> anyhow::Result<Arc<Visit>> {
    caller.send(&tool_call(id, tool)).await?;
    let call = host.call().await?;
    let visit = host.visit_of(&call.request)?;
    call.result(&json!({ "content": [] }))?;
    let answer = caller.answer(id).await?;
    anyhow::ensure!(!answer.at("/result").is_null(), "{answer:?}");
    Ok(visit)
}

/// Whether this is the progress of the call with this raw id.
pub(crate) fn is_progress(heard: &Heard, id: &str, step: u64) -> bool {
    let is_its = |token: Value| heard.at("/params/progressToken") == token;
    heard.is("notifications/progress")
        && serde_json::from_str(id).is_ok_and(is_its)
        && heard.at("/params/progress") == step
}

/// Everything that was said outside of calls has been heard by the gateway, and what it said to the client before by
/// the client: a ping goes the same way.
pub(crate) async fn settled(caller: &mut Caller, host: &Host, visit: &Visit) -> anyhow::Result<()> {
    if host.kind != HostKind::NoSessions {
        let id = format!("\"ping-{}\"", visit.requests.all().len());
        visit.say(&request(&id, "ping", &json!({}))).await?;
        visit.answer(&id).await?;
    }
    let answer = caller.request("ping", json!({})).await?;
    anyhow::ensure!(answer.at("/result") == json!({}), "{answer:?}");
    Ok(())
}

/// A list of tools of these names.
pub(crate) fn tools(names: &[&str]) -> Value {
    let tools =
        names.iter().map(|name| json!({ "name": name, "inputSchema": { "type": "object" } }));
    tools.collect()
}
