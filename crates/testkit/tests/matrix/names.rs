//! Names that several targets could share, and the target that each of them means.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::{Host, one_tool};

use crate::behaviour::{Behaviour, everywhere};
use crate::cell::Cell;
use crate::steps::tools;

pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        number: 18,
        name: "An app calls tools by the names that its own server gave them",
        meaning: "A tool that is for apps alone is listed and called by its bare name, others can be; where two \
                  targets have the name it is -32602, and nobody is asked. `visibility` and the scheme `ui` stay, and \
                  the page that a tool names can be read.",
        file: file!(),
        without: everywhere,
        check: |cell| Box::pin(bare_names(cell)),
    },
    Behaviour {
        number: 19,
        name: "Names that a prefix could confuse are distinct, and each reaches its own target",
        meaning: "Targets `a`, `a-b` and `a-work` have tools such as `b_work`, `-b_work` and one of 128 letters; no two \
                  are listed alike, none is longer than 128, their order is the same in every gateway, and each is \
                  called at the target that has it, by the name that it knows.",
        file: file!(),
        without: everywhere,
        check: |cell| Box::pin(distinct_names(cell)),
    },
];

async fn bare_names(cell: Cell) -> anyhow::Result<()> {
    let (a, b) = (cell.host(dashboard).await?, cell.host(dashboard).await?);
    let plain = cell.host(one_tool).await?;
    let front = cell.front(&[("a", &a), ("plain", &plain)], "").await?;
    let mut caller = front.open_with(shows_apps()).await?;
    let tools = caller.tools().await?;
    anyhow::ensure!(tools == ["a_show", "refresh", "plain_work"], "{tools:?}");
    for (name, native) in
        [("refresh", "refresh"), ("a_refresh", "refresh"), ("show", "show"), ("a_show", "show")]
    {
        let answer = caller.call(name).await?;
        anyhow::ensure!(answer.at("/result/content/0/text") == native, "{name}: {answer:?}");
    }
    let listed = caller.request("tools/list", json!({})).await?;
    let ui = json!({ "resourceUri": "ui://a+board/main", "visibility": ["model", "app"] });
    anyhow::ensure!(listed.at("/result/tools/0/_meta/ui") == ui, "{listed:?}");
    let visibility = listed.at("/result/tools/1/_meta/ui/visibility");
    anyhow::ensure!(visibility == json!(["app"]), "{listed:?}");
    let page = caller.request("resources/read", json!({ "uri": "ui://a+board/main" })).await?;
    anyhow::ensure!(page.at("/result/contents/0/uri") == "ui://a+board/main", "{page:?}");
    anyhow::ensure!(page.at("/result/contents/0/text") == "<html>", "{page:?}");

    let front = cell.front(&[("a", &a), ("b", &b)], "").await?;
    let mut caller = front.open_with(shows_apps()).await?;
    let tools = caller.tools().await?;
    anyhow::ensure!(tools == ["a_show", "a_refresh", "b_show", "b_refresh"], "{tools:?}");
    let before = [&a, &b].map(|host| host.count("tools/call"));
    for name in ["refresh", "show"] {
        let answer = caller.call(name).await?;
        anyhow::ensure!(answer.at("/error/code") == -32602, "{answer:?}");
    }
    let after = [&a, &b].map(|host| host.count("tools/call"));
    anyhow::ensure!(before == after, "somebody was asked");
    Ok(())
}

async fn distinct_names(cell: Cell) -> anyhow::Result<()> {
    let hosts =
        [cell.host(confusing).await?, cell.host(confusing).await?, cell.host(confusing).await?];
    let [a, b, c] = &hosts;
    let named = [("a", a), ("a-b", b), ("a-work", c)];
    let front = cell.front(&named, "").await?;
    let mut caller = front.open().await?;
    let listed = caller.tools().await?;
    let distinct: BTreeSet<&String> = listed.iter().collect();
    anyhow::ensure!(distinct.len() == hosts.len() * confusing_names().len(), "{listed:?}");
    anyhow::ensure!(listed.iter().all(|name| name.len() <= 128), "{listed:?}");
    let again = cell.front(&named, "").await?;
    let there = again.open().await?.tools().await?;
    anyhow::ensure!(there == listed, "another order in another gateway: {there:?}");
    for (place, name) in listed.iter().enumerate() {
        let (host, native) = (place / confusing_names().len(), place % confusing_names().len());
        let answer = caller.call(name).await?;
        let known = confusing_names().into_iter().nth(native).unwrap_or_default();
        anyhow::ensure!(answer.at("/result/content/0/text") == known, "{name}: {answer:?}");
        let called: Vec<usize> = hosts.iter().map(|host| calls_of(host, &known)).collect();
        let wanted: Vec<usize> = (0..hosts.len()).map(|place| usize::from(place <= host)).collect();
        anyhow::ensure!(called == wanted, "`{name}` reached another target: {called:?}");
    }
    Ok(())
}

/// How often a server was called by this name.
fn calls_of(host: &Host, name: &str) -> usize {
    let visits = host.visits.all();
    let sent = visits.iter().flat_map(|visit| visit.requests.all());
    sent.filter(|sent| {
        sent.is("tools/call") && sent.message().pointer("/params/name") == Some(&json!(name))
    })
    .count()
}

fn shows_apps() -> Value {
    let ui = json!({ "mimeTypes": ["text/html;profile=mcp-app"] });
    json!({ "extensions": { "io.modelcontextprotocol/ui": ui } })
}

/// A server that calls back the name by which it was called.
fn echo(params: &Value) -> Option<Value> {
    let text = params.get("name")?;
    Some(json!({ "content": [{ "type": "text", "text": text }] }))
}

fn dashboard(method: &str, params: &Value) -> Option<Value> {
    let page = || json!({ "uri": "ui://board/main", "mimeType": "text/html;profile=mcp-app" });
    match method {
        "initialize" => Some(json!({ "tools": { "listChanged": true }, "resources": {} })),
        "tools/list" => {
            let ui = json!({ "resourceUri": "ui://board/main", "visibility": ["model", "app"] });
            let schema = json!({ "type": "object" });
            Some(json!({ "tools": [
                { "name": "show", "inputSchema": schema, "_meta": { "ui": ui } },
                {
                    "name": "refresh", "inputSchema": schema,
                    "_meta": { "ui": { "visibility": ["app"] } },
                },
            ] }))
        }
        "resources/list" => Some(json!({ "resources": [page()] })),
        "resources/templates/list" => Some(json!({ "resourceTemplates": [] })),
        "resources/read" => {
            let mut page = page();
            page.as_object_mut()?.insert("text".to_owned(), json!("<html>"));
            Some(json!({ "contents": [page] }))
        }
        "tools/call" => echo(params),
        _ => None,
    }
}

fn confusing_names() -> Vec<String> {
    let mut names = ["work", "b_work", "-b_work", "work_work"].map(str::to_owned).to_vec();
    names.push("x".repeat(128));
    names
}

fn confusing(method: &str, params: &Value) -> Option<Value> {
    match method {
        "tools/list" => {
            let names = confusing_names();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Some(json!({ "tools": tools(&names) }))
        }
        "tools/call" => echo(params),
        _ => one_tool(method, params),
    }
}
