//! What it means that a client has gone: in mid-call, or for good.

use serde_json::{Value, json};
use testkit::{CallerKind, Place, RawRequest, progress};

use crate::behaviour::{Behaviour, Reason, everywhere};
use crate::cell::Cell;
use crate::steps::{in_mid_stream, is_progress};

pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        number: 12,
        name: "A client that loses an answer has not cancelled, and reads on",
        meaning: "Its connection is cut in the middle of a call: the target is told nothing, the call goes on, and the \
                  client gets the rest, each message once, from the event that it had last.",
        file: file!(),
        without: stream_is_session,
        check: |cell| Box::pin(reading_on(cell)),
    },
    Behaviour {
        number: 12,
        name: "A client that ends its session cancels its calls",
        meaning: "By DELETE, by closing its one stream, or by closing its output; the target with the call is told by \
                  the id that it knows.",
        file: file!(),
        without: everywhere,
        check: |cell| Box::pin(ending(cell)),
    },
];

const STREAM_IS_SESSION: Reason = Reason {
    label: "one-stream",
    text: "The client's one stream is its session: what is lost with it cannot be read on.",
};

fn stream_is_session(cell: Cell) -> Option<&'static Reason> {
    match cell.client {
        CallerKind::Sse | CallerKind::Stdio => Some(&STREAM_IS_SESSION),
        CallerKind::Streamable(_) => None,
    }
}

async fn reading_on(cell: Cell) -> anyhow::Result<()> {
    let (a, b, front) = cell.two_targets().await?;
    let mut caller = front.open().await?;
    let mut call = in_mid_stream(&mut caller, &a, "1", "a_work").await?;
    let heard = caller.hears("progress", |heard| is_progress(heard, "1", 1)).await?;
    let last = heard.event.ok_or_else(|| anyhow::anyhow!("an event without an id"))?;
    caller.lose("1")?;
    let token = call.request.progress_token();
    for step in 2..=4 {
        call.send(&progress(&token, step))?;
    }
    caller.resume(&last).await?;
    caller.hears("the last progress", |heard| is_progress(heard, "1", 4)).await?;
    call.result(&json!({ "content": [], "x": 1.0 }))?;
    let answer = caller.answer("1").await?;
    anyhow::ensure!(answer.at("/result/x") == json!(1.0), "{answer:?}");
    let resumed = caller.all(|heard| heard.place == Place::Resumed);
    let steps: Vec<_> =
        resumed.iter().filter_map(|heard| heard.at("/params/progress").as_u64()).collect();
    anyhow::ensure!(steps == [2, 3, 4], "{resumed:?}");
    let told = [&a, &b].map(|host| host.count("notifications/cancelled"));
    anyhow::ensure!(told == [0, 0], "it did not cancel: {told:?}");
    Ok(())
}

async fn ending(cell: Cell) -> anyhow::Result<()> {
    let (a, b, front) = cell.two_targets().await?;
    let (mut caller, mut other) = (front.open().await?, front.open().await?);
    let call = in_mid_stream(&mut caller, &a, "1", "a_work").await?;
    let of_other = in_mid_stream(&mut other, &a, "1", "a_work").await?;
    caller.end().await?;
    let visit = a.visit_of(&call.request)?;
    let known: Value = serde_json::from_str(&call.request.id())?;
    let is_it = |sent: &RawRequest| {
        sent.is("notifications/cancelled")
            && sent.message().pointer("/params/requestId") == Some(&known)
    };
    visit.requests.first("the call's cancellation", is_it).await?;
    of_other.result(&json!({ "content": [] }))?;
    let answer = other.answer("1").await?;
    anyhow::ensure!(!answer.at("/result").is_null(), "another client's call: {answer:?}");
    let told = [&a, &b].map(|host| host.count("notifications/cancelled"));
    anyhow::ensure!(told == [1, 0], "{told:?}");
    Ok(())
}
