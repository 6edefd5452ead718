//! What a federation must not get wrong between a client's name, page, cancellation or id and the one target that it
//! concerns.

use serde_json::{Value, json};
use testkit::{
    Host, REVISIONS, Wire, gateway_of, in_mid_stream, notification, one_call, one_tool, request,
};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn all_pages_of_all_targets_reach_the_client_once() -> anyhow::Result<()> {
    let (a, b, c) =
        (Host::start(pages).await?, Host::start(empty_cursor).await?, Host::start(circle).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b), ("c", &c)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let tools = wire.tools().await?;
        let of = |target: &str| -> Vec<&String> {
            tools.iter().filter(|tool| tool.starts_with(target)).collect()
        };
        assert_eq!(of("a_"), ["a_one", "a_two", "a_three"], "{revision}");
        assert_eq!(of("b_"), ["b_first", "b_second"], "{revision}: an empty cursor is one");
        assert_eq!(of("c_"), ["c_round"], "{revision}: a circle ends");
    }
    for visit in b.visits.all() {
        let cursors: Vec<Value> = visit
            .requests
            .all()
            .iter()
            .filter(|sent| sent.is("tools/list"))
            .filter_map(|sent| sent.message().pointer("/params/cursor").cloned())
            .collect();
        anyhow::ensure!(cursors.iter().all(|cursor| cursor == ""), "another's cursor: {cursors:?}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_cursor_that_the_gateway_did_not_give_is_an_invalid_parameter() -> anyhow::Result<()> {
    let (a, b) = (Host::start(pages).await?, Host::start(empty_cursor).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        for method in ["tools/list", "prompts/list", "resources/list", "resources/templates/list"] {
            for cursor in ["", "2", "garbled", "\u{0}"] {
                let answer = wire.request(method, json!({ "cursor": cursor })).await?;
                let code = answer.pointer("/error/code");
                assert_eq!(code, Some(&json!(-32602)), "{revision} {method} `{cursor}`: {answer}");
            }
        }
    }
    for visit in a.visits.all().iter().chain(&b.visits.all()) {
        let garbled = visit.requests.find(|sent| sent.body.contains("garbled"));
        anyhow::ensure!(garbled.is_none(), "a client's cursor upstream: {garbled:?}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_cancellation_reaches_the_one_target_that_has_the_call() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        // The same id in three places: of another client at this target, of this client as a text, at the other target.
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let mut other = Wire::open(&gateway.url("/mcp"), revision).await?;
        let (mut as_text, mut elsewhere) = (wire.beside(), other.beside());
        let (_one, call) = in_mid_stream(&mut wire, &a, "1", "a_work").await?;
        let (mut two, call_two) = in_mid_stream(&mut as_text, &a, "\"1\"", "a_work").await?;
        let (mut three, call_three) = in_mid_stream(&mut other, &a, "1", "a_work").await?;
        let (mut four, call_four) = in_mid_stream(&mut elsewhere, &b, "2", "b_work").await?;
        let why = json!({ "requestId": 1, "reason": "enough", "x": 1.0 });
        wire.beside().tell(notification("notifications/cancelled", &why)).await?;
        let visit = a.visit_of(&call.request)?;
        let told = visit.sees("notifications/cancelled").await?.message();
        let known = told.pointer("/params/requestId").map(Value::to_string);
        assert_eq!(known, Some(call.request.id()), "{revision}: the id that the target knows");
        assert_eq!(told.pointer("/params/reason"), why.get("reason"), "{revision}: {told}");
        assert_eq!(told.pointer("/params/x"), why.get("x"), "{revision}: {told}");
        // Unknown ids concern nobody.
        for unknown in [json!(1), json!(2), json!("x")] {
            let cancel = notification("notifications/cancelled", &json!({ "requestId": unknown }));
            wire.beside().tell(cancel).await?;
        }
        for (stream, call) in
            [(&mut two, call_two), (&mut three, call_three), (&mut four, call_four)]
        {
            call.result(&json!({ "content": [] }))?;
            let rest = stream.rest().await?;
            anyhow::ensure!(
                rest.len() == 1 && rest.iter().all(|last| last.get("result").is_some()),
                "{revision}: {rest:?}"
            );
        }
        assert_eq!(visit.count("notifications/cancelled"), 1, "{revision}");
        for target in [&wire, &other] {
            target.beside().delete().await?;
        }
    }
    assert_eq!(a.count("notifications/cancelled"), REVISIONS.len(), "once each");
    assert_eq!(b.count("notifications/cancelled"), 0, "the other target has no such call");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn names_that_a_prefix_could_confuse_are_distinct_and_each_reaches_its_own()
-> anyhow::Result<()> {
    let (a, b, c) = (
        Host::start(confusing).await?,
        Host::start(confusing).await?,
        Host::start(confusing).await?,
    );
    let hosts = [("a", &a), ("a-b", &b), ("a-work", &c)];
    let gateway = gateway_of(&hosts, "").await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-11-25").await?;
    let tools = wire.tools().await?;
    let distinct: std::collections::BTreeSet<&String> = tools.iter().collect();
    assert_eq!(distinct.len(), 3 * 5, "{tools:?}");
    anyhow::ensure!(tools.iter().all(|tool| tool.len() <= 128), "{tools:?}");
    assert_eq!(wire.tools().await?, tools, "the same order");
    let again = gateway_of(&hosts, "").await?;
    let mut there = Wire::open(&again.url("/mcp"), "2024-11-05").await?;
    assert_eq!(there.tools().await?, tools, "on another replica too");
    for (place, tool) in tools.iter().enumerate() {
        let host = match place / 5 {
            0 => &a,
            1 => &b,
            _ => &c,
        };
        let before = host.count("tools/call");
        one_call(&mut wire, host, tool).await?;
        assert_eq!(host.count("tools/call"), before + 1, "{tool}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_target_that_hangs_costs_a_list_its_deadline_at_most_and_keeps_what_was_known()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-11-25").await?;
    let visit = one_call(&mut wire, &a, "a_work").await?;
    assert_eq!(wire.tools().await?, ["a_work", "b_work"]);
    // From now on it answers no list.
    a.answers(
        |method, params| if method == "tools/list" { None } else { one_tool(method, params) },
    );
    visit.say(&notification("notifications/tools/list_changed", &json!({}))).await?;
    let _hanging = a.call().await?;
    assert_eq!(wire.tools().await?, ["a_work", "b_work"], "nothing was removed");
    one_call(&mut wire, &b, "b_work").await?;
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn what_a_legacy_endpoint_is_asked_without_a_session_has_its_own_answer() -> anyhow::Result<()>
{
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    let mut nobody = Wire::new(&gateway.url("/mcp"))?;
    assert_eq!(nobody.delete().await?.status.as_u16(), 405, "DELETE without a session");
    let versioned = nobody.get_with(&[("mcp-protocol-version", "2025-11-25")]).await?;
    assert_eq!(versioned.status.as_u16(), 405, "GET without a session");
    let anything = nobody.get_with(&[("accept", "*/*")]).await?;
    assert_eq!(anything.status.as_u16(), 405, "GET of a browser");
    let (first, _) = nobody.beside().listen().await?.message().await?;
    anyhow::ensure!(first.data.starts_with("/mcp?"), "a client of HTTP+SSE is told: {first:?}");
    assert_eq!(nobody.beside().get_after("1-1").await?.status.as_u16(), 400);
    let batch = format!("[{}]", request("1", "ping", &json!({})));
    let answer = nobody.post(batch.clone()).await?;
    anyhow::ensure!(answer.status.is_success(), "no version is 2025-03-26, which has batches");
    for revision in REVISIONS {
        let headers = [("mcp-protocol-version", revision)];
        let answer = nobody.post_with(batch.clone(), &headers).await?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        let is_taken = !text.contains("-32600");
        assert_eq!(is_taken, revision == "2025-03-26", "{revision}: {text}");
        // On a session another legacy revision is accepted.
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        for other in REVISIONS {
            let headers = [("mcp-protocol-version", other)];
            let answer = wire.post_with(request("1", "ping", &json!({})), &headers).await?;
            anyhow::ensure!(answer.status.is_success(), "{revision} {other}");
        }
        let headers = [("mcp-protocol-version", "1999-01-01")];
        let answer = wire.post_with(request("1", "ping", &json!({})), &headers).await?;
        assert_eq!(answer.status.as_u16(), 400, "{revision}");
        let opening =
            format!("[{}]", request("1", "initialize", &json!({ "protocolVersion": revision })));
        let answer = nobody.post(opening).await?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        anyhow::ensure!(text.contains("-32600"), "`initialize` in a batch: {text}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_session_that_a_target_forgot_is_opened_anew_and_the_call_executed_once()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let id = wire.session.clone().unwrap_or_default();
        anyhow::ensure!(id.bytes().all(|byte| (0x21..=0x7e).contains(&byte)), "{id}");
        let first = one_call(&mut wire, &a, "a_work").await?;
        a.forget(&first);
        let before = a.count("tools/call");
        let second = one_call(&mut wire, &a, "a_work").await?;
        assert_ne!(first.id, second.id, "{revision}");
        assert_eq!(a.count("tools/call"), before + 1, "{revision}: executed once");
        assert_eq!(wire.session.as_deref(), Some(id.as_str()), "{revision}: the client's stays");
        anyhow::ensure!(wire.delete().await?.status.is_success(), "{revision}: not deleted");
        let answer = wire.post(request("9", "ping", &json!({}))).await?;
        assert_eq!(answer.status.as_u16(), 404, "{revision}: a session that is gone");
        assert_eq!(wire.beside().get().await?.status.as_u16(), 404, "{revision}");
        assert_eq!(wire.beside().delete().await?.status.as_u16(), 404, "{revision}");
    }
    Ok(())
}

fn tools(names: &[&str]) -> Value {
    let tools =
        names.iter().map(|name| json!({ "name": name, "inputSchema": { "type": "object" } }));
    tools.collect()
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

fn confusing(method: &str, params: &Value) -> Option<Value> {
    if method != "tools/list" {
        return one_tool(method, params);
    }
    let long = "x".repeat(128);
    Some(json!({ "tools": tools(&["work", "b_work", "-b_work", "work_work", &long]) }))
}
