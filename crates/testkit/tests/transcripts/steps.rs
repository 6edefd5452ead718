//! What a client does in a transcript, one request after the other.

use serde_json::{Value, json};
use testkit::PlayerKind;

use crate::exceptions::Server;

/// One request of a client, and what else it is told because of it, if anything.
pub(crate) struct Step {
    pub(crate) method: &'static str,
    pub(crate) params: Value,
    pub(crate) told: Option<&'static str>,
    /// Whether the client cancels it, as soon as the server has it and the client was told what it is told.
    pub(crate) is_cancelled: bool,
}

/// Stands for the id of the last task that the server made, where a step has it as `taskId`.
pub(crate) const THE_TASK: &str = "the task";

/// Everything that the client asks of the server.
pub(crate) fn steps(client: PlayerKind, server: Server) -> Vec<Step> {
    let mut steps: Vec<Step> =
        ["tools/list", "resources/list", "resources/templates/list", "prompts/list", "ping"]
            .map(|method| step(method, json!({})))
            .into();
    match server {
        Server::Everything => {
            steps.extend(steps_of_everything());
            steps.push(cancelled(
                "trigger-long-running-operation",
                json!({ "duration": 3600, "steps": 1 }),
            ));
            if has_tasks(client) {
                steps.extend(steps_with_tasks());
            }
            // `mcp-remote` passes the task's status and the answer on at once, in the order in which it happens to.
            if has_tasks(client) && client != PlayerKind::McpRemote {
                steps.push(call("trigger-elicitation-request-async", json!({})));
            }
        }
        Server::Python => {
            steps.extend(steps_of_python());
            steps.push(Step {
                told: Some("notifications/progress"),
                ..cancelled("wait", json!({}))
            });
        }
    }
    // The session goes on.
    steps.push(step("prompts/list", json!({})));
    steps
}

/// Whether a client can do the tasks of 2025-11-25, which left the specification again.
fn has_tasks(client: PlayerKind) -> bool {
    match client {
        PlayerKind::TypeScript | PlayerKind::TypeScriptOverSse | PlayerKind::McpRemote => true,
        PlayerKind::Python | PlayerKind::PythonOverSse | PlayerKind::Rmcp => false,
    }
}

/// One task that asks and is awaited, and one that is cancelled.
fn steps_with_tasks() -> Vec<Step> {
    let task = json!({ "taskId": THE_TASK });
    let research = json!({
        "name": "simulate-research-query",
        "arguments": { "topic": "gateways", "ambiguous": true },
        "task": { "ttl": 60_000 },
    });
    vec![
        step("tools/call", research.clone()),
        step("tasks/result", task.clone()),
        step("tasks/get", task.clone()),
        step("tools/call", research),
        step("tasks/cancel", task.clone()),
        step("tasks/get", task),
        step("tasks/get", json!({ "taskId": "nobody has this" })),
        step("tasks/list", json!({})),
    ]
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
    Step { method, params, told: None, is_cancelled: false }
}

fn telling(method: &'static str, params: Value, told: &'static str) -> Step {
    Step { told: Some(told), ..step(method, params) }
}

fn cancelled(tool: &str, arguments: Value) -> Step {
    Step { is_cancelled: true, ..call(tool, arguments) }
}
