//! What targets ask, and who answers.

use serde_json::{Value, json};
use testkit::{Caller, Heard, HostKind, RawCall, RawRequest, request, response};

use crate::behaviour::{Behaviour, Reason};
use crate::cell::Cell;
use crate::steps::{in_mid_stream, one_call};

pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        number: 9,
        name: "Two targets that ask with the same id get their own answers",
        meaning: "Both ask the same client in the middle of a call, by every pair of `0` and `\"0\"`, and outside of \
                  calls; each question comes where it belongs, and its answer reaches its own target with its own id, once.",
        file: file!(),
        without: |cell| (cell.target == HostKind::NoSessions).then_some(&NOBODY_TO_ASK),
        check: |cell| Box::pin(own_answers(cell)),
    },
    Behaviour {
        number: 9,
        name: "A target that cannot say whom it asks is told that nobody can be asked",
        meaning: "A target that gives no session ids has one connection for all clients: what it asks is refused with \
                  -32601 at once, its call goes on, and no client hears of it.",
        file: file!(),
        without: |cell| (cell.target != HostKind::NoSessions).then_some(&SOMEBODY_TO_ASK),
        check: |cell| Box::pin(nobody_is_asked(cell)),
    },
];

const NOBODY_TO_ASK: Reason = Reason {
    label: "nobody-to-ask",
    text: "A target without session ids cannot tell its clients apart, so that it is told of nobody who could answer.",
};

const SOMEBODY_TO_ASK: Reason = Reason {
    label: "somebody-to-ask",
    text: "Each of its sessions is one client's, which is asked: see the row above.",
};

async fn own_answers(cell: Cell) -> anyhow::Result<()> {
    let (a, b, front) = cell.two_targets().await?;
    let mut caller = front.open_with(cell.able()).await?;
    let visit_a = one_call(&mut caller, &a, "\"a\"", "a_work").await?;
    let visit_b = one_call(&mut caller, &b, "\"b\"", "b_work").await?;
    for (id_of_a, id_of_b) in [("0", "0"), ("0", "\"0\""), ("\"0\"", "0"), ("\"0\"", "\"0\"")] {
        let round = format!("{id_of_a} and {id_of_b}");
        caller.heard.change(Vec::clear);
        let mut call_a = in_mid_stream(&mut caller, &a, "1", "a_work").await?;
        let mut call_b = in_mid_stream(&mut caller, &b, "2", "b_work").await?;
        call_a.send(&question(cell, id_of_a, "of a"))?;
        call_b.send(&question(cell, id_of_b, "of b"))?;
        let of_a = asked(&caller, "of a").await?;
        let of_b = asked(&caller, "of b").await?;
        for (asked, id) in [(&of_a, "1"), (&of_b, "2")] {
            anyhow::ensure!(asked.place == cell.client.place_of(id), "{round}: {asked:?}");
        }
        anyhow::ensure!(of_a.at("/id") != of_b.at("/id"), "{round}: one client, two questions");
        // The one that was asked last is answered first.
        for (asked, name) in [(&of_b, "b"), (&of_a, "a")] {
            let answer = json!({ "for": name, "round": round });
            caller.send(&response(&asked.at("/id"), &answer)).await?;
        }
        for (visit, id, name) in [(&visit_a, id_of_a, "a"), (&visit_b, id_of_b, "b")] {
            let is_it = |sent: &RawRequest| {
                sent.answers(id) && sent.message().pointer("/result/round") == Some(&json!(round))
            };
            let answer = visit.requests.first(&format!("{round}, for {name}"), is_it).await?;
            let told = answer.message().pointer("/result/for").cloned();
            anyhow::ensure!(told == Some(json!(name)), "{round}: {told:?} for {name}");
        }
        for (call, id) in [(call_a, "1"), (call_b, "2")] {
            finish(&caller, call, id).await?;
        }
    }
    visit_a.say(&question(cell, "7", "outside of a call")).await?;
    let outside = asked(&caller, "outside of a call").await?;
    anyhow::ensure!(outside.place == cell.client.own_place(), "{outside:?}");
    caller.send(&response(&outside.at("/id"), &json!({}))).await?;
    visit_a.answer("7").await?;
    for (visit, wanted) in [(&visit_a, 5), (&visit_b, 4)] {
        let sent = visit.requests.all();
        let answers = sent.iter().filter(|sent| sent.message().get("result").is_some()).count();
        anyhow::ensure!(answers == wanted, "{answers} answers to {wanted} questions");
    }
    Ok(())
}

async fn nobody_is_asked(cell: Cell) -> anyhow::Result<()> {
    let (a, _b, front) = cell.two_targets().await?;
    let mut caller = front.open_with(cell.able()).await?;
    let mut call = in_mid_stream(&mut caller, &a, "1", "a_work").await?;
    call.send(&question(cell, "0", "of a"))?;
    let refused = a.visit_of(&call.request)?.answer("0").await?;
    anyhow::ensure!(refused.pointer("/error/code") == Some(&json!(-32601)), "{refused}");
    finish(&caller, call, "1").await?;
    let asked = caller.all(|heard| heard.is(method(cell)));
    anyhow::ensure!(asked.is_empty(), "{asked:?}");
    Ok(())
}

async fn finish(caller: &Caller, call: RawCall, id: &str) -> anyhow::Result<()> {
    call.result(&json!({ "content": [] }))?;
    let answer = caller.answer(id).await?;
    anyhow::ensure!(!answer.at("/result").is_null(), "{answer:?}");
    Ok(())
}

/// What a target may ask a client of this revision.
fn method(cell: Cell) -> &'static str {
    match cell.revision() {
        "2024-11-05" | "2025-03-26" => "sampling/createMessage",
        _ => "elicitation/create",
    }
}

/// A question; `id` is raw JSON.
pub(crate) fn question(cell: Cell, id: &str, message: &str) -> String {
    let params = match method(cell) {
        "elicitation/create" => {
            json!({ "message": message, "requestedSchema": { "type": "object", "properties": {} } })
        }
        _ => json!({ "messages": [], "maxTokens": 1, "systemPrompt": message }),
    };
    request(id, method(cell), &params)
}

/// Awaits the question with this message.
pub(crate) async fn asked(caller: &Caller, message: &str) -> anyhow::Result<Heard> {
    let is_it = |heard: &Heard| {
        let said = heard.message.pointer("/params/message");
        let said = said.or(heard.message.pointer("/params/systemPrompt")).and_then(Value::as_str);
        said.is_some_and(|said| said.ends_with(message))
    };
    caller.hears(&format!("the question `{message}`"), is_it).await
}
