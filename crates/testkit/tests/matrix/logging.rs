//! Log lines, which each client gets as it asked for them.

use serde_json::{Value, json};
use testkit::{Caller, Heard, HostKind, notification, one_tool};

use crate::behaviour::{Behaviour, everywhere};
use crate::cell::Cell;
use crate::steps::{in_mid_stream, one_call};

pub(crate) const BEHAVIOURS: &[Behaviour] = &[Behaviour {
    number: 28,
    name: "The log level of one client does not flood another",
    meaning: "One client of a target wants `debug`, another `error`, though a second target has no logging; each gets \
              its own lines and no less important ones, in calls and (where the target can say something there) \
              outside of them. The target with logging is told the level of each of its sessions, the other nothing.",
    file: file!(),
    without: everywhere,
    check: |cell| Box::pin(own_level(cell)),
}];

async fn own_level(cell: Cell) -> anyhow::Result<()> {
    let (a, b) = (cell.host(logs).await?, cell.host(one_tool).await?);
    let front = cell.front(&[("a", &a), ("b", &b)], "").await?;
    let (mut loud, mut quiet) = (front.open().await?, front.open().await?);
    let mut visits = Vec::new();
    for (caller, level) in [(&mut loud, "debug"), (&mut quiet, "error")] {
        visits.push(one_call(caller, &a, "1", "a_work").await?);
        one_call(caller, &b, "2", "b_work").await?;
        let answer = caller.request("logging/setLevel", json!({ "level": level })).await?;
        anyhow::ensure!(answer.at("/result") == json!({}), "{answer:?}");
    }
    if a.kind != HostKind::NoSessions {
        for (visit, level) in visits.iter().zip(["debug", "error"]) {
            let told = visit.sees("logging/setLevel").await?.message();
            anyhow::ensure!(told.pointer("/params/level") == Some(&json!(level)), "{told}");
            visit.say(&line("debug", "outside")).await?;
            visit.say(&line("error", "outside")).await?;
        }
        hears(&loud, "debug", "outside").await?;
        for caller in [&loud, &quiet] {
            let heard = hears(caller, "error", "outside").await?;
            anyhow::ensure!(heard.place == cell.client.own_place(), "{heard:?}");
        }
    }
    for caller in [&mut loud, &mut quiet] {
        let mut call = in_mid_stream(caller, &a, "3", "a_work").await?;
        for level in ["debug", "info", "critical"] {
            call.send(&line(level, "inside"))?;
        }
        call.result(&json!({ "content": [] }))?;
        caller.answer("3").await?;
        let heard = hears(caller, "critical", "inside").await?;
        anyhow::ensure!(heard.place == cell.client.place_of("3"), "{heard:?}");
    }
    hears(&loud, "debug", "inside").await?;
    hears(&loud, "info", "inside").await?;
    let flood = quiet.all(|heard| ["debug", "info"].iter().any(|level| is_line(heard, level)));
    anyhow::ensure!(flood.is_empty(), "{flood:?}");
    anyhow::ensure!(b.count("logging/setLevel") == 0, "it has no logging");
    Ok(())
}

async fn hears(caller: &Caller, level: &str, data: &str) -> anyhow::Result<Heard> {
    let is_it = |heard: &Heard| is_line(heard, level) && heard.at("/params/data") == data;
    caller.hears(&format!("{level} {data}"), is_it).await
}

fn is_line(heard: &Heard, level: &str) -> bool {
    heard.is("notifications/message") && heard.at("/params/level") == level
}

fn line(level: &str, data: &str) -> String {
    notification("notifications/message", &json!({ "level": level, "data": data }))
}

fn logs(method: &str, params: &Value) -> Option<Value> {
    match method {
        "initialize" => Some(json!({ "tools": {}, "logging": {} })),
        "logging/setLevel" => Some(json!({})),
        _ => one_tool(method, params),
    }
}
