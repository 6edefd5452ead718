//! Messages as a test writes them, and both ends of a call in mid-stream.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::raw::{Host, RawCall, Visit};
use crate::wire::{EventStream, Wire};

/// The legacy revisions.
pub const REVISIONS: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// A request; `id` is raw JSON.
pub fn request(id: &str, method: &str, params: &Value) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}

/// A notification.
pub fn notification(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "method": method, "params": params }).to_string()
}

/// The result of a request with this id.
pub fn response(id: &Value, result: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string()
}

/// A call of `tool`, whose progress token is its id.
pub fn tool_call(id: &str, tool: &str) -> String {
    let token: Value = serde_json::from_str(id).unwrap_or_default();
    let meta = json!({ "progressToken": token });
    request(id, "tools/call", &json!({ "name": tool, "arguments": {}, "_meta": meta }))
}

/// The progress of a call, by its raw token.
pub fn progress(token: &str, progress: u64) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{progress}}}}}"#
    )
}

/// A call in mid-stream: the client reads its stream, and has had one progress notification.
pub async fn in_mid_stream(
    wire: &mut Wire,
    host: &Host,
    id: &str,
    tool: &str,
) -> anyhow::Result<(EventStream, RawCall)> {
    let body = tool_call(id, tool);
    let (reading, call) = tokio::join!(wire.post_and_read(body), async {
        let mut call = host.call().await?;
        call.send(&progress(&call.request.progress_token(), 1))?;
        anyhow::Ok(call)
    });
    let mut stream = reading?.events()?;
    stream.method("notifications/progress").await?;
    Ok((stream, call?))
}

/// A call that is answered at once, so that the session of `wire` is open at its target.
pub async fn one_call(wire: &mut Wire, host: &Host, tool: &str) -> anyhow::Result<Arc<Visit>> {
    let (answer, visit) = tokio::join!(wire.post(tool_call("\"first\"", tool)), async {
        let call = host.call().await?;
        let visit = host.visit_of(&call.request)?;
        call.result(&json!({ "content": [] }))?;
        anyhow::Ok(visit)
    });
    let answer = answer?;
    anyhow::ensure!(answer.status.is_success(), "{answer:?}");
    visit
}

/// A gateway in front of these targets.
pub async fn gateway_of(hosts: &[(&str, &Host)], more: &str) -> anyhow::Result<Gateway> {
    let targets: String = hosts.iter().map(|(name, host)| host.target(name)).collect();
    Gateway::native(&format!("{more}targets:\n{targets}")).await
}
