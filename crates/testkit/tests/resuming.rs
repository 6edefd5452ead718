//! Streams that break: a client reads on where it lost one, by event ids that are the gateway's own; the gateway does
//! the same with its targets.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{
    Event, EventStream, Framing, Gateway, Host, RawServer, Visit, Wire, gateway_of, in_mid_stream,
    notification, one_call, progress, request, tool_call,
};

/// The revisions in which a stream can be read on.
const RESUMING: [&str; 3] = ["2025-03-26", "2025-06-18", "2025-11-25"];

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_stream_that_is_cut_in_mid_call_is_read_on_with_every_event_exactly_once()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in RESUMING {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let mut beside = wire.beside();
        let (mut stream, mut call, last) = mid_stream(&mut wire, &a).await?;
        let token = call.request.progress_token();
        // Of these the client reads one; the others are on their way when it is cut.
        for step in 2..=4 {
            call.send(&progress(&token, step))?;
        }
        let (second, message) = stream.message().await?;
        assert_eq!(step_of(&message), Some(2), "{revision}, after {last:?}");
        drop((stream, wire));
        call.send(&progress(&token, 5))?;
        let after = second.id.context("an event without an id")?;
        let mut resumed = beside.get_after(&after).await?.events()?;
        for step in 3..=5 {
            let (_, message) = resumed.message().await?;
            assert_eq!(step_of(&message), Some(step), "{revision}: {message}");
        }
        // Cut again, and the result comes while nobody is there.
        let (sixth, _) = {
            call.send(&progress(&token, 6))?;
            resumed.message().await?
        };
        drop(resumed);
        call.result(&json!({ "content": [], "x": 1.0 }))?;
        let after = sixth.id.context("an event without an id")?;
        let mut again = beside_of(&beside).get_after(&after).await?.events()?;
        let rest = again.rest().await?;
        let [result] = rest.as_slice() else { anyhow::bail!("{revision}: {rest:?}") };
        assert_eq!(result.get("id"), Some(&json!(1)), "{revision}");
        assert_eq!(result.pointer("/result/x"), Some(&json!(1.0)), "{revision}");
        assert_eq!(a.count("notifications/cancelled"), 0, "{revision}: nobody cancelled");
        // And once more from an earlier place: the same again, in order.
        let mut from_second =
            beside_of(&beside).get_after(second_of(&after)?.as_str()).await?.events()?;
        let steps: Vec<_> = from_second.rest().await?.iter().filter_map(step_of).collect();
        assert_eq!(steps, [3, 4, 5, 6], "{revision}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn who_reads_on_elsewhere_is_told_there_alone() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in RESUMING {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let mut beside = wire.beside();
        let (mut stream, mut call, last) = mid_stream(&mut wire, &a).await?;
        let token = call.request.progress_token();
        let mut resumed = beside.get_after(&last).await?.events()?;
        call.send(&progress(&token, 2))?;
        let (_, message) = resumed.message().await?;
        assert_eq!(step_of(&message), Some(2), "{revision}");
        call.result(&json!({ "content": [] }))?;
        assert_eq!(resumed.rest().await?.len(), 1, "{revision}");
        // It has ended, and its connection can be used again.
        assert_eq!(stream.rest().await?, Vec::<Value>::new(), "{revision}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_question_that_was_asked_while_nobody_read_is_answered_by_who_reads_on()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in RESUMING {
        let able = json!({ "sampling": {} });
        let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able).await?;
        let mut beside = wire.beside();
        let (stream, mut call, last) = mid_stream(&mut wire, &a).await?;
        drop((stream, wire));
        call.send(&request(
            "0",
            "sampling/createMessage",
            &json!({ "messages": [], "maxTokens": 1 }),
        ))?;
        let mut resumed = beside.get_after(&last).await?.events()?;
        let asked = resumed.method("sampling/createMessage").await?;
        let answer = json!({ "jsonrpc": "2.0", "id": asked.get("id"), "result": { "here": 1 } });
        beside_of(&beside).tell(answer.to_string()).await?;
        let heard = a.visit_of(&call.request)?.answer("0").await?;
        assert_eq!(heard.pointer("/result/here"), Some(&json!(1)), "{revision}");
        call.result(&json!({ "content": [] }))?;
        assert_eq!(resumed.rest().await?.len(), 1, "{revision}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_get_stream_that_is_cut_is_read_on_with_what_was_said_meanwhile() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in RESUMING {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let mut own = wire.beside().listen().await?;
        let visit = one_call(&mut wire, &a, "a_work").await?;
        visit.say(&line("one")).await?;
        let (first, _) = own.message().await?;
        drop(own);
        for text in ["two", "three"] {
            visit.say(&line(text)).await?;
        }
        pinged(&visit).await?;
        let after = first.id.context("an event without an id")?;
        let mut resumed = wire.beside().get_after(&after).await?.events()?;
        visit.say(&line("four")).await?;
        for text in ["two", "three", "four"] {
            let (_, message) = resumed.message().await?;
            assert_eq!(
                message.pointer("/params/data"),
                Some(&json!(text)),
                "{revision}: {message}"
            );
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn an_event_id_that_is_garbled_foreign_or_evicted_is_a_bad_request() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "limits: { eventStoreEvents: 2 }\n").await?;
    for revision in RESUMING {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let (mut stream, mut call, first) = mid_stream(&mut wire, &a).await?;
        let token = call.request.progress_token();
        for step in 2..=6 {
            call.send(&progress(&token, step))?;
            stream.message().await?;
        }
        let mut beside = wire.beside();
        for last in [
            "",
            "-",
            "1",
            "1-",
            "-1",
            "zz",
            "1-zz",
            "99-1",
            "1-99",
            "1-1-1",
            "1--1",
            " ",
            "ffffffffffffffffffff-1",
            first.as_str(),
        ] {
            let answer = beside.get_after(last).await?;
            assert_eq!(answer.status.as_u16(), 400, "{revision}: `{last}`");
            anyhow::ensure!(!answer.whole().await?.body.is_empty(), "it says why");
        }
        let mut stranger = Wire::open(&gateway.url("/mcp"), revision).await?;
        let answer = stranger.beside().get_after(&first).await?;
        assert_eq!(answer.status.as_u16(), 400, "{revision}: another session's");
        stranger.session = None;
        assert_eq!(stranger.get_after(&first).await?.status.as_u16(), 400, "{revision}: nobody's");
        call.result(&json!({ "content": [] }))?;
        assert_eq!(stream.rest().await?.len(), 1, "{revision}: the stream goes on");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn event_ids_are_the_gateways_own_and_only_the_last_revision_has_streams_primed()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in testkit::REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let (reading, call) = tokio::join!(wire.post_and_read(tool_call("1", "a_work")), async {
            let mut call = a.call().await?;
            call.send_event("id: theirs-1\ndata:")?;
            let said = progress(&call.request.progress_token(), 1);
            call.send_event(&format!("id: theirs-2\ndata: {said}"))?;
            anyhow::Ok(call)
        });
        let (mut stream, call) = (reading?.events()?, call?);
        let first = stream.next().await?.context("no event")?;
        let is_primed = first.data.is_empty();
        assert_eq!(is_primed, revision == "2025-11-25", "{revision}: {first:?}");
        let next = if is_primed {
            let back = stream.next().await?.context("no event")?;
            anyhow::ensure!(back.retry.is_some(), "when to come back: {back:?}");
            stream.next().await?.context("no event")?
        } else {
            first
        };
        assert_eq!(next.id.is_some(), revision != "2024-11-05", "{revision}: {next:?}");
        let theirs = next.id.as_deref().is_some_and(|id| id.contains("theirs"));
        anyhow::ensure!(!theirs, "{revision}: a target's event id: {next:?}");
        call.result(&json!({ "content": [] }))?;
        stream.rest().await?;
        if let Some(id) = &next.id {
            beside_of(&wire).get_after(id).await?.events()?.rest().await?;
        }
    }
    for visit in a.visits.all().iter().chain(b.visits.all().iter()) {
        let resumed = visit.requests.find(|sent| sent.header("last-event-id").is_some());
        anyhow::ensure!(resumed.is_none(), "a client's event id upstream: {resumed:?}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_target_that_closes_a_primed_stream_is_asked_for_the_rest_and_so_is_the_gateway()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in testkit::REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let mut beside = wire.beside();
        let (reading, closed) = tokio::join!(wire.post_and_read(tool_call("1", "a_work")), async {
            let mut call = a.call().await?;
            call.send_event("id: theirs-1\nretry: 10\ndata:")?;
            let visit = a.visit_of(&call.request)?;
            let (id, token) = (call.request.id(), call.request.progress_token());
            call.send_event(&format!("id: theirs-2\ndata: {}", progress(&token, 1)))?;
            call.end()?;
            let resumed = |sent: &testkit::RawRequest| sent.header("last-event-id").is_some();
            let asked = visit.requests.first("a GET for the rest", resumed).await?;
            assert_eq!(asked.header("last-event-id").as_deref(), Some("theirs-2"), "{revision}");
            let result = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[]}}}}"#);
            visit.say(&result).await?;
            anyhow::Ok(())
        });
        closed?;
        let mut stream = reading?.events()?;
        let mut events: Vec<Event> = Vec::new();
        while let Some(event) = stream.next().await? {
            events.push(event);
        }
        let says_when = events.iter().any(|event| event.retry.is_some());
        assert_eq!(says_when, revision == "2025-11-25", "{revision}: {events:?}");
        let mut messages: Vec<Value> = messages_of(&events);
        if says_when {
            let last = events.iter().rev().find_map(|event| event.id.clone());
            let last = last.context("no event id")?;
            messages.extend(beside.get_after(&last).await?.events()?.rest().await?);
        }
        assert_eq!(messages.len(), 2, "{revision}: {messages:?}");
        assert_eq!(messages.iter().filter_map(step_of).collect::<Vec<_>>(), [1], "{revision}");
        let result = messages.last().and_then(|message| message.get("result"));
        anyhow::ensure!(result.is_some(), "{revision}: {messages:?}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_client_of_a_revision_without_resuming_that_leaves_does_not_end_its_call()
-> anyhow::Result<()> {
    let server = RawServer::start(Framing::Events).await?;
    let none = std::path::Path::new("none");
    let gateway = Gateway::native(&format!("targets:\n{}", server.target("raw", none))).await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2024-11-05").await?;
    let beside = wire.beside();
    let (reading, call) = tokio::join!(wire.post_and_read(tool_call("1", "work")), async {
        let mut call = server.call().await?;
        call.send(&progress(&call.request.progress_token(), 1))?;
        anyhow::Ok(call)
    });
    let mut stream = reading?.events()?;
    stream.method("notifications/progress").await?;
    drop((stream, wire));
    let call = call?;
    call.result(&json!({ "content": [] }))?;
    let (answer, answered) =
        tokio::join!(async { beside_of(&beside).post(tool_call("2", "work")).await }, async {
            server.call().await?.result(&json!({ "content": [] }))
        });
    answered?;
    anyhow::ensure!(answer?.status.is_success(), "the session goes on");
    assert_eq!(server.count("notifications/cancelled"), 0);
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_clients_stream_outlives_that_of_its_target_and_hears_of_what_may_have_changed()
-> anyhow::Result<()> {
    for revision in testkit::REVISIONS {
        let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
        let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let mut own = wire.beside().listen().await?;
        let visit = one_call(&mut wire, &a, "a_work").await?;
        visit.has_streams(1).await?;
        a.answers(another_tool);
        for visit in a.visits.all() {
            visit.has_streams(1).await?;
            visit.cut().await?;
        }
        own.method("notifications/tools/list_changed").await?;
        visit.has_streams(2).await?;
        visit.say(&line("after")).await?;
        let heard = own.method("notifications/message").await?;
        assert_eq!(heard.pointer("/params/data"), Some(&json!("after")), "{revision}");
        assert_eq!(wire.tools().await?, ["a_other", "b_work"], "{revision}");
    }
    Ok(())
}

fn another_tool(method: &str, params: &Value) -> Option<Value> {
    match method {
        "tools/list" => {
            Some(json!({ "tools": [{ "name": "other", "inputSchema": { "type": "object" } }] }))
        }
        _ => testkit::one_tool(method, params),
    }
}

/// A call in mid-stream and the id of its last event.
async fn mid_stream(
    wire: &mut Wire,
    host: &Host,
) -> anyhow::Result<(EventStream, testkit::RawCall, String)> {
    let (mut stream, mut call) = in_mid_stream(wire, host, "1", "a_work").await?;
    call.send(&notification("notifications/message", &json!({ "level": "error", "data": "x" })))?;
    let (event, _) = stream.message().await?;
    Ok((stream, call, event.id.context("an event without an id")?))
}

fn beside_of(wire: &Wire) -> Wire {
    wire.beside()
}

fn messages_of(events: &[Event]) -> Vec<Value> {
    events.iter().filter(|event| !event.data.is_empty()).map(Event::message).collect()
}

/// The place of the third event of the same stream: the log line is the second, progress 2 the third.
fn second_of(id: &str) -> anyhow::Result<String> {
    let (stream, _) = id.split_once('-').context("an id of another form")?;
    Ok(format!("{stream}-3"))
}

fn step_of(message: &Value) -> Option<u64> {
    message.pointer("/params/progress")?.as_u64()
}

fn line(text: &str) -> String {
    notification("notifications/message", &json!({ "level": "error", "data": text }))
}

/// Everything that was said on the GET stream before has been heard: a ping is answered after it.
async fn pinged(visit: &Visit) -> anyhow::Result<()> {
    visit.say(&request("\"ping\"", "ping", &json!({}))).await?;
    visit.answer("\"ping\"").await.map(drop)
}
