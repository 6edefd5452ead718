//! Clients that go on while something happens, and what they and their servers see of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;
use testkit::{Client, Cluster};
use tokio::task::JoinHandle;

/// How long a caller rests between two calls.
const REST: Duration = Duration::from_millis(20);
/// How long something may take that takes seconds on a free machine.
const LONG: Duration = Duration::from_secs(120);

/// Servers and a Gateway that federates those with a label: `first` and `second` have it, `late` has not.
pub(crate) const SERVERS: &str = include_str!("live/servers.yaml");

/// The Gateway of `SERVERS` once both labelled servers are listed, and a client of it.
pub(crate) async fn federation(cluster: &Cluster) -> anyhow::Result<(String, Client)> {
    cluster.apply(SERVERS).await?;
    for server in ["first", "second", "late"] {
        cluster.until("condition=Available", &format!("deployment/{server}")).await?;
    }
    cluster.until("jsonpath={.status.summary.targets}=2/2", "agentgatewaybackend/live").await?;
    let url = format!("{}/mcp", cluster.address("live").await?);
    let client = Client::connect(&url).await?;
    for tool in ["first-3001_echo", "second-3001_echo"] {
        client.lists(tool).await?;
        // A session of its own with each of them.
        client.call(tool, json!({ "message": "hello" })).await?;
    }
    Ok((url, client))
}

/// Calls one tool again and again, and lists all of them.
pub(crate) struct Steady {
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    calling: JoinHandle<anyhow::Result<()>>,
}

impl Steady {
    /// Begins; what `kept` names is listed from now on, every time.
    pub(crate) async fn start(url: &str, tool: &str, kept: &[String]) -> anyhow::Result<Self> {
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted) = (stop.clone(), calls.clone());
        let (client, tool, kept) = (Client::connect(url).await?, tool.to_owned(), kept.to_owned());
        // Its session with the server begins here.
        client.call(&tool, json!({ "message": "hello" })).await?;
        let calling = tokio::spawn(async move {
            while !stopped.load(Ordering::Acquire) {
                let number = counted.fetch_add(1, Ordering::AcqRel);
                let text = client.call(&tool, json!({ "message": number.to_string() })).await;
                let text = text.with_context(|| format!("call {number} of {tool}"))?;
                anyhow::ensure!(text == format!("Echo: {number}"), "call {number}: {text}");
                let listed = client.tools().await?;
                let gone = kept.iter().find(|name| !listed.contains(name));
                anyhow::ensure!(gone.is_none(), "call {number}: {gone:?} is not listed");
                tokio::time::sleep(REST).await;
            }
            Ok(())
        });
        Ok(Self { stop, calls, calling })
    }

    /// Ends, and fails if any call has; otherwise says how many there were.
    pub(crate) async fn end(self) -> anyhow::Result<usize> {
        self.stop.store(true, Ordering::Release);
        self.calling.await??;
        Ok(self.calls.load(Ordering::Acquire))
    }
}

/// What servers say of their sessions: which began, which ended.
pub(crate) async fn sessions(cluster: &Cluster, servers: &[&str]) -> anyhow::Result<Vec<String>> {
    let mut sessions = Vec::new();
    for server in servers {
        let log = cluster.kubectl(&["logs", &format!("deployment/{server}")]).await?;
        let said = ["initialized with ID", "Transport closed", "termination request"];
        let lines = log.lines().filter(|line| said.iter().any(|word| line.contains(word)));
        sessions.extend(lines.map(|line| format!("{server}: {line}")));
    }
    Ok(sessions)
}

/// Awaits that an attempt succeeds.
pub(crate) async fn eventually<T>(
    what: &str,
    attempt: impl AsyncFn() -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(error) if started.elapsed() > LONG => {
                return Err(error.context(format!("{what} did not come")));
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}
