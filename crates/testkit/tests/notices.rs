//! What a target says without being asked: progress, log lines, changes of lists and resources reach the clients that
//! they concern, as those asked for them, and nobody else.

use serde_json::{Value, json};
use testkit::{
    Gateway, Host, REVISIONS, Visit, Wire, gateway_of, in_mid_stream, notification, one_call,
    progress, request, tool_call,
};

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn two_clients_with_the_same_progress_token_hear_their_own_and_nothing_after_the_result()
-> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        for (one, two) in [("1", "1"), ("\"1\"", "1"), ("0", "\"\"")] {
            let mut first = Wire::open(&gateway.url("/mcp"), revision).await?;
            let mut second = Wire::open(&gateway.url("/mcp"), revision).await?;
            let (mut of_first, mut call_one) = in_mid_stream(&mut first, &a, one, "a_work").await?;
            let (mut of_second, mut call_two) =
                in_mid_stream(&mut second, &a, two, "a_work").await?;
            let token_one = call_one.request.progress_token();
            let token_two = call_two.request.progress_token();
            assert_ne!(token_one, token_two, "{revision}: one token for two calls");
            for step in 2..=5 {
                call_two.send(&progress(&token_two, 100 + step))?;
                call_one.send(&progress(&token_one, step))?;
            }
            // Of another call, and of none: both are nobody's.
            call_one.send(&progress(&token_two, 999))?;
            call_one.send(&progress("\"unknown\"", 999))?;
            call_one.send(&done(&call_one.request.id()))?;
            call_one.send(&progress(&token_one, 6))?;
            a.visit_of(&call_one.request)?.say(&progress(&token_one, 7)).await?;
            call_one.end()?;
            call_two.result(&json!({ "content": [] }))?;
            for (stream, token, start) in [(&mut of_first, one, 0), (&mut of_second, two, 100)] {
                let heard = stream.rest().await?;
                let token: Value = serde_json::from_str(token)?;
                let steps: Vec<_> = heard
                    .iter()
                    .filter(|message| message.pointer("/params/progressToken") == Some(&token))
                    .filter_map(|message| message.pointer("/params/progress")?.as_u64())
                    .collect();
                let wanted: Vec<u64> = (2..=5).map(|step| start + step).collect();
                assert_eq!(steps, wanted, "{revision}: {heard:?}");
                assert_eq!(heard.len(), 5, "{revision}: four and the result: {heard:?}");
            }
        }
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn an_update_of_a_sub_resource_reaches_who_subscribed_above_it_by_the_clients_uri()
-> anyhow::Result<()> {
    let (a, b) = (Host::start(files).await?, Host::start(files).await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let mut other = Wire::open(&gateway.url("/mcp"), revision).await?;
        let mut own = wire.beside().listen().await?;
        let mut others = other.beside().listen().await?;
        let uris = resources(&mut wire).await?;
        let [of_a, of_b] = uris.as_slice() else { anyhow::bail!("two resources, not {uris:?}") };
        assert_ne!(of_a, of_b, "two targets with one URI");
        let answer = wire.request("resources/subscribe", json!({ "uri": of_a })).await?;
        anyhow::ensure!(answer.get("result").is_some(), "{revision}: {answer}");
        let answer = other.request("resources/subscribe", json!({ "uri": of_b })).await?;
        anyhow::ensure!(answer.get("result").is_some(), "{revision}: {answer}");
        let visit = subscriber(&a)?;
        visit.say(&updated("file:///dir/below.txt")).await?;
        visit.say(&updated("file:///dir")).await?;
        let first = own.method("notifications/resources/updated").await?;
        let expected = of_a.replace("file:///dir", "file:///dir/below.txt");
        assert_eq!(first.pointer("/params/uri"), Some(&json!(expected)), "{revision}");
        let second = own.method("notifications/resources/updated").await?;
        assert_eq!(second.pointer("/params/uri"), Some(&json!(of_a)), "{revision}");
        // What it says can be read.
        let read = wire.request("resources/read", json!({ "uri": expected })).await?;
        anyhow::ensure!(read.get("result").is_some(), "{revision}: {read}");
        // The other hears of the other target alone.
        subscriber(&b)?.say(&updated("file:///dir/of-b")).await?;
        let heard = others.method("notifications/resources/updated").await?;
        let expected = of_b.replace("file:///dir", "file:///dir/of-b");
        assert_eq!(heard.pointer("/params/uri"), Some(&json!(expected)), "{revision}");
        let answer = wire.request("resources/unsubscribe", json!({ "uri": of_a })).await?;
        anyhow::ensure!(answer.get("result").is_some(), "{revision}: {answer}");
        let told = visit.sees("resources/unsubscribe").await?.message();
        assert_eq!(told.pointer("/params/uri"), Some(&json!("file:///dir")), "{revision}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn the_level_of_one_client_does_not_flood_another() -> anyhow::Result<()> {
    let (a, b) = (Host::start(logs).await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    for revision in REVISIONS {
        let mut loud = Wire::open(&gateway.url("/mcp"), revision).await?;
        let mut quiet = Wire::open(&gateway.url("/mcp"), revision).await?;
        let mut of_loud = loud.beside().listen().await?;
        let mut of_quiet = quiet.beside().listen().await?;
        let visit_of_loud = one_call(&mut loud, &a, "a_work").await?;
        let visit_of_quiet = one_call(&mut quiet, &a, "a_work").await?;
        one_call(&mut loud, &b, "b_work").await?;
        // One of the targets has no logging, and nobody has to know.
        set_level(&mut loud, "debug").await?;
        set_level(&mut quiet, "error").await?;
        for visit in [&visit_of_loud, &visit_of_quiet] {
            visit.say(&line("debug")).await?;
            visit.say(&line("error")).await?;
        }
        let (_, heard) = of_loud.message().await?;
        assert_eq!(heard.pointer("/params/level"), Some(&json!("debug")), "{revision}");
        let (_, heard) = of_loud.message().await?;
        assert_eq!(heard.pointer("/params/level"), Some(&json!("error")), "{revision}");
        let (_, heard) = of_quiet.message().await?;
        assert_eq!(heard.pointer("/params/level"), Some(&json!("error")), "{revision}");
        // In a call too.
        let (mut stream, mut call) = in_mid_stream(&mut quiet, &a, "1", "a_work").await?;
        call.send(&line("info"))?;
        call.send(&line("critical"))?;
        let (_, heard) = stream.message().await?;
        assert_eq!(heard.pointer("/params/level"), Some(&json!("critical")), "{revision}");
        call.result(&json!({ "content": [] }))?;
        assert_eq!(stream.rest().await?.len(), 1, "{revision}");
        let told = visit_of_quiet.sees("logging/setLevel").await?.message();
        assert_eq!(told.pointer("/params/level"), Some(&json!("error")), "{revision}");
    }
    assert_eq!(b.count("logging/setLevel"), 0, "it has no logging");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn clients_that_share_a_target_without_sessions_hear_log_lines_by_their_own_level()
-> anyhow::Result<()> {
    let (a, b) = (Host::start(logs).await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    let mut early = Wire::open(&gateway.url("/mcp"), "2025-11-25").await?;
    // Set before anything is open at the target: it is told when something is.
    set_level(&mut early, "warning").await?;
    let visit = one_call(&mut early, &a, "a_work").await?;
    let told = visit.sees("logging/setLevel").await?.message();
    assert_eq!(told.pointer("/params/level"), Some(&json!("warning")));
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_change_of_a_list_comes_on_the_next_stream_of_a_call_where_there_is_no_get_stream()
-> anyhow::Result<()> {
    for revision in REVISIONS {
        let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
        let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
        check_pending_change(&gateway, &a, "a_work", revision).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_change_of_the_only_targets_list_comes_on_the_next_stream_of_a_call() -> anyhow::Result<()>
{
    for revision in REVISIONS {
        let a = Host::of_one_tool().await?;
        let gateway = gateway_of(&[("a", &a)], "").await?;
        check_pending_change(&gateway, &a, "work", revision).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn changes_that_come_together_are_told_once_per_kind() -> anyhow::Result<()> {
    let (a, b) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-11-25").await?;
    let mut own = wire.beside().listen().await?;
    let of_a = one_call(&mut wire, &a, "a_work").await?;
    let of_b = one_call(&mut wire, &b, "b_work").await?;
    for host in [&a, &b] {
        host.answers(grown);
    }
    for _ in 0..20 {
        for visit in [&of_a, &of_b] {
            visit.say(&notification("notifications/tools/list_changed", &json!({}))).await?;
        }
    }
    own.method("notifications/tools/list_changed").await?;
    // Both targets' new tools may be in one menu or in two; not more.
    until(&mut wire, |tools| tools.len() == 4).await?;
    of_a.say(&notification("notifications/message", &json!({ "level": "error", "data": "end" })))
        .await?;
    let mut more = 0;
    loop {
        let (_, message) = own.message().await?;
        match message.get("method").and_then(Value::as_str) {
            Some("notifications/tools/list_changed") => more += 1,
            _ => break,
        }
    }
    anyhow::ensure!(more <= 1, "{} notifications for two changes", more + 1);
    Ok(())
}

/// The tools change while no stream is open; the next one says so, once.
async fn check_pending_change(
    gateway: &Gateway,
    host: &Host,
    tool: &str,
    revision: &str,
) -> anyhow::Result<()> {
    let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
    let visit = one_call(&mut wire, host, tool).await?;
    host.answers(grown);
    visit.say(&notification("notifications/tools/list_changed", &json!({}))).await?;
    until(&mut wire, |tools| tools.iter().any(|tool| tool.contains("more"))).await?;
    let heard = called(&mut wire, host, tool).await?;
    let changes = |heard: &[String]| {
        heard.iter().filter(|method| *method == "notifications/tools/list_changed").count()
    };
    if changes(&heard) == 0 {
        // The target's word is passed on when its lists have been read, which may be now.
        let again = called(&mut wire, host, tool).await?;
        assert_eq!(changes(&again), 1, "{revision}: {heard:?} {again:?}");
    }
    let heard = called(&mut wire, host, tool).await?;
    assert_eq!(changes(&heard), 0, "{revision}: said once: {heard:?}");
    Ok(())
}

/// The methods of what came in a call whose answer is a stream.
async fn called(wire: &mut Wire, host: &Host, tool: &str) -> anyhow::Result<Vec<String>> {
    let (reading, answered) = tokio::join!(wire.post_and_read(tool_call("1", tool)), async {
        let mut call = host.call().await?;
        call.send(&progress(&call.request.progress_token(), 1))?;
        call.result(&json!({ "content": [] }))
    });
    answered?;
    let rest = reading?.events()?.rest().await?;
    let methods = rest.iter().filter_map(|message| message.get("method")?.as_str());
    Ok(methods.map(str::to_owned).collect())
}

/// Asks for the tools until they are as awaited.
async fn until(wire: &mut Wire, is_it: impl Fn(&[String]) -> bool) -> anyhow::Result<()> {
    testkit::within("other tools", async {
        loop {
            if is_it(&wire.tools().await?) {
                return Ok(());
            }
            tokio::task::yield_now().await;
        }
    })
    .await?
}

fn grown(method: &str, params: &Value) -> Option<Value> {
    let tool = |name: &str| json!({ "name": name, "inputSchema": { "type": "object" } });
    match method {
        "tools/list" => Some(json!({ "tools": [tool("work"), tool("more")] })),
        _ => testkit::one_tool(method, params),
    }
}

fn logs(method: &str, params: &Value) -> Option<Value> {
    match method {
        "initialize" => Some(json!({ "tools": {}, "logging": {} })),
        "logging/setLevel" => Some(json!({})),
        _ => testkit::one_tool(method, params),
    }
}

fn files(method: &str, params: &Value) -> Option<Value> {
    match method {
        "initialize" => Some(json!({ "resources": { "subscribe": true, "listChanged": true } })),
        "resources/list" => Some(json!({ "resources": [{ "uri": "file:///dir", "name": "dir" }] })),
        "resources/templates/list" => Some(json!({ "resourceTemplates": [] })),
        "resources/subscribe" | "resources/unsubscribe" => Some(json!({})),
        "resources/read" => {
            let uri = params.get("uri")?;
            Some(json!({ "contents": [{ "uri": uri, "text": "x" }] }))
        }
        _ => None,
    }
}

fn updated(uri: &str) -> String {
    notification("notifications/resources/updated", &json!({ "uri": uri }))
}

fn line(level: &str) -> String {
    notification("notifications/message", &json!({ "level": level, "data": level }))
}

fn done(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[]}}}}"#)
}

async fn resources(wire: &mut Wire) -> anyhow::Result<Vec<String>> {
    let answer = wire.request("resources/list", json!({})).await?;
    let listed = answer.pointer("/result/resources").and_then(Value::as_array);
    let uris = listed.into_iter().flatten().filter_map(|resource| resource.get("uri")?.as_str());
    Ok(uris.map(str::to_owned).collect())
}

/// The session in which somebody subscribed last.
fn subscriber(host: &Host) -> anyhow::Result<std::sync::Arc<Visit>> {
    let all = host.visits.all();
    let found = all.into_iter().rev().find(|visit| visit.count("resources/subscribe") > 0);
    found.ok_or_else(|| anyhow::anyhow!("nobody subscribed"))
}

async fn set_level(wire: &mut Wire, level: &str) -> anyhow::Result<()> {
    let body = request("\"level\"", "logging/setLevel", &json!({ "level": level }));
    let answer = wire.post(body).await?.messages()?;
    let result = answer.first().and_then(|message| message.get("result"));
    assert_eq!(result, Some(&json!({})), "{answer:?}");
    Ok(())
}
