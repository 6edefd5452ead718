//! Updates of resources, which a target routes by what it knows and a client by what it sees.

use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Caller, Heard, Host, HostKind, Visit, notification};

use crate::behaviour::{Behaviour, Reason};
use crate::cell::Cell;

pub(crate) const BEHAVIOURS: &[Behaviour] = &[Behaviour {
    number: 16,
    name: "An update of a sub-resource reaches who subscribed above it",
    meaning: "Two targets have the same URI, and a client each subscribed to it; an update of something below it comes \
              by the URI that this client sees and can read, and the other client hears of its own target alone. \
              Unsubscribing reaches the target by its own URI.",
    file: file!(),
    without: |cell| (cell.target == HostKind::NoSessions).then_some(&NO_STREAM),
    check: |cell| Box::pin(sub_resource(cell)),
}];

const NO_STREAM: Reason = Reason {
    label: "no-stream",
    text: "A target without sessions has no stream on which it could say anything outside of calls.",
};

async fn sub_resource(cell: Cell) -> anyhow::Result<()> {
    let (a, b) = (cell.host(files).await?, cell.host(files).await?);
    let front = cell.front(&[("a", &a), ("b", &b)], "").await?;
    let (mut caller, mut other) = (front.open().await?, front.open().await?);
    let listed = caller.request("resources/list", json!({})).await?;
    let uri = |place: usize| {
        let uri = listed.at(&format!("/result/resources/{place}/uri"));
        uri.as_str().map(str::to_owned).with_context(|| format!("{listed:?}"))
    };
    let (of_a, of_b) = (uri(0)?, uri(1)?);
    anyhow::ensure!(of_a != of_b, "two targets with one URI");
    succeed(&mut caller, "resources/subscribe", &of_a).await?;
    succeed(&mut other, "resources/subscribe", &of_b).await?;
    let visit = subscriber(&a)?;
    visit.say(&updated("file:///dir/below.txt")).await?;
    visit.say(&updated("file:///dir")).await?;
    subscriber(&b)?.say(&updated("file:///dir/of-b")).await?;
    let below = of_a.replace("file:///dir", "file:///dir/below.txt");
    for wanted in [&below, &of_a] {
        let heard = caller.hears(wanted, |heard| is_update(heard, wanted)).await?;
        anyhow::ensure!(heard.place == cell.client.own_place(), "{heard:?}");
    }
    succeed(&mut caller, "resources/read", &below).await?;
    let wanted = of_b.replace("file:///dir", "file:///dir/of-b");
    other.hears(&wanted, |heard| is_update(heard, &wanted)).await?;
    for (caller, count) in [(&caller, 2), (&other, 1)] {
        let updates = caller.all(|heard| heard.is("notifications/resources/updated"));
        anyhow::ensure!(updates.len() == count, "{updates:?}");
    }
    succeed(&mut caller, "resources/unsubscribe", &of_a).await?;
    let told = visit.sees("resources/unsubscribe").await?.message();
    anyhow::ensure!(told.pointer("/params/uri") == Some(&json!("file:///dir")), "{told}");
    Ok(())
}

async fn succeed(caller: &mut Caller, method: &str, uri: &str) -> anyhow::Result<()> {
    let answer = caller.request(method, json!({ "uri": uri })).await?;
    anyhow::ensure!(!answer.at("/result").is_null(), "{method} {uri}: {answer:?}");
    Ok(())
}

fn is_update(heard: &Heard, uri: &str) -> bool {
    heard.is("notifications/resources/updated") && heard.at("/params/uri") == uri
}

/// The session in which somebody subscribed.
fn subscriber(host: &Host) -> anyhow::Result<Arc<Visit>> {
    let found = host.visits.find(|visit| visit.count("resources/subscribe") > 0);
    found.context("nobody subscribed")
}

fn updated(uri: &str) -> String {
    notification("notifications/resources/updated", &json!({ "uri": uri }))
}

fn files(method: &str, params: &Value) -> Option<Value> {
    match method {
        "initialize" => Some(json!({ "resources": { "subscribe": true, "listChanged": true } })),
        "resources/list" => Some(json!({ "resources": [{ "uri": "file:///dir", "name": "dir" }] })),
        "resources/templates/list" => Some(json!({ "resourceTemplates": [] })),
        "resources/subscribe" | "resources/unsubscribe" => Some(json!({})),
        "resources/read" => {
            let uri = params.get("uri")?;
            Some(json!({ "contents": [{ "uri": uri, "text": "x" }] }))
        }
        _ => None,
    }
}
