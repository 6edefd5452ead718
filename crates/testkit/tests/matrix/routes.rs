//! What belongs to one call reaches that call, and no other.

use serde_json::{Value, json};
use testkit::{Caller, Heard, Host, HostKind, RawCall, notification, progress};

use crate::behaviour::{Behaviour, everywhere};
use crate::cell::Cell;
use crate::steps::{in_mid_stream, is_progress, one_call, settled};

pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        number: 10,
        name: "Two clients with the same progress token hear their own",
        meaning: "Both call the same target with alike tokens (`1` and `1`, `\"1\"` and `1`) at once; each hears the \
                  progress of its own call, in order, with its token in its own type, and nothing after the result.",
        file: file!(),
        without: everywhere,
        check: |cell| Box::pin(own_progress(cell)),
    },
    Behaviour {
        number: 11,
        name: "A cancellation reaches the one target that has the call",
        meaning: "The same id is in use by another client, as a text, and at another target; the target with the call is \
                  told by the id that it knows, the other calls go on, and unknown ids concern nobody.",
        file: file!(),
        without: everywhere,
        check: |cell| Box::pin(one_cancellation(cell)),
    },
];

async fn own_progress(cell: Cell) -> anyhow::Result<()> {
    let (a, _b, front) = cell.two_targets().await?;
    let (mut first, mut second) = (front.open().await?, front.open().await?);
    for (one, two) in [("1", "1"), ("\"1\"", "1"), ("0", "\"\"")] {
        first.heard.change(Vec::clear);
        second.heard.change(Vec::clear);
        let mut call_one = in_mid_stream(&mut first, &a, one, "a_work").await?;
        let mut call_two = in_mid_stream(&mut second, &a, two, "a_work").await?;
        let token_one = call_one.request.progress_token();
        let token_two = call_two.request.progress_token();
        anyhow::ensure!(token_one != token_two, "one token for two calls");
        for step in 2..=5 {
            call_two.send(&progress(&token_two, 100 + step))?;
            call_one.send(&progress(&token_one, step))?;
        }
        // Of no call: it is nobody's.
        call_one.send(&progress("\"unknown\"", 999))?;
        let visit = a.visit_of(&call_one.request)?;
        let done = json!({ "content": [] });
        let id = call_one.request.id();
        call_one.send(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{done}}}"#))?;
        call_one.send(&progress(&token_one, 6))?;
        if a.kind != HostKind::NoSessions {
            visit.say(&progress(&token_one, 7)).await?;
        }
        call_one.end()?;
        call_two.result(&done)?;
        settled(&mut first, &a, &visit).await?;
        check_steps(&first, one, &[1, 2, 3, 4, 5]).await?;
        check_steps(&second, two, &[1, 102, 103, 104, 105]).await?;
    }
    Ok(())
}

/// The client heard these steps of its call, in order and where they belong, then the result, and no other progress.
async fn check_steps(caller: &Caller, id: &str, wanted: &[u64]) -> anyhow::Result<()> {
    caller.answer(id).await?;
    let heard = caller.all(|heard| heard.is("notifications/progress") || heard.answers(id));
    let (Some(result), steps) = (heard.last(), heard.len() - 1) else {
        anyhow::bail!("nothing");
    };
    anyhow::ensure!(result.answers(id) && steps == wanted.len(), "{heard:?}");
    for (heard, step) in heard.iter().zip(wanted) {
        let is_it = is_progress(heard, id, *step) && heard.place == caller.kind.place_of(id);
        anyhow::ensure!(is_it, "not step {step}: {heard:?}");
    }
    Ok(())
}

async fn one_cancellation(cell: Cell) -> anyhow::Result<()> {
    let (a, b, front) = cell.two_targets().await?;
    let (mut caller, mut other) = (front.open().await?, front.open().await?);
    let call = in_mid_stream(&mut caller, &a, "1", "a_work").await?;
    let as_text = in_mid_stream(&mut caller, &a, "\"1\"", "a_work").await?;
    let of_other = in_mid_stream(&mut other, &a, "1", "a_work").await?;
    let elsewhere = in_mid_stream(&mut other, &b, "2", "b_work").await?;
    caller.send(&cancellation(&json!(1))).await?;
    let visit = a.visit_of(&call.request)?;
    let told = visit.sees("notifications/cancelled").await?.message();
    let known = told.pointer("/params/requestId").map(Value::to_string);
    anyhow::ensure!(known == Some(call.request.id()), "not the id that the target knows: {told}");
    for unknown in [json!(1), json!(2), json!("x")] {
        caller.send(&cancellation(&unknown)).await?;
    }
    finish(&caller, "\"1\"", as_text).await?;
    finish(&other, "1", of_other).await?;
    finish(&other, "2", elsewhere).await?;
    // The next call of the same client is none that was cancelled.
    one_call(&mut caller, &a, "3", "a_work").await?;
    let told = [&a, &b].map(|host| cancellations(host).len());
    anyhow::ensure!(told == [1, 0], "{told:?}");
    Ok(())
}

fn cancellation(id: &Value) -> String {
    notification("notifications/cancelled", &json!({ "requestId": id }))
}

fn cancellations(host: &Host) -> Vec<String> {
    let visits = host.visits.all();
    let sent = visits.iter().flat_map(|visit| visit.requests.all());
    sent.filter(|sent| sent.is("notifications/cancelled")).map(|sent| sent.body).collect()
}

/// A call that nobody cancelled comes to its end.
async fn finish(caller: &Caller, id: &str, call: RawCall) -> anyhow::Result<Heard> {
    call.result(&json!({ "content": [] }))?;
    let answer = caller.answer(id).await?;
    anyhow::ensure!(!answer.at("/result").is_null(), "{answer:?}");
    Ok(answer)
}
