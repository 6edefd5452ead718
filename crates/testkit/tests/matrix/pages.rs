//! What a list of several targets holds: all pages of each, whatever becomes of one of them.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::{DEADLINE, Host, one_tool};

use crate::behaviour::{Behaviour, everywhere};
use crate::cell::Cell;
use crate::steps::{one_call, tools};

pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        number: 1,
        name: "All pages of all targets reach the client once",
        meaning: "Three targets give their tools on three pages, on two with an empty string as cursor, and in a circle; the \
              client's list has every tool once, and ends. No target is sent another's cursor.",
        file: file!(),
        without: everywhere,
        check: |cell| Box::pin(all_pages(cell)),
    },
    Behaviour {
        number: 2,
        name: "A cursor that the gateway did not give is an invalid parameter",
        meaning: "Lists are one page, so that every cursor of a client is foreign: an empty one, one of a target's and \
                  a garbled one get -32602 from each kind of list, and no target sees one.",
        file: file!(),
        without: everywhere,
        check: |cell| Box::pin(foreign_cursor(cell)),
    },
    Behaviour {
        number: 20,
        name: "A target that hangs costs a list its deadline at most, and keeps what was known",
        meaning: "One target never answers its list, another stops answering: the list comes within its deadline \
                  with the rest and with what was known, says which targets are missing or stale, and calls of the \
                  others go on.",
        file: file!(),
        without: everywhere,
        check: |cell| Box::pin(partial(cell)),
    },
];

async fn all_pages(cell: Cell) -> anyhow::Result<()> {
    let (a, b, c) =
        (cell.host(pages).await?, cell.host(empty_cursor).await?, cell.host(circle).await?);
    let front = cell.front(&[("a", &a), ("b", &b), ("c", &c)], "").await?;
    let mut caller = front.open().await?;
    let tools = caller.tools().await?;
    let wanted = ["a_one", "a_two", "a_three", "b_first", "b_second", "c_round"];
    anyhow::ensure!(tools == wanted, "{tools:?}");
    for visit in b.visits.all() {
        for sent in visit.requests.all() {
            let message = sent.message();
            let cursor = message.pointer("/params/cursor");
            anyhow::ensure!(cursor.is_none_or(|cursor| cursor == ""), "another's: {cursor:?}");
        }
    }
    Ok(())
}

async fn foreign_cursor(cell: Cell) -> anyhow::Result<()> {
    let (a, b) = (cell.host(pages).await?, cell.host(empty_cursor).await?);
    let front = cell.front(&[("a", &a), ("b", &b)], "").await?;
    let mut caller = front.open().await?;
    for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
        for cursor in ["", "2", "garbled", "\u{0}"] {
            let answer = caller.request(method, json!({ "cursor": cursor })).await?;
            anyhow::ensure!(answer.at("/error/code") == -32602, "{method} `{cursor}`: {answer:?}");
        }
    }
    for visit in [&a, &b].map(|host| host.visits.all()).concat() {
        let garbled = visit.requests.find(|sent| sent.body.contains("garbled"));
        anyhow::ensure!(garbled.is_none(), "a client's cursor upstream: {garbled:?}");
    }
    Ok(())
}

/// Ten times the deadline of a list, for a busy machine; less than the deadline that is not set here.
const PATIENCE: Duration = Duration::from_secs(3);

async fn partial(cell: Cell) -> anyhow::Result<()> {
    let (a, b) = (cell.host(one_tool).await?, cell.host(one_tool).await?);
    let never = cell.host(without_list).await?;
    let limits = "limits: { list: 300ms, refresh: 300ms }\n";
    let front = cell.front(&[("a", &a), ("b", &b), ("never", &never)], limits).await?;
    let mut caller = front.open().await?;
    let opened = Instant::now();
    // The rest comes as fast as it can, and nobody waits for it longer than the deadline of a list.
    loop {
        let asked = Instant::now();
        let listed = caller.tools().await?;
        anyhow::ensure!(asked.elapsed() < PATIENCE, "it took {:?}", asked.elapsed());
        if listed == ["a_work", "b_work"] {
            break;
        }
        anyhow::ensure!(opened.elapsed() < DEADLINE, "not the rest: {listed:?}");
    }
    // From now on it answers no list.
    a.answers(without_list);
    hangs(&a).await?;
    let asked = Instant::now();
    let mut reported = Vec::new();
    // It says so as soon as the deadline of that reading has passed.
    while reported != ["a", "never"] {
        let answer = caller.request("tools/list", json!({})).await?;
        let names = |pointer: &str, list: Value| -> Vec<String> {
            let entries = list.as_array().into_iter().flatten();
            let names = entries.filter_map(|entry| entry.pointer(pointer)?.as_str());
            names.map(str::to_owned).collect()
        };
        let listed = names("/name", answer.at("/result/tools"));
        anyhow::ensure!(listed == ["a_work", "b_work"], "something was removed: {answer:?}");
        reported = names("/name", answer.at("/result/_meta/dev.portico~1targets"));
        anyhow::ensure!(asked.elapsed() < DEADLINE, "nobody says what is missing: {answer:?}");
    }
    one_call(&mut caller, &b, "1", "b_work").await?;
    Ok(())
}

/// Awaits that it is asked for its list, and holds the answer back for as long as it lives.
async fn hangs(host: &Host) -> anyhow::Result<()> {
    let call = host.call().await?;
    anyhow::ensure!(call.request.is("tools/list"), "{:?}", call.request);
    tokio::spawn(async move {
        let _held = call;
        std::future::pending::<()>().await;
    });
    Ok(())
}

fn without_list(method: &str, params: &Value) -> Option<Value> {
    match method {
        "tools/list" => None,
        _ => one_tool(method, params),
    }
}

fn pages(method: &str, params: &Value) -> Option<Value> {
    if method != "tools/list" {
        return one_tool(method, params);
    }
    Some(match params.get("cursor").and_then(Value::as_str) {
        None => json!({ "tools": tools(&["one"]), "nextCursor": "2" }),
        Some("2") => json!({ "tools": tools(&["two"]), "nextCursor": "3" }),
        Some("3") => json!({ "tools": tools(&["three"]) }),
        Some(_) => json!({ "error": { "code": -32602, "message": "no such cursor" } }),
    })
}

fn empty_cursor(method: &str, params: &Value) -> Option<Value> {
    if method != "tools/list" {
        return one_tool(method, params);
    }
    Some(match params.get("cursor") {
        None => json!({ "tools": tools(&["first"]), "nextCursor": "" }),
        Some(_) => json!({ "tools": tools(&["second"]), "nextCursor": null }),
    })
}

fn circle(method: &str, params: &Value) -> Option<Value> {
    if method != "tools/list" {
        return one_tool(method, params);
    }
    Some(json!({ "tools": tools(&["round"]), "nextCursor": "again" }))
}
