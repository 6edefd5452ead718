//! A target that lists more for one session than for others: that client sees it and can use it, and no other does.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{EventStream, Host, Record, Visit, Wire, gateway_of, notification, within};

/// How often the target says that its list has changed: what it says while its session opens is no news.
const AGAIN: Duration = Duration::from_millis(200);

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_tool_of_one_session_reaches_its_client_alone() -> anyhow::Result<()> {
    let b = Host::of_one_tool().await?;
    for prefix in ["a_", ""] {
        let a = Arc::new(Host::start(without_list).await?);
        let favoured: Record<String> = Record::default();
        tokio::spawn(answer(a.clone(), favoured.clone(), Login::None));
        let targets: &[(&str, &Host)] = &[("a", &a), ("b", &b)];
        let targets = if prefix.is_empty() { &targets[..1] } else { targets };
        let gateway = gateway_of(targets, "").await?;
        let mut one = Wire::open(&gateway.url("/mcp"), "2025-11-25").await?;
        let mut own = one.beside().listen().await?;
        one.call(&format!("{prefix}work"), json!({})).await?;
        let visit = visit_of_call(&a)?;
        let mut other = Wire::open(&gateway.url("/mcp"), "2025-11-25").await?;
        other.call(&format!("{prefix}work"), json!({})).await?;

        let more = format!("{prefix}more");
        favoured.push(visit.id.clone());
        changes(&visit, &mut own, &mut one, |tools| tools.contains(&more)).await?;
        anyhow::ensure!(!other.tools().await?.contains(&more), "another client sees it");
        let called = one.call(&more, json!({})).await?;
        anyhow::ensure!(called.get("result").is_some(), "{called}");

        favoured.change(Vec::clear);
        changes(&visit, &mut own, &mut one, |tools| !tools.contains(&more)).await?;
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_tool_that_the_first_call_brings_reaches_its_client() -> anyhow::Result<()> {
    let (a, b) = (Arc::new(Host::start(without_list).await?), Host::of_one_tool().await?);
    let favoured: Record<String> = Record::default();
    let gateway = gateway_of(&[("a", &a), ("b", &b)], "").await?;
    tokio::spawn(answer(a.clone(), favoured, Login::FirstCall));
    let mut one = Wire::open(&gateway.url("/mcp"), "2025-11-25").await?;
    let mut own = one.beside().listen().await?;
    one.call("a_work", json!({})).await?;
    own.method("notifications/tools/list_changed").await?;
    anyhow::ensure!(one.tools().await?.contains(&"a_more".to_owned()), "nothing more is listed");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_target_whose_first_list_is_late_is_heard_all_the_same() -> anyhow::Result<()> {
    let a = Host::start(without_list).await?;
    let gateway = gateway_of(&[("a", &a)], "limits: { list: 200ms }\n").await?;
    let mut one = Wire::open(&gateway.url("/mcp"), "2025-11-25").await?;
    let mut own = one.beside().listen().await?;
    // Nothing is listed yet; the only target gets every name.
    let called = async {
        loop {
            let call = a.call().await?;
            if call.request.is("tools/call") {
                let visit = a.visit_of(&call.request)?;
                visit.say(&notification("notifications/tools/list_changed", &json!({}))).await?;
                return call.result(&json!({ "content": [] }));
            }
        }
    };
    let (answer, called) = tokio::join!(one.call("work", json!({})), called);
    called?;
    answer?;
    own.method("notifications/tools/list_changed").await?;
    Ok(())
}

/// A server whose lists and calls are answered by hand.
fn without_list(method: &str, _params: &Value) -> Option<Value> {
    (method == "initialize").then(|| json!({ "tools": { "listChanged": true } }))
}

/// What makes a session a favoured one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Login {
    /// Nothing that it does.
    None,
    /// The first call of all; its list changes then, before the call is answered.
    FirstCall,
}

/// Answers everything; the favoured sessions are shown a tool more.
async fn answer(host: Arc<Host>, favoured: Record<String>, login: Login) -> anyhow::Result<()> {
    loop {
        let call = host.call().await?;
        let result = if call.request.is("tools/list") {
            let session = call.request.header("mcp-session-id").unwrap_or_default();
            let is_favoured = favoured.all().contains(&session);
            let names = if is_favoured { &["work", "more"][..] } else { &["work"] };
            let tools: Vec<_> = names
                .iter()
                .map(|name| json!({ "name": name, "inputSchema": { "type": "object" } }))
                .collect();
            json!({ "tools": tools })
        } else {
            if login == Login::FirstCall && favoured.all().is_empty() {
                let visit = host.visit_of(&call.request)?;
                favoured.push(visit.id.clone());
                let changed = notification("notifications/tools/list_changed", &json!({}));
                visit.say(&changed).await?;
            }
            json!({ "content": [] })
        };
        call.result(&result)?;
    }
}

fn visit_of_call(host: &Host) -> anyhow::Result<Arc<Visit>> {
    let visits = host.visits.all();
    let called = visits.into_iter().find(|visit| visit.count("tools/call") > 0);
    called.ok_or_else(|| anyhow::anyhow!("nothing was called"))
}

/// Has the target say that its list has changed until the client has heard it and sees the list.
async fn changes(
    visit: &Visit,
    own: &mut EventStream,
    wire: &mut Wire,
    is_it: impl Fn(&[String]) -> bool,
) -> anyhow::Result<()> {
    let changed = notification("notifications/tools/list_changed", &json!({}));
    within("a list of its own", async {
        let mut again = tokio::time::interval(AGAIN);
        loop {
            tokio::select! {
                heard = own.method("notifications/tools/list_changed") => {
                    heard?;
                    if is_it(&wire.tools().await?) {
                        return Ok(());
                    }
                }
                _ = again.tick() => visit.say(&changed).await?,
            }
        }
    })
    .await?
}
