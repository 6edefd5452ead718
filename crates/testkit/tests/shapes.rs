//! What a client of an older revision, or a strict one, gets instead of what it could not read: one sloppy or newer tool
//! costs it neither the list nor the result (MCP.md 1.5, and 7, test 23).

use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Gateway, Host, Peers, REVISIONS, Wire, gateway_of, output, repository};
use tokio::process::Command;

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn typescripts_client_reads_what_newer_and_sloppier_servers_say() -> anyhow::Result<()> {
    let (a, b) = (Host::start(newer).await?, Host::start(newer).await?);
    let (a, b) = (refusing(a), refusing(b));
    let several = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for target in ["a", "b"] {
        let prefix = format!("{target}_");
        let seen = seen(&several, &prefix).await?;
        check_seen(&seen, &prefix).with_context(|| format!("{target} among several"))?;
        check_content(&seen, &prefix).with_context(|| format!("{target} among several"))?;
    }
    let one = gateway_of(&[("a", &a)], "").await?;
    // What an only target gives is its own affair, as long as a list is not lost for it.
    check_seen(&seen(&one, "").await?, "").context("an only target")
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_structured_result_is_what_each_revision_has_of_it() -> anyhow::Result<()> {
    let (a, b) = (Host::start(newer).await?, Host::start(newer).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let is_structured = revision >= "2025-06-18";
        let listed = wire.tool_list().await?;
        for case in CASES {
            let value: Value = serde_json::from_str(case.value)?;
            let name = format!("a_{}", case.tool);
            let schema = entry(&listed, "tools", &name)?.get("outputSchema");
            let result = wire.call(&name, json!({})).await?;
            let structured = result.pointer("/result/structuredContent");
            if is_structured {
                let wanted: Value = serde_json::from_str(case.listed)?;
                assert_eq!(schema, Some(&wanted), "{revision} {name}");
                assert_eq!(structured, Some(&case.given(&value)), "{revision} {name}: {result}");
            } else {
                assert_eq!((schema, structured), (None, None), "{revision} {name}: {result}");
            }
            // Who does not see the structured content reads it as text.
            let text = result.pointer("/result/content/0/text").and_then(Value::as_str);
            let text = text.with_context(|| format!("{revision} {name}: {result}"))?;
            assert_eq!(serde_json::from_str::<Value>(text)?, value, "{revision} {name}: {result}");
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn content_of_a_kind_that_a_revision_has_not_is_text() -> anyhow::Result<()> {
    let (a, b) = (Host::start(newer).await?, Host::start(newer).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let tool = wire.call("a_content", json!({})).await?;
        let blocks = tool.pointer("/result/content").and_then(Value::as_array).cloned();
        let prompt = wire.request("prompts/get", json!({ "name": "a_content" })).await?;
        let messages = prompt.pointer("/result/messages").and_then(Value::as_array);
        let messages = messages.with_context(|| format!("{prompt}"))?;
        let said = messages.iter().filter_map(|message| message.get("content").cloned());
        for blocks in [blocks.with_context(|| format!("{tool}"))?, said.collect()] {
            let kinds: Vec<&str> =
                blocks.iter().filter_map(|block| block.get("type")?.as_str()).collect();
            let audio = if revision >= "2025-03-26" { "audio" } else { "text" };
            let link = if revision >= "2025-06-18" { "resource_link" } else { "text" };
            assert_eq!(kinds, ["text", "image", audio, link, "resource", "text"], "{revision}");
            if link == "text" {
                let told = blocks.get(3).and_then(|block| block.get("text"));
                assert_eq!(told, Some(&json!("a link: a+memo:x")), "{revision}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn what_is_withheld_is_named_in_the_list_with_its_reason() -> anyhow::Result<()> {
    let (a, b) = (Host::start(newer).await?, Host::of_one_tool().await?);
    for hosts in [&[("a", &a), ("b", &b)][..], &[("a", &a)]] {
        let gateway = gateway_of(hosts, "").await?;
        for revision in REVISIONS {
            let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
            let told = wire.tool_list().await?;
            let targets = told.pointer("/_meta/dev.portico~1targets").and_then(Value::as_array);
            let targets = targets.with_context(|| format!("{revision}: {told}"))?;
            let [report] = targets.as_slice() else { anyhow::bail!("not one: {targets:?}") };
            assert_eq!(report.get("name"), Some(&json!("a")), "{revision}");
            let withheld = report.get("withheld").and_then(Value::as_array).context("nothing")?;
            let keys: Vec<&str> =
                withheld.iter().filter_map(|entry| entry.get("key")?.as_str()).collect();
            for unreadable in UNREADABLE {
                anyhow::ensure!(keys.contains(&unreadable), "{revision}: {keys:?}");
            }
            anyhow::ensure!(
                withheld.iter().all(|entry| entry.get("reason").is_some_and(Value::is_string)),
                "{revision}: {withheld:?}"
            );
        }
    }
    Ok(())
}

/// A tool whose output clients of 2025-11-25 cannot take as it is.
struct Case {
    tool: &'static str,
    /// Its `outputSchema` as its server has it.
    schema: &'static str,
    /// The same as such a client gets it.
    listed: &'static str,
    /// Its `structuredContent`.
    value: &'static str,
}

impl Case {
    fn is_wrapped(&self) -> bool {
        self.schema != self.listed
    }

    /// What the client gets of its `structuredContent`.
    fn given(&self, value: &Value) -> Value {
        if self.is_wrapped() { json!({ "result": value }) } else { value.clone() }
    }
}

const CASES: &[Case] = &[
    Case {
        tool: "rows",
        schema: r##"{"type":"array","items":{"$ref":"#/$defs/row"},"$defs":{"row":{"type":"object","properties":{"id":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/$defs/row"},{"type":"null"}]}},"required":["id"]}}}"##,
        listed: r##"{"type":"object","properties":{"result":{"type":"array","items":{"$ref":"#/properties/result/$defs/row"},"$defs":{"row":{"type":"object","properties":{"id":{"type":"integer"},"next":{"anyOf":[{"$ref":"#/properties/result/$defs/row"},{"type":"null"}]}},"required":["id"]}}}},"required":["result"]}"##,
        value: r#"[{"id":1,"next":{"id":2,"next":null}},{"id":3}]"#,
    },
    Case {
        tool: "tree",
        schema: r##"{"type":["object","array"],"items":{"$ref":"#"},"additionalProperties":{"$ref":"#"}}"##,
        listed: r##"{"type":"object","properties":{"result":{"type":["object","array"],"items":{"$ref":"#/properties/result"},"additionalProperties":{"$ref":"#/properties/result"}}},"required":["result"]}"##,
        value: r#"[{"a":[]},[{}]]"#,
    },
    Case {
        tool: "referring",
        schema: r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/$defs/name","$defs":{"name":{"type":"string"}}}"##,
        listed: r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"result":{"$schema":"https://json-schema.org/draft/2020-12/schema","$ref":"#/properties/result/$defs/name","$defs":{"name":{"type":"string"}}}},"required":["result"]}"##,
        value: r#""Ada""#,
    },
    Case {
        tool: "number",
        schema: r#"{"type":"number"}"#,
        listed: r#"{"type":"object","properties":{"result":{"type":"number"}},"required":["result"]}"#,
        value: "0",
    },
    Case {
        tool: "null",
        schema: r#"{"type":"null"}"#,
        listed: r#"{"type":"object","properties":{"result":{"type":"null"}},"required":["result"]}"#,
        value: "null",
    },
    Case {
        tool: "anything",
        schema: "true",
        listed: r#"{"type":"object","properties":{"result":{}},"required":["result"]}"#,
        value: "[1]",
    },
    Case {
        tool: "object",
        schema: r##"{"type":"object","properties":{"of":{"$ref":"#/$defs/of"}},"$defs":{"of":{"type":"integer"}}}"##,
        listed: r##"{"type":"object","properties":{"of":{"$ref":"#/$defs/of"}},"$defs":{"of":{"type":"integer"}}}"##,
        value: r#"{"of":1}"#,
    },
];

/// Tools that no client of today reads, and nothing can be done about it.
const UNREADABLE: [&str; 5] =
    ["int_input", "union_input", "array_input", "odd_required", "odd_properties"];

/// Tools that are read when something that means nothing is left out or said.
const REPAIRED: [&str; 13] = [
    "untyped_input",
    "no_input",
    "null_input",
    "null_members",
    "null_inside",
    "odd_hints",
    "odd_execution",
    "odd_output",
    "odd_icons",
    "lost_reference",
    "foreign_reference",
    "boolean_limit",
    "nullable",
];

/// What the TypeScript SDK's client sees of one target's tools; of an only one without prefix.
async fn seen(gateway: &Gateway, prefix: &str) -> anyhow::Result<Value> {
    let peers = Peers::find()?;
    let mut command = Command::new(peers.node());
    command.arg(repository()?.join("tests/peers/sdk.mjs"));
    command.arg(peers.library("@modelcontextprotocol/sdk")?).arg(gateway.url("/mcp"));
    let calls = CASES.iter().map(|case| case.tool).chain(["content", "refuses", "no_input"]);
    command.args(calls.map(|tool| format!("{prefix}{tool}")));
    let said = output("the TypeScript client", command).await?;
    serde_json::from_str(&said).with_context(|| format!("not JSON: {said}"))
}

/// Has a server answer what its rules leave as servers answer what they do not know: without the id.
fn refusing(host: Host) -> Arc<Host> {
    let host = Arc::new(host);
    tokio::spawn(refuse(host.clone()));
    host
}

async fn refuse(host: Arc<Host>) -> anyhow::Result<()> {
    loop {
        // Nobody may have called for a while.
        let Ok(call) = host.call().await else { continue };
        let error = r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"no"},"id":null}"#;
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n";
        let answer = format!("{head}content-length: {}\r\n\r\n{error}", error.len());
        call.send_raw(answer.into_bytes())?;
    }
}

fn check_seen(seen: &Value, prefix: &str) -> anyhow::Result<()> {
    let named = |name: &str| format!("{prefix}{name}");
    for case in CASES {
        let wanted: Value = serde_json::from_str(case.listed)?;
        let tool = entry(seen, "tools", &named(case.tool))?;
        anyhow::ensure!(tool.get("outputSchema") == Some(&wanted), "{tool}");
        let given = case.given(&serde_json::from_str(case.value)?);
        let result =
            seen.pointer(&format!("/results/{}", named(case.tool))).context("no result")?;
        anyhow::ensure!(result.get("structuredContent") == Some(&given), "{}: {result}", case.tool);
    }
    for tool in REPAIRED {
        entry(seen, "tools", &named(tool))?;
    }
    for tool in UNREADABLE {
        anyhow::ensure!(entry(seen, "tools", &named(tool)).is_err(), "`{tool}` is listed");
    }
    let refused = seen.pointer(&format!("/results/{}/refused/code", named("refuses")));
    anyhow::ensure!(refused == Some(&json!(-32000)), "{:?}", seen.get("results"));
    entry(seen, "prompts", &named("null_members"))?;
    let uri = if prefix.is_empty() { "memo:x" } else { &prefix.replace('_', "+memo:x") };
    let resources = seen.get("resources").and_then(Value::as_array).context("no resources")?;
    anyhow::ensure!(
        resources.iter().any(|entry| entry.get("uri") == Some(&json!(uri))),
        "{resources:?}"
    );
    Ok(())
}

/// Neither content of a kind that nobody knows nor a null costs a result.
fn check_content(seen: &Value, prefix: &str) -> anyhow::Result<()> {
    let content = seen.pointer(&format!("/results/{prefix}content/content"));
    let content = content.and_then(Value::as_array).with_context(|| format!("{seen}"))?;
    let kinds: Vec<&str> = content.iter().filter_map(|block| block.get("type")?.as_str()).collect();
    anyhow::ensure!(
        kinds == ["text", "image", "audio", "resource_link", "resource", "text"],
        "{kinds:?}"
    );
    let messages = seen.pointer(&format!("/gotten/{prefix}content/messages"));
    let messages = messages.and_then(Value::as_array).with_context(|| format!("{seen}"))?;
    anyhow::ensure!(messages.len() == kinds.len(), "{messages:?}");
    let uri = prefix.replace('_', "+memo:x");
    let read = seen.get("read").and_then(|read| read.get(&uri)).context("not read")?;
    anyhow::ensure!(read.pointer("/contents/0/text") == Some(&json!("x")), "{read}");
    Ok(())
}

fn entry<'a>(lists: &'a Value, list: &str, name: &str) -> anyhow::Result<&'a Value> {
    let entries = lists.get(list).and_then(Value::as_array).context("no list")?;
    let found = entries.iter().find(|entry| entry.get("name") == Some(&json!(name)));
    found.with_context(|| format!("no `{name}` among the {list}"))
}

/// A server of 2026-07-28, of which nobody took care that older clients can read it.
fn newer(method: &str, params: &Value) -> Option<Value> {
    let named = params.get("name").and_then(Value::as_str).unwrap_or_default();
    match method {
        "initialize" => Some(json!({ "tools": {}, "prompts": {}, "resources": {} })),
        "tools/list" => Some(json!({ "tools": tools(), "nextCursor": null, "_meta": null })),
        "prompts/list" => Some(json!({ "prompts": prompts(), "nextCursor": null })),
        "resources/list" => Some(json!({ "resources": [{
            "uri": "memo:x", "size": "large", "annotations": { "priority": 7, "audience": "user" },
            "mimeType": null, "title": null,
        }], "nextCursor": null })),
        "resources/templates/list" => Some(json!({ "resourceTemplates": [{
            "uriTemplate": "memo:{x}", "name": null, "description": null,
        }] })),
        "resources/read" => Some(json!({ "contents": [{
            "uri": "memo:x", "text": "x", "blob": null, "mimeType": null, "_meta": null,
        }], "_meta": null })),
        "tools/call" if named == "content" => Some(json!({
            "content": blocks(), "isError": null, "structuredContent": null, "_meta": null,
        })),
        "tools/call" if named == "no_input" => Some(json!({ "content": null })),
        "tools/call" => {
            let case = CASES.iter().find(|case| case.tool == named);
            let value = case.and_then(|case| serde_json::from_str::<Value>(case.value).ok());
            // Without any `content`, as newer clients can do with.
            value.map(|value| json!({ "structuredContent": value }))
        }
        "prompts/get" if named == "content" => {
            let messages: Vec<Value> =
                blocks().iter().map(|block| json!({ "role": "user", "content": block })).collect();
            Some(json!({ "messages": messages, "description": null }))
        }
        "prompts/get" => Some(json!({ "messages": null })),
        _ => Some(json!({ "error": { "code": -32601, "message": "not here" } })),
    }
}

fn tools() -> Vec<Value> {
    let object = json!({ "type": "object" });
    let mut tools = Vec::new();
    for case in CASES {
        let schema: Value = serde_json::from_str(case.schema).unwrap_or_default();
        tools.push(json!({ "name": case.tool, "inputSchema": object, "outputSchema": schema }));
    }
    let odd = [
        json!({ "name": "content", "inputSchema": object }),
        json!({ "name": "refuses", "inputSchema": object }),
        json!({ "name": "int_input", "inputSchema": { "type": "int" } }),
        json!({ "name": "union_input", "inputSchema": { "anyOf": [object, object] } }),
        json!({ "name": "array_input", "inputSchema": { "type": "array" } }),
        json!({ "name": "odd_required", "inputSchema": { "type": "object", "required": "all" } }),
        json!({ "name": "odd_properties", "inputSchema": { "type": "object", "properties": ["a"] } }),
        json!({ "name": "untyped_input", "inputSchema": { "properties": { "a": true } } }),
        json!({ "name": "no_input" }),
        json!({ "name": "null_input", "inputSchema": null, "outputSchema": null }),
        json!({
            "name": "null_members", "title": null, "description": null, "annotations": null,
            "icons": null, "execution": null, "_meta": null, "inputSchema": object,
        }),
        json!({
            "name": "null_inside",
            "inputSchema": { "type": "object", "required": null, "properties": null },
        }),
        json!({ "name": "odd_hints", "inputSchema": object,
            "annotations": { "title": null, "readOnlyHint": "yes" } }),
        json!({ "name": "odd_execution", "inputSchema": object,
            "execution": { "taskSupport": "sometimes" } }),
        json!({ "name": "odd_output", "inputSchema": object, "outputSchema": { "type": "int" } }),
        // Schemas that the TypeScript SDK's client refuses to compile, and with each of them the list.
        returning("lost_reference", json!({ "$ref": "#/components/schemas/Row" })),
        returning("foreign_reference", json!({ "$ref": "https://example.com/row.json" })),
        returning("boolean_limit", json!({ "type": "number", "exclusiveMinimum": true })),
        returning("nullable", json!({ "nullable": true, "anyOf": [{ "type": "string" }] })),
        json!({ "name": "odd_icons", "inputSchema": object, "icons": [{ "sizes": "48x48" }] }),
    ];
    tools.extend(odd);
    tools
}

/// A tool whose output has a property of this schema.
fn returning(name: &str, property: Value) -> Value {
    json!({
        "name": name, "inputSchema": { "type": "object" },
        "outputSchema": { "type": "object", "properties": { "row": property } },
    })
}

fn prompts() -> Value {
    json!([
        { "name": "content" },
        { "name": "null_members", "title": null, "description": null, "arguments": null, "icons": null },
    ])
}

/// One block of each kind, and one of a kind that does not exist.
fn blocks() -> Vec<Value> {
    vec![
        json!({ "type": "text", "text": "text", "annotations": null, "_meta": null }),
        json!({ "type": "image", "data": "AAAA", "mimeType": "image/png" }),
        json!({ "type": "audio", "data": "AAAA", "mimeType": "audio/wav" }),
        json!({ "type": "resource_link", "uri": "memo:x", "name": "a link", "size": null }),
        json!({ "type": "resource", "resource": { "uri": "memo:x", "text": "x", "mimeType": null } }),
        json!({ "type": "hologram", "data": "AAAA" }),
    ]
}
