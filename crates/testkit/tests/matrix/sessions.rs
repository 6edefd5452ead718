//! Sessions that end, on either side, and those that nobody opened.

use serde_json::json;
use testkit::{Caller, CallerKind, Heard, HostKind, Wire, request};

use crate::behaviour::{Behaviour, Reason};
use crate::cell::Cell;
use crate::questions::{asked, question};
use crate::steps::{in_mid_stream, one_call};

pub(crate) const BEHAVIOURS: &[Behaviour] = &[
    Behaviour {
        number: 27,
        name: "A session that a target lost is opened anew, and the next call executed once",
        meaning: "The target answers 404, ends its stream, or its process ends; the client keeps its session, and \
                  questions that were open are withdrawn.",
        file: file!(),
        without: |cell| (cell.target == HostKind::NoSessions).then_some(&NOTHING_TO_LOSE),
        check: |cell| Box::pin(opened_anew(cell)),
    },
    Behaviour {
        number: 27,
        name: "A session that was ended, or that nobody opened, is 404",
        meaning: "Session ids are visible ASCII; with one letter changed, and with the right one after the end, \
                  POST, GET and DELETE find nothing.",
        file: file!(),
        without: |cell| (cell.client == CallerKind::Stdio).then_some(&PIPE_IS_SESSION),
        check: |cell| Box::pin(unknown(cell)),
    },
];

const NOTHING_TO_LOSE: Reason =
    Reason { label: "nothing-to-lose", text: "A target without sessions has none to lose." };

const PIPE_IS_SESSION: Reason = Reason {
    label: "pipe",
    text: "A pipe has one session, which has no id, and its gateway ends with it.",
};

async fn opened_anew(cell: Cell) -> anyhow::Result<()> {
    let (a, _b, front) = cell.two_targets().await?;
    let mut caller = front.open_with(cell.able()).await?;
    let first = one_call(&mut caller, &a, "1", "a_work").await?;
    first.say(&question(cell, "7", "last words")).await?;
    let asked = asked(&caller, "last words").await?;
    let is_withdrawn = |heard: &Heard| {
        heard.is("notifications/cancelled") && heard.at("/params/requestId") == asked.at("/id")
    };
    a.forget(&first);
    if a.kind != HostKind::Sessions {
        first.cut().await?;
        caller.hears("that the question is withdrawn", is_withdrawn).await?;
    }
    let before = a.count("tools/call");
    let second = one_call(&mut caller, &a, "2", "a_work").await?;
    anyhow::ensure!(first.id != second.id, "a session that is gone: {}", first.id);
    let executed = a.count("tools/call") - before;
    anyhow::ensure!(executed == 1, "executed {executed} times");
    // A session that is 404 is known to be gone from the first request that finds it so.
    caller.hears("that the question is withdrawn", is_withdrawn).await?;
    Ok(())
}

async fn unknown(cell: Cell) -> anyhow::Result<()> {
    let (a, _b, front) = cell.two_targets().await?;
    let mut caller = front.open().await?;
    let id = caller.session_id()?;
    anyhow::ensure!(id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{id}");
    check_unknown(&caller, caller.stranger()?).await?;
    let call = in_mid_stream(&mut caller, &a, "1", "a_work").await?;
    caller.end().await?;
    a.visit_of(&call.request)?.sees("notifications/cancelled").await?;
    check_unknown(&caller, caller.wire()?).await
}

async fn check_unknown(caller: &Caller, mut wire: Wire) -> anyhow::Result<()> {
    let answer = wire.post(request("9", "ping", &json!({}))).await?;
    anyhow::ensure!(answer.status.as_u16() == 404, "POST: {answer:?}");
    if caller.kind.is_streamable() {
        let status = wire.get().await?.status;
        anyhow::ensure!(status.as_u16() == 404, "GET: {status}");
        let answer = wire.beside().delete().await?;
        anyhow::ensure!(answer.status.as_u16() == 404, "DELETE: {answer:?}");
    }
    Ok(())
}
