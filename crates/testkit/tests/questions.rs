//! What a target asks a client (roots, sampling, elicitation): it reaches that client on the right stream under an id
//! of its own, and the answer, the progress, the refusal and the withdrawal find their way back.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{
    EventStream, Host, REVISIONS, Wire, gateway_of, in_mid_stream, notification, one_call, request,
    response, tool_call,
};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn two_targets_that_ask_with_the_same_id_at_the_same_time_get_their_own_answers()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        for (id_of_a, id_of_b) in [("0", "0"), ("0", "\"0\""), ("\"0\"", "0"), ("\"0\"", "\"0\"")] {
            let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
            let mut beside = wire.beside();
            let (mut stream_a, mut call_a) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
            let (mut stream_b, mut call_b) = in_mid_stream(&mut beside, &b, "2", "b_work").await?;
            call_a.send(&question(revision, id_of_a, "of a"))?;
            call_b.send(&question(revision, id_of_b, "of b"))?;
            let asked_by_a = asked(&mut stream_a, revision).await?;
            let asked_by_b = asked(&mut stream_b, revision).await?;
            assert_ne!(id(&asked_by_a), id(&asked_by_b), "one client, two questions");
            // The one that was asked last is answered first.
            let mut third = wire.beside();
            third.tell(response(id(&asked_by_b), &json!({ "for": "b" }))).await?;
            third.tell(response(id(&asked_by_a), &json!({ "for": "a" }))).await?;
            for (host, call, id, name) in [(&a, &call_a, id_of_a, "a"), (&b, &call_b, id_of_b, "b")]
            {
                let visit = host.visit_of(&call.request)?;
                let answer = visit.answer(id).await?;
                assert_eq!(answer.pointer("/result/for"), Some(&json!(name)), "{revision}");
                let answers = visit
                    .requests
                    .all()
                    .into_iter()
                    .filter(|sent| sent.message().get("result").is_some());
                assert_eq!(answers.count(), 1, "{revision}: one question, one answer");
            }
            call_a.result(&json!({ "content": [] }))?;
            call_b.result(&json!({ "content": [] }))?;
            assert_eq!(stream_a.rest().await?.len(), 1);
            assert_eq!(stream_b.rest().await?.len(), 1);
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_question_that_is_withdrawn_in_its_call_is_withdrawn_there_by_the_clients_id()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
        let mut own = wire.beside().listen().await?;
        let (mut stream, mut call) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
        call.send(&question(revision, "0", "?"))?;
        let asked = asked(&mut stream, revision).await?;
        call.send(&withdrawal(0))?;
        let withdrawn = stream.method("notifications/cancelled").await?;
        assert_eq!(withdrawn.pointer("/params/requestId"), Some(id(&asked)), "{revision}");
        // Who answers all the same is not refused, and nobody hears of it.
        wire.beside().tell(response(id(&asked), &json!({ "late": true }))).await?;
        let visit = a.visit_of(&call.request)?;
        call.result(&json!({ "content": [] }))?;
        assert_eq!(stream.rest().await?.len(), 1, "{revision}");
        let late = visit.requests.find(|sent| sent.body.contains("late"));
        anyhow::ensure!(late.is_none(), "{revision}: {late:?}");
        hears_nothing_before_a_question(&mut own, &visit, revision).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_question_of_a_call_that_is_withdrawn_outside_of_it_is_withdrawn_on_its_stream()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
        let _own = wire.beside().listen().await?;
        let (mut stream, mut call) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
        call.send(&question(revision, "0", "?"))?;
        let asked = asked(&mut stream, revision).await?;
        a.visit_of(&call.request)?.say(&withdrawal(0)).await?;
        let withdrawn = stream.method("notifications/cancelled").await?;
        assert_eq!(withdrawn.pointer("/params/requestId"), Some(id(&asked)), "{revision}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_user_is_told_which_target_asks_unless_the_operator_says_otherwise() -> anyhow::Result<()>
{
    let revision = "2025-11-25";
    for (label, message) in [("target", "[a] ?"), ("none", "?")] {
        let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
        let backend = format!(
            "backends:\n- name: all\n  targets: [a, b]\n  elicitationLabel: {label}\nroutes:\n- name: all\n  path: /mcp\n  backend: all\n"
        );
        let gateway = gateway_of(&[("a", &a), ("b", &b)], &backend).await?;
        let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
        let (mut stream, mut call) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
        call.send(&question(revision, "0", "?"))?;
        let asked = asked(&mut stream, revision).await?;
        assert_eq!(asked.pointer("/params/message"), Some(&json!(message)));
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_withdrawal_of_one_target_leaves_the_same_id_of_another_open() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    let revision = "2025-11-25";
    let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
    let mut beside = wire.beside();
    let (mut stream_a, mut call_a) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
    let (mut stream_b, mut call_b) = in_mid_stream(&mut beside, &b, "2", "b_work").await?;
    call_a.send(&question(revision, "0", "?"))?;
    call_b.send(&question(revision, "0", "?"))?;
    let asked_by_a = asked(&mut stream_a, revision).await?;
    let asked_by_b = asked(&mut stream_b, revision).await?;
    call_a.send(&withdrawal(0))?;
    let withdrawn = stream_a.method("notifications/cancelled").await?;
    assert_eq!(withdrawn.pointer("/params/requestId"), Some(id(&asked_by_a)));
    wire.beside().tell(response(id(&asked_by_b), &json!({ "for": "b" }))).await?;
    let answer = b.visit_of(&call_b.request)?.answer("0").await?;
    assert_eq!(answer.pointer("/result/for"), Some(&json!("b")));
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_clients_progress_on_a_question_reaches_the_target_by_its_own_token() -> anyhow::Result<()>
{
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        for token in [json!(7), json!("7"), json!(0)] {
            let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
            let (mut stream, mut call) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
            let params =
                json!({ "messages": [], "maxTokens": 1, "_meta": { "progressToken": token } });
            call.send(&request("0", "sampling/createMessage", &params))?;
            let asked = stream.method("sampling/createMessage").await?;
            let seen = asked.pointer("/params/_meta/progressToken").context("no token")?;
            let said = json!({ "progressToken": seen, "progress": 0.5, "message": "half" });
            wire.beside().tell(notification("notifications/progress", &said)).await?;
            let visit = a.visit_of(&call.request)?;
            let heard = visit.sees("notifications/progress").await?.message();
            assert_eq!(heard.pointer("/params/progressToken"), Some(&token), "{revision}");
            assert_eq!(heard.pointer("/params/message"), Some(&json!("half")));
            wire.beside().tell(response(id(&asked), &json!({}))).await?;
            visit.answer("0").await?;
            assert_eq!(b.count("notifications/progress"), 0, "nobody else's");
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_clients_refusal_reaches_the_target_with_its_own_id() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        for own in ["0", "\"0\"", "9007199254740993", "\"\\u0041\""] {
            let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
            let (mut stream, mut call) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
            call.send(&question(revision, own, "?"))?;
            let asked = asked(&mut stream, revision).await?;
            let error = json!({ "code": -1, "message": "no", "data": { "x": 1.0 } });
            let refusal = json!({ "jsonrpc": "2.0", "id": id(&asked), "error": error });
            wire.beside().tell(refusal.to_string()).await?;
            let visit = a.visit_of(&call.request)?;
            let parsed: Value = serde_json::from_str(own)?;
            let heard = visit.answer(&parsed.to_string()).await?;
            assert_eq!(heard.get("error"), Some(&error), "{revision}");
            let raw = visit.requests.find(|sent| sent.body.contains(&format!("\"id\":{own}")));
            anyhow::ensure!(raw.is_some(), "{revision}: not the id as it was written: {own}");
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_question_outside_of_calls_comes_on_the_get_stream_and_on_no_other() -> anyhow::Result<()>
{
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
        let mut own = wire.beside().listen().await?;
        let (mut stream, call) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
        let visit = a.visit_of(&call.request)?;
        visit.say(&question(revision, "0", "?")).await?;
        let asked = asked(&mut own, revision).await?;
        visit.say(&withdrawal(0)).await?;
        let withdrawn = own.method("notifications/cancelled").await?;
        assert_eq!(withdrawn.pointer("/params/requestId"), Some(id(&asked)), "{revision}");
        visit.say(&question(revision, "\"0\"", "?")).await?;
        let asked_again = self::asked(&mut own, revision).await?;
        wire.beside().tell(response(id(&asked_again), &json!({ "own": true }))).await?;
        let answer = visit.answer("\"0\"").await?;
        assert_eq!(answer.pointer("/result/own"), Some(&json!(true)), "{revision}");
        call.result(&json!({ "content": [] }))?;
        assert_eq!(stream.rest().await?.len(), 1, "{revision}: nothing but the result");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_question_outside_of_calls_comes_on_an_open_call_where_there_is_no_get_stream()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
        let (mut stream, call) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
        let visit = a.visit_of(&call.request)?;
        visit.say(&question(revision, "0", "?")).await?;
        let asked = asked(&mut stream, revision).await?;
        wire.beside().tell(response(id(&asked), &json!({ "own": true }))).await?;
        let answer = visit.answer("0").await?;
        assert_eq!(answer.pointer("/result/own"), Some(&json!(true)), "{revision}");
        call.result(&json!({ "content": [] }))?;
        assert_eq!(stream.rest().await?.len(), 1, "{revision}: nothing but the result");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_question_that_found_no_stream_comes_on_the_next_get_stream() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
        let visit = one_call(&mut wire, &a, "a_work").await?;
        visit.say(&question(revision, "0", "?")).await?;
        pinged(&visit).await?;
        let asked = asked(&mut wire.beside().listen().await?, revision).await?;
        wire.beside().tell(response(id(&asked), &json!({}))).await?;
        visit.answer("0").await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_question_that_found_no_stream_comes_on_the_next_call() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
        let visit = one_call(&mut wire, &a, "a_work").await?;
        visit.say(&question(revision, "0", "?")).await?;
        pinged(&visit).await?;
        let body = tool_call("2", "a_work");
        let (reading, call) = tokio::join!(wire.post_and_read(body), async {
            let mut call = a.call().await?;
            call.send(&testkit::progress(&call.request.progress_token(), 1))?;
            anyhow::Ok(call)
        });
        let (mut stream, _call) = (reading?.events()?, call?);
        let asked = asked(&mut stream, revision).await?;
        wire.beside().tell(response(id(&asked), &json!({}))).await?;
        visit.answer("0").await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_client_without_the_capability_is_not_asked() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let (mut stream, mut call) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
        let visit = a.visit_of(&call.request)?;
        call.send(&question(revision, "0", "?"))?;
        visit.say(&question(revision, "1", "?")).await?;
        for id in ["0", "1"] {
            let answer = visit.answer(id).await?;
            assert_eq!(answer.pointer("/error/code"), Some(&json!(-32601)), "{revision}");
        }
        call.result(&json!({ "content": [] }))?;
        assert_eq!(stream.rest().await?.len(), 1, "{revision}: nothing but the result");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_session_that_ends_answers_what_its_targets_still_ask() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open_with(&gateway.url("/mcp"), revision, able(revision)).await?;
        let mut own = wire.beside().listen().await?;
        let (mut stream, mut call) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
        let visit = a.visit_of(&call.request)?;
        call.send(&question(revision, "0", "?"))?;
        asked(&mut stream, revision).await?;
        visit.say(&question(revision, "\"0\"", "?")).await?;
        asked(&mut own, revision).await?;
        wire.beside().delete().await?;
        visit.answer("0").await.context("asked in a call")?;
        visit.answer("\"0\"").await.context("asked outside of calls")?;
    }
    Ok(())
}

/// What a client of this revision can be asked.
fn able(revision: &str) -> Value {
    match revision {
        "2024-11-05" | "2025-03-26" => json!({ "roots": { "listChanged": true }, "sampling": {} }),
        _ => json!({ "roots": { "listChanged": true }, "sampling": {}, "elicitation": {} }),
    }
}

/// What a target may ask a client of this revision.
fn method(revision: &str) -> &'static str {
    match revision {
        "2024-11-05" | "2025-03-26" => "sampling/createMessage",
        _ => "elicitation/create",
    }
}

fn question(revision: &str, id: &str, message: &str) -> String {
    let params = match method(revision) {
        "elicitation/create" => {
            json!({ "message": message, "requestedSchema": { "type": "object", "properties": {} } })
        }
        _ => json!({ "messages": [], "maxTokens": 1, "systemPrompt": message }),
    };
    request(id, method(revision), &params)
}

async fn asked(stream: &mut EventStream, revision: &str) -> anyhow::Result<Value> {
    stream.method(method(revision)).await
}

fn withdrawal(id: u64) -> String {
    notification("notifications/cancelled", &json!({ "requestId": id, "reason": "too late" }))
}

fn id(message: &Value) -> &Value {
    message.get("id").unwrap_or(&Value::Null)
}

/// What came on a GET stream until now was nothing.
async fn hears_nothing_before_a_question(
    own: &mut EventStream,
    visit: &testkit::Visit,
    revision: &str,
) -> anyhow::Result<()> {
    visit.say(&question(revision, "99", "last")).await?;
    let (_, first) = own.message().await?;
    assert_eq!(first.get("method"), Some(&json!(method(revision))), "{revision}: {first}");
    Ok(())
}

/// Everything that was said on the GET stream before has been heard: a ping is answered after it.
async fn pinged(visit: &testkit::Visit) -> anyhow::Result<()> {
    visit.say(&request("\"ping\"", "ping", &json!({}))).await?;
    visit.answer("\"ping\"").await.map(drop)
}
