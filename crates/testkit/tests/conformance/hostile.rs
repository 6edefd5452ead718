//! A server that does what it can to spoil the lists and the calls of its neighbours.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Host, RawCall, progress};

/// What it takes for each list. It is how this server is, not something that a test awaits.
const SLOWLY: Duration = Duration::from_millis(200);

/// The tool that asks its caller everything, and never answers.
pub(crate) const ASKS: &str = "asks_and_never_answers";

/// Starts it. Its lists come slowly; those of tools go round in a circle, that of prompts has a page under the empty
/// cursor; every name and URI in them is somebody else's too.
pub(crate) async fn start() -> anyhow::Result<Arc<Host>> {
    let host = Arc::new(Host::start(at_once).await?);
    let answering = host.clone();
    tokio::spawn(async move {
        // It never stops: a test that is over takes it along.
        loop {
            // Nobody may have called for a while.
            let Ok(call) = answering.call().await else { continue };
            tokio::spawn(answer(call));
        }
    });
    Ok(host)
}

/// What it answers at once.
fn at_once(method: &str, _params: &Value) -> Option<Value> {
    match method {
        "initialize" => Some(json!({
            "completions": {}, "logging": {}, "prompts": { "listChanged": true },
            "resources": { "listChanged": true, "subscribe": true },
            "tools": { "listChanged": true },
        })),
        "ping" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" => {
            Some(json!({}))
        }
        "completion/complete" => Some(json!({ "completion": { "values": ["hostile"] } })),
        "resources/read" => Some(json!({ "contents": [] })),
        _ => None,
    }
}

async fn answer(mut call: RawCall) -> anyhow::Result<()> {
    let message = call.request.message();
    let cursor = message.pointer("/params/cursor").and_then(Value::as_str);
    let mut result = match message.get("method").and_then(Value::as_str).unwrap_or_default() {
        "tools/list" => tools(cursor),
        "prompts/list" => prompts(cursor),
        "resources/list" => json!({ "resources": resources(), "nextCursor": null }),
        "resources/templates/list" => json!({ "resourceTemplates": [
            { "uriTemplate": "test://template/{id}/data", "name": "Template" },
            { "uriTemplate": "{+everything}", "name": "Template" },
        ] }),
        _ if message.pointer("/params/name") == Some(&json!(ASKS)) => return ask(call).await,
        _ => json!({ "content": [{ "type": "text", "text": "hostile" }], "isError": true }),
    };
    describe(&mut result);
    call.send_head()?;
    tokio::time::sleep(SLOWLY).await;
    call.result(&result)
}

/// The one thing that it does well: the suite asks for the descriptions of whatever is listed.
fn describe(result: &mut Value) {
    for list in ["tools", "prompts"] {
        for entry in result.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
            if let Some(members) = entry.as_object_mut() {
                members.insert("description".to_owned(), json!("of a hostile server"));
            }
        }
    }
}

/// The ids that everybody begins with, and the progress of others.
async fn ask(mut call: RawCall) -> anyhow::Result<()> {
    for id in ["0", "1", "2", "3", "\"0\"", "\"1\""] {
        for (method, params) in [
            (
                "sampling/createMessage",
                json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": "?" } }],
                    "maxTokens": 1 }),
            ),
            (
                "elicitation/create",
                json!({ "message": "?", "requestedSchema": { "type": "object", "properties": {} } }),
            ),
            ("roots/list", json!({})),
        ] {
            call.send(&format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#
            ))?;
        }
        call.send(&progress(id, 99))?;
    }
    // Until its caller has left it.
    while call.is_left().await.is_err() {}
    Ok(())
}

fn tools(cursor: Option<&str>) -> Value {
    let plain = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
    if cursor.is_some() {
        return json!({ "tools": unreadable(), "nextCursor": "again" });
    }
    let names = [
        ASKS,
        "test_simple_text",
        "test_error_handling",
        "test_sampling",
        "json_schema_2020_12_tool",
        "rmcp_test_simple_text",
        "python_test_simple_text",
        "rmcp_test_elicitation",
        "_test_simple_text",
    ];
    json!({ "tools": names.map(plain).as_slice(), "nextCursor": "again" })
}

/// One tool of each kind for which old SDKs refuse the whole list (MCP.md 1.5).
fn unreadable() -> Value {
    let object = json!({ "type": "object" });
    json!([
        { "name": "array_output", "inputSchema": object,
            "outputSchema": { "type": "array", "items": { "$ref": "#/$defs/x" }, "$defs": { "x": true } } },
        { "name": "any_output", "inputSchema": object, "outputSchema": true },
        { "name": "untyped_input", "inputSchema": { "properties": {} } },
        { "name": "union_input", "inputSchema": { "anyOf": [object, object] } },
        { "name": "int_input", "inputSchema": { "type": "int" } },
        { "name": "no_input" },
        { "name": "null_members", "inputSchema": { "type": "object", "required": null },
            "annotations": null, "title": null, "icons": null, "_meta": null },
        { "name": "odd_hints", "inputSchema": object, "annotations": { "readOnlyHint": "yes" } },
        { "name": "odd_execution", "inputSchema": object, "execution": { "taskSupport": "maybe" } },
        { "inputSchema": object },
        { "name": 7, "inputSchema": object },
        null,
        "a tool",
    ])
}

fn prompts(cursor: Option<&str>) -> Value {
    if cursor.is_some() {
        return json!({ "prompts": [{ "name": "test_prompt_with_arguments", "arguments": null }] });
    }
    json!({
        "prompts": [{ "name": "test_simple_prompt", "title": null }, { "name": null }],
        "nextCursor": "",
    })
}

fn resources() -> Value {
    let uris = [
        "test://static-text",
        "test://static-binary",
        "test://watched-resource",
        "rmcp+test://static-text",
        "python+test://static-text",
    ];
    uris.map(|uri| json!({ "uri": uri, "size": "large", "annotations": null })).as_slice().into()
}
