//! What a client of each revision gets of a tool whose output it could not read as it is.

use anyhow::Context;
use serde_json::{Value, json};

use crate::behaviour::{Behaviour, everywhere};
use crate::cell::Cell;

pub(crate) const BEHAVIOURS: &[Behaviour] = &[Behaviour {
    number: 23,
    name: "A tool whose output is no object costs nobody a list or a result",
    meaning: "Clients of 2025-06-18 and 2025-11-25 get schema and result wrapped into an object, with the references in \
              the schema led there; older ones get neither. Whoever gets something else than the target said gets the \
              value as text. What is an object stays.",
    file: file!(),
    without: everywhere,
    check: |cell| Box::pin(wrapped(cell)),
}];

/// A tool: the schema of its output, the same as a client gets it, its value, and the same.
const TOOLS: [(&str, &str, &str, &str, &str); 3] = [
    (
        "rows",
        r##"{"type":"array","items":{"$ref":"#/$defs/row"},"$defs":{"row":{"type":"integer"}}}"##,
        r##"{"type":"object","properties":{"result":{"type":"array","items":{"$ref":"#/properties/result/$defs/row"},"$defs":{"row":{"type":"integer"}}}},"required":["result"]}"##,
        "[1,2]",
        r#"{"result":[1,2]}"#,
    ),
    (
        "number",
        r#"{"type":"number"}"#,
        r#"{"type":"object","properties":{"result":{"type":"number"}},"required":["result"]}"#,
        "0",
        r#"{"result":0}"#,
    ),
    (
        "object",
        r##"{"type":"object","properties":{"of":{"$ref":"#/$defs/of"}},"$defs":{"of":{"type":"integer"}}}"##,
        r##"{"type":"object","properties":{"of":{"$ref":"#/$defs/of"}},"$defs":{"of":{"type":"integer"}}}"##,
        r#"{"of":1}"#,
        r#"{"of":1}"#,
    ),
];

async fn wrapped(cell: Cell) -> anyhow::Result<()> {
    let (a, b) = (cell.host(structured).await?, cell.host(structured).await?);
    let front = cell.front(&[("a", &a), ("b", &b)], "").await?;
    let mut caller = front.open().await?;
    let is_structured = cell.revision() >= "2025-06-18";
    let listed = caller.request("tools/list", json!({})).await?;
    let tools = listed.at("/result/tools");
    let tools = tools.as_array().with_context(|| format!("{listed:?}"))?;
    anyhow::ensure!(tools.len() == 2 * TOOLS.len(), "{listed:?}");
    for target in ["a", "b"] {
        for (tool, schema_said, schema_seen, value, value_seen) in TOOLS {
            let name = format!("{target}_{tool}");
            let entry = tools.iter().find(|entry| entry.get("name") == Some(&json!(name)));
            let schema = entry.with_context(|| format!("no `{name}`"))?.get("outputSchema");
            let answer = caller.call(&name).await?;
            let structured = answer.message.pointer("/result/structuredContent");
            let (wanted_schema, wanted): (Value, Value) =
                (serde_json::from_str(schema_seen)?, serde_json::from_str(value_seen)?);
            let wanted = is_structured.then_some((&wanted_schema, &wanted));
            anyhow::ensure!(
                (schema, structured) == (wanted.map(|it| it.0), wanted.map(|it| it.1)),
                "`{name}`: {schema:?} {answer:?}"
            );
            let is_as_said = is_structured && schema_said == schema_seen;
            let text = answer.at("/result/content/0/text");
            anyhow::ensure!(is_as_said || text == value, "`{name}` as text: {answer:?}");
        }
    }
    Ok(())
}

fn structured(method: &str, params: &Value) -> Option<Value> {
    match method {
        "initialize" => Some(json!({ "tools": {} })),
        "tools/list" => {
            let tools = TOOLS.map(|(name, schema, ..)| {
                let schema: Value = serde_json::from_str(schema).unwrap_or_default();
                json!({ "name": name, "inputSchema": { "type": "object" }, "outputSchema": schema })
            });
            Some(json!({ "tools": tools.as_slice() }))
        }
        "tools/call" => {
            let name = params.get("name")?;
            let (.., value, _) = TOOLS.iter().find(|(tool, ..)| name == tool)?;
            // Without any `content`, as newer clients can do with.
            Some(json!({ "structuredContent": serde_json::from_str::<Value>(value).ok()? }))
        }
        _ => None,
    }
}
