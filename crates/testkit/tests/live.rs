//! Federation is live: what changes in the file reaches connected clients, and costs nobody else anything.

use std::time::Instant;

use serde_json::json;
use testkit::{
    Client, Gateway, Host, Peers, REVISIONS, RawRequest, Tap, Wire, gateway_of, in_mid_stream,
    one_call, request, say,
};

/// How many sessions are opened on one server.
const SESSIONS: usize = 100;

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_call_of_a_target_that_is_removed_ends_and_the_target_hears_of_it() -> anyhow::Result<()>
{
    let (stays, goes) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("stays", &stays), ("goes", &goes)], "").await?;
    for revision in REVISIONS {
        let mut wire = Wire::open(&gateway.url("/mcp"), revision).await?;
        let (mut stream, call) = in_mid_stream(&mut wire, &goes, "1", "goes_work").await?;
        let visit = goes.visit_of(&call.request)?;
        gateway.write("portico.yaml", &format!("targets:\n{}", stays.target("stays")))?;
        let (_, error) = stream.message().await?;
        let said = error.pointer("/error/message").map(ToString::to_string).unwrap_or_default();
        anyhow::ensure!(said.contains("goes") && said.contains("removed"), "{revision}: {error}");
        let is_end = |sent: &RawRequest| sent.head.starts_with("DELETE ");
        visit.requests.first("the end of the session upstream", is_end).await?;
        let sent = visit.requests.all();
        let cancelled = sent.iter().position(|sent| sent.is("notifications/cancelled"));
        let ended = sent.iter().position(is_end);
        anyhow::ensure!(cancelled.is_some() && cancelled < ended, "{revision}: {sent:?}");
        let both = format!("targets:\n{}{}", stays.target("stays"), goes.target("goes"));
        gateway.write("portico.yaml", &both)?;
        let client = Client::connect(&gateway.url("/mcp")).await?;
        client.lists("goes_work").await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_question_of_a_target_that_is_removed_is_withdrawn_wherever_it_was_asked()
-> anyhow::Result<()> {
    let (stays, goes) = (Host::of_one_tool().await?, Host::of_one_tool().await?);
    let gateway = gateway_of(&[("stays", &stays), ("goes", &goes)], "").await?;
    let able = json!({ "elicitation": {} });
    let mut wire = Wire::open_with(&gateway.url("/mcp"), "2025-11-25", able).await?;
    let mut own = wire.beside().listen().await?;
    let visit = one_call(&mut wire, &goes, "goes_work").await?;
    let question =
        json!({ "message": "?", "requestedSchema": { "type": "object", "properties": {} } });
    visit.say(&request("0", "elicitation/create", &question)).await?;
    let asked = own.method("elicitation/create").await?;
    gateway.write("portico.yaml", &format!("targets:\n{}", stays.target("stays")))?;
    let withdrawn = own.method("notifications/cancelled").await?;
    assert_eq!(withdrawn.pointer("/params/requestId"), asked.get("id"));
    let metrics = gateway.admin("/metrics").await?;
    anyhow::ensure!(metrics.contains("portico_pending_requests 0"), "{metrics}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_target_that_is_added_and_removed_reaches_connected_clients() -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let (first, second, third) = (peers.port()?, peers.port()?, peers.port()?);
    let _first = peers.everything(first).await?;
    let _second = peers.everything(second).await?;
    let _third = peers.everything(third).await?;
    let taps = [Tap::to(first).await?, Tap::to(second).await?];
    let two = format!("targets:\n{}{}", http("one", taps[0].port), http("two", taps[1].port));
    let gateway = Gateway::native(&two).await?;
    let client = Client::connect(&gateway.url("/mcp")).await?;
    for tool in ["one_echo", "two_echo"] {
        client.lists(tool).await?;
        client.call(tool, json!({ "message": "hi" })).await?;
    }
    let opened = taps.each_ref().map(|tap| tap.count("initialize"));

    gateway.write("portico.yaml", &format!("{two}{}", http("three", third)))?;
    client.lists("three_echo").await?;
    assert_eq!(client.call("three_echo", json!({ "message": "new" })).await?, "Echo: new");

    gateway.write("portico.yaml", &two)?;
    client.lists_no_more("three_echo").await?;
    assert_eq!(client.call("one_echo", json!({ "message": "still" })).await?, "Echo: still");
    assert_eq!(client.call("two_echo", json!({ "message": "still" })).await?, "Echo: still");
    assert_eq!(taps.map(|tap| tap.count("initialize")), opened, "no new session upstream");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_header_that_changes_is_sent_and_costs_no_session() -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let (first, second) = (peers.port()?, peers.port()?);
    let _first = peers.everything(first).await?;
    let _second = peers.everything(second).await?;
    let (changed, other) = (Tap::to(first).await?, Tap::to(second).await?);
    let document = |headers: &str| {
        let (one, two) = (http("one", changed.port), http("two", other.port));
        format!("targets:\n{one}  headers: {{ {headers} }}\n{two}")
    };
    let gateway = Gateway::native(&document("X-Team: before")).await?;
    let client = Client::connect(&gateway.url("/mcp")).await?;
    for tool in ["one_echo", "two_echo"] {
        client.lists(tool).await?;
        client.call(tool, json!({ "message": "hi" })).await?;
    }
    anyhow::ensure!(changed.sent().contains("x-team: before"), "{}", changed.sent());
    let opened = [&changed, &other].map(|tap| tap.count("initialize"));

    gateway.write("portico.yaml", &document("X-Team: after, X-Tenant: acme"))?;
    // The reload is seen where it must be: in what is sent.
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    let mut pace = tokio::time::interval(std::time::Duration::from_millis(50));
    testkit::within("the new header upstream", async {
        while !(changed.sent().contains("x-team: after")
            && changed.sent().contains("x-tenant: acme"))
        {
            pace.tick().await;
            wire.call("one_echo", json!({ "message": "hi" })).await?;
        }
        anyhow::Ok(())
    })
    .await??;
    assert_eq!(client.call("one_echo", json!({ "message": "still" })).await?, "Echo: still");
    assert_eq!(client.call("two_echo", json!({ "message": "still" })).await?, "Echo: still");
    let since = [&changed, &other].map(|tap| tap.count("initialize"));
    // `wire` has a session of its own at the target that it calls.
    assert_eq!(since, [opened[0] + 1, opened[1]], "whoever was there keeps its session");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_broken_file_keeps_its_last_good_contents_and_says_where() -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let port = peers.port()?;
    let _server = peers.everything(port).await?;
    let good = format!("targets:\n{}", http("one", port));
    let gateway = Gateway::native(&good).await?;
    let client = Client::connect(&gateway.url("/mcp")).await?;
    client.lists("echo").await?;
    gateway.write("portico.yaml", &format!("{good}backends: [\n"))?;
    let said = gateway.process.says("portico.yaml:").await?;
    let place = said.split("portico.yaml:").nth(1).unwrap_or_default();
    let numbers: Vec<_> = place.split(':').take(2).map(str::parse::<u32>).collect();
    anyhow::ensure!(numbers.iter().all(Result::is_ok), "no line and column: {said}");
    assert_eq!(client.call("echo", json!({ "message": "still" })).await?, "Echo: still");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_hundred_sessions_cost_the_server_hardly_a_list() -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let port = peers.port()?;
    let _server = peers.everything(port).await?;
    let tap = Tap::to(port).await?;
    let gateway = Gateway::native(&format!("targets:\n{}", http("one", tap.port))).await?;
    let url = gateway.url("/mcp");
    let started = Instant::now();
    let mut sessions = Vec::new();
    let capable = json!({ "sampling": {}, "elicitation": {}, "roots": { "listChanged": true } });
    for number in 0..SESSIONS {
        // Every other client can do what makes this server send three `list_changed` right after `initialized`.
        let capabilities = if number % 2 == 0 { capable.clone() } else { json!({}) };
        let mut wire = Wire::open_with(&url, "2025-06-18", capabilities).await?;
        anyhow::ensure!(wire.tools().await?.iter().any(|tool| tool == "echo"), "no echo");
        let answer = wire.call("echo", json!({ "message": "hi" })).await?;
        anyhow::ensure!(answer.get("result").is_some(), "{answer}");
        sessions.push(wire);
    }
    for wire in &mut sessions {
        wire.tools().await?;
    }
    let (lists, seconds) = (tap.count("tools/list"), started.elapsed().as_secs() as usize);
    say(&format!("{SESSIONS} sessions: {lists} of tools/list upstream in {seconds} s"));
    let capability_sets = 2;
    anyhow::ensure!(lists <= capability_sets + seconds + 1, "{lists} in {seconds} s");
    Ok(())
}

fn http(name: &str, port: u16) -> String {
    format!("- name: {name}\n  url: http://127.0.0.1:{port}/mcp\n")
}
