//! A target that dies or hangs costs only itself: whatever it speaks, whatever its deadlines.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use testkit::{Client, Gateway, Kind, Peers, Victim, Wire, say, within};
use tokio::task::JoinSet;

/// Who calls at once, and how often in each phase.
const CALLERS: usize = 8;
const CALLS: usize = 1_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_stdio_target_that_dies_costs_only_itself_and_comes_back() -> anyhow::Result<()> {
    check_death(Kind::Stdio).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn an_sse_target_that_dies_costs_only_itself_and_comes_back() -> anyhow::Result<()> {
    check_death(Kind::Sse).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn an_http_target_that_dies_costs_only_itself_and_comes_back() -> anyhow::Result<()> {
    check_death(Kind::Http).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_target_that_hangs_before_it_was_seen_keeps_nobody_waiting() -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let (hung, other) = (peers.port()?, peers.port()?);
    let hung_server = peers.everything(hung).await?;
    let _other_server = peers.everything(other).await?;
    hung_server.signal(Signal::STOP)?;
    let gateway = Gateway::native(&one_hangs(hung, other)).await?;
    check_others_answer(&gateway).await?;
    hung_server.signal(Signal::CONT)?;
    Client::connect(&gateway.url("/mcp")).await?.lists("hung_echo").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_target_that_begins_to_hang_keeps_nobody_waiting() -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let (hung, other) = (peers.port()?, peers.port()?);
    let hung_server = peers.everything(hung).await?;
    let _other_server = peers.everything(other).await?;
    let gateway = Gateway::native(&one_hangs(hung, other)).await?;
    let url = gateway.url("/mcp");
    let client = Arc::new(Client::connect(&url).await?);
    client.lists("hung_echo").await?;
    client.call("hung_echo", json!({ "message": "before" })).await?;
    hung_server.signal(Signal::STOP)?;
    let parked = tokio::spawn({
        let client = client.clone();
        async move { client.call("hung_echo", json!({ "message": "parked" })).await }
    });
    check_others_answer(&gateway).await?;
    anyhow::ensure!(client.tools().await?.iter().any(|tool| tool == "hung_echo"), "not listed");
    hung_server.signal(Signal::CONT)?;
    let answer = within("the call that was parked", parked).await???;
    assert_eq!(answer, "Echo: parked");
    Ok(())
}

/// Two targets; one has an hour for everything.
fn one_hangs(hung: u16, other: u16) -> String {
    format!(
        "targets:
- name: hung
  url: http://127.0.0.1:{hung}/mcp
  timeouts: {{ connect: 1h, list: 1h, call: 1h, progress: 1h, start: 1h }}
- name: other
  url: http://127.0.0.1:{other}/mcp
"
    )
}

/// A new client connects, lists and calls within the harness's deadline, whatever another target does.
async fn check_others_answer(gateway: &Gateway) -> anyhow::Result<()> {
    let client = Client::connect(&gateway.url("/mcp")).await?;
    client.lists("other_echo").await?;
    assert_eq!(client.call("other_echo", json!({ "message": "hi" })).await?, "Echo: hi");
    let mut wire = Wire::open(&gateway.url("/mcp"), "2025-06-18").await?;
    anyhow::ensure!(wire.tools().await?.iter().any(|tool| tool == "other_echo"), "not listed");
    Ok(())
}

/// What a list says of its targets.
fn meta(list: &Value) -> String {
    list.get("_meta").map(Value::to_string).unwrap_or_default()
}

async fn check_death(kind: Kind) -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let folder = tempfile::tempdir()?;
    let mut victim = Victim::start(kind, &peers, folder.path()).await?;
    let mut documents = vec![victim.target("victim")];
    let mut others = Vec::new();
    for other in [Kind::Stdio, Kind::Sse, Kind::Http].into_iter().filter(|other| *other != kind) {
        let folder = folder.path().join(other.name());
        std::fs::create_dir_all(&folder)?;
        let server = Victim::start(other, &peers, &folder).await?;
        documents.push(server.target(other.name()));
        others.push(server);
    }
    let gateway = Gateway::native(&format!("targets:\n{}", documents.concat())).await?;
    let url = gateway.url("/mcp");
    let echoes: Vec<String> =
        others.iter().map(|other| format!("{}_echo", other.kind.name())).collect();

    // One client watches the victim, on one session, from the first call to the last.
    let mut watcher = Wire::open(&url, "2025-06-18").await?;
    let session = watcher.session.clone();
    let listening = Client::connect(&url).await?;
    for tool in echoes.iter().map(String::as_str).chain(["victim_echo"]) {
        listening.lists(tool).await?;
    }
    echo(&mut watcher, "victim_echo").await?;
    load(&url, &echoes, "before").await?;

    let (loaded, died) = tokio::join!(load(&url, &echoes, "killed"), async {
        victim.kill().await?;
        check_fails_by_name(&mut watcher).await?;
        let tools = watcher.tools().await?;
        anyhow::ensure!(tools.iter().any(|tool| tool == "victim_echo"), "not listed: {tools:?}");
        // The call may have failed before the catalog's own session has.
        let said = async {
            while !meta(&watcher.tool_list().await?).contains("victim") {}
            anyhow::Ok(())
        };
        within("a list that says who is stale", said).await??;
        anyhow::Ok(())
    });
    loaded?;
    died?;

    victim.come_back().await?;
    let (loaded, back) = tokio::join!(load(&url, &echoes, "back"), first_success(&mut watcher));
    loaded?;
    back?;
    assert_eq!(watcher.session, session, "the same session from first to last");
    Ok(())
}

/// Calls to the dead target fail within its deadline, with an error that names it.
async fn check_fails_by_name(watcher: &mut Wire) -> anyhow::Result<()> {
    for _ in 0..3 {
        let answer = watcher.call("victim_echo", json!({ "message": "hi" })).await?;
        let error = answer.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
        anyhow::ensure!(error.contains("victim"), "no error that names it: {answer}");
    }
    Ok(())
}

/// Tries until the target answers, paced as a client that retries would.
async fn first_success(watcher: &mut Wire) -> anyhow::Result<()> {
    let mut pace = tokio::time::interval(Duration::from_millis(100));
    within("the first success after the return", async {
        loop {
            pace.tick().await;
            if echo(watcher, "victim_echo").await.is_ok() {
                return;
            }
        }
    })
    .await
}

/// `CALLERS` sessions call the tools `CALLS` times in all; any failure is an error.
async fn load(url: &str, tools: &[String], phase: &str) -> anyhow::Result<()> {
    let started = std::time::Instant::now();
    let left = Arc::new(AtomicUsize::new(CALLS));
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let (url, tools, left) = (url.to_owned(), tools.to_vec(), left.clone());
        callers.spawn(async move {
            let mut wire = Wire::open(&url, "2025-06-18").await?;
            for tool in tools.iter().cycle().skip(caller) {
                if !take(&left) {
                    break;
                }
                echo(&mut wire, tool).await?;
            }
            anyhow::Ok(())
        });
    }
    while let Some(caller) = callers.join_next().await {
        caller??;
    }
    let seconds = started.elapsed().as_secs_f64();
    say(&format!("{CALLS} calls, {phase}: {seconds:.1} s"));
    Ok(())
}

/// Takes one of the calls that are left, if there is one.
fn take(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

async fn echo(wire: &mut Wire, tool: &str) -> anyhow::Result<()> {
    let answer = wire.call(tool, json!({ "message": "hi" })).await?;
    let text = answer.pointer("/result/content/0/text").and_then(Value::as_str);
    anyhow::ensure!(text == Some("Echo: hi"), "`{tool}`: {answer}");
    Ok(())
}
