//! Event ids, which are each hop's own.

use serde_json::json;
use testkit::{CallerKind, Heard, Host, HostKind, Place, RawCall, progress, tool_call};

use crate::behaviour::{Behaviour, Reason};
use crate::cell::Cell;

pub(crate) const BEHAVIOURS: &[Behaviour] = &[Behaviour {
    number: 13,
    name: "Event ids are the gateway's own, and no target's or client's crosses it",
    meaning: "Whatever ids the target's events have, the client's have the gateway's; only streams of 2025-11-25 are \
              primed; HTTP+SSE has none at all. Where the client reads on, no target sees its `Last-Event-ID`.",
    file: file!(),
    without: |cell| (cell.client == CallerKind::Stdio).then_some(&LINES),
    check: |cell| Box::pin(own_ids(cell)),
}];

const LINES: Reason =
    Reason { label: "lines", text: "Lines on a pipe are no events, and have no ids." };

async fn own_ids(cell: Cell) -> anyhow::Result<()> {
    let (a, b, front) = cell.two_targets().await?;
    let mut caller = front.open().await?;
    caller.send(&tool_call("1", "a_work")).await?;
    let mut call = a.call().await?;
    say_with_id(&a, &mut call)?;
    call.result(&json!({ "content": [] }))?;
    caller.answer("1").await?;
    let place = cell.client.place_of("1");
    let heard = caller.all(|heard| heard.place == place);
    let theirs = heard.iter().find(|heard| heard.event.as_deref().is_some_and(is_theirs));
    anyhow::ensure!(theirs.is_none(), "a target's event id: {theirs:?}");
    let is_primed = heard.first().is_some_and(|first| first.text.is_empty());
    anyhow::ensure!(is_primed == (cell.revision() == "2025-11-25"), "{heard:?}");
    if cell.client == CallerKind::Sse {
        let named = heard.iter().find(|heard| heard.event.is_some());
        anyhow::ensure!(named.is_none(), "2024-11-05 has no event ids: {named:?}");
        return Ok(());
    }
    let progress = heard.iter().find(|heard| heard.is("notifications/progress"));
    let id = progress.and_then(|progress| progress.event.clone());
    let id = id.ok_or_else(|| anyhow::anyhow!("progress without an event id: {heard:?}"))?;
    caller.resume(&id).await?;
    let again = |heard: &Heard| heard.place == Place::Resumed && heard.answers("1");
    caller.hears("the answer again", again).await?;
    for visit in [&a, &b].map(|host| host.visits.all()).concat() {
        let resumed = visit.requests.find(|sent| sent.header("last-event-id").is_some());
        anyhow::ensure!(resumed.is_none(), "a client's event id upstream: {resumed:?}");
    }
    Ok(())
}

/// Progress in an event with an id of the target's, where it speaks in events.
fn say_with_id(host: &Host, call: &mut RawCall) -> anyhow::Result<()> {
    let said = progress(&call.request.progress_token(), 1);
    match host.kind {
        HostKind::Sessions | HostKind::NoSessions => {
            call.send_event("id: theirs-1\ndata:")?;
            call.send_event(&format!("id: theirs-2\ndata: {said}"))
        }
        HostKind::Sse => call.send_event(&format!("event: message\nid: theirs-2\ndata: {said}")),
        HostKind::Stdio => call.send(&said),
    }
}

fn is_theirs(id: &str) -> bool {
    id.contains("theirs")
}
