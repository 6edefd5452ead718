//! Clients that share the one process of a target (`process: shared`): each watches and hears what is its own.

use std::path::Path;

use serde_json::{Value, json};
use testkit::{EventStream, Gateway, Host, HostKind, Visit, Wire, notification};

const URI: &str = "memo:one";

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn whoever_stops_watching_stops_it_for_nobody_else() -> anyhow::Result<()> {
    let host = Host::start_as(HostKind::Stdio, answers).await?;
    let bridge = Path::new(env!("CARGO_BIN_EXE_stdio-to-tcp"));
    let target = format!("{}  process: shared\n", host.target_by("only", bridge));
    let gateway = Gateway::native(&format!("targets:\n{target}")).await?;
    let mut first = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    let mut second = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    let mut heard = [first.beside().listen().await?, second.beside().listen().await?];
    for wire in [&mut first, &mut second] {
        asks(wire, "resources/subscribe").await?;
    }
    let visits = host.visits.all();
    let visit = visits.iter().find(|visit| visit.count("resources/subscribe") > 0);
    let visit = visit.ok_or_else(|| anyhow::anyhow!("nobody watches"))?;
    // Lists that are about to be read again hold up nothing else.
    visit.say(&notification("notifications/tools/list_changed", &json!({}))).await?;
    changes(visit).await?;
    for stream in &mut heard {
        stream.method("notifications/resources/updated").await?;
    }

    asks(&mut first, "resources/unsubscribe").await?;
    assert_eq!(host.count("resources/unsubscribe"), 0, "the other watches still");
    changes(visit).await?;
    let [of_first, of_second] = &mut heard;
    of_second.method("notifications/resources/updated").await?;

    asks(&mut second, "resources/unsubscribe").await?;
    assert_eq!(host.count("resources/unsubscribe"), 1, "nobody watches any more");
    // All that the first has heard since is what everybody hears.
    let line = json!({ "level": "info", "data": "last" });
    visit.say(&notification("notifications/message", &line)).await?;
    hears_first(of_first, "notifications/message").await
}

fn answers(method: &str, _params: &Value) -> Option<Value> {
    match method {
        "initialize" => {
            Some(json!({ "tools": {}, "logging": {}, "resources": { "subscribe": true } }))
        }
        "tools/list" => Some(json!({ "tools": [] })),
        "resources/list" => Some(json!({ "resources": [{ "uri": URI, "name": "one" }] })),
        "resources/templates/list" => Some(json!({ "resourceTemplates": [] })),
        "resources/subscribe" | "resources/unsubscribe" => Some(json!({})),
        _ => None,
    }
}

async fn asks(wire: &mut Wire, method: &str) -> anyhow::Result<()> {
    let answer = wire.request(method, json!({ "uri": URI })).await?;
    anyhow::ensure!(answer.get("result").is_some(), "{method}: {answer}");
    Ok(())
}

async fn changes(visit: &Visit) -> anyhow::Result<()> {
    visit.say(&notification("notifications/resources/updated", &json!({ "uri": URI }))).await
}

async fn hears_first(stream: &mut EventStream, method: &str) -> anyhow::Result<()> {
    let (_, message) = stream.message().await?;
    assert_eq!(message.get("method"), Some(&json!(method)));
    Ok(())
}
