//! Federation by label, live: what a platform team does to Services reaches connected clients, and costs nobody
//! else anything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::json;
use testkit::{Client, Cluster};
use tokio::task::JoinHandle;

/// Calls one tool again and again.
struct Caller {
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    calling: JoinHandle<anyhow::Result<()>>,
}

impl Caller {
    pub(crate) async fn start(url: &str, tool: &str) -> anyhow::Result<Self> {
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (stopped, counted) = (stop.clone(), calls.clone());
        let (client, tool) = (Client::connect(url).await?, tool.to_owned());
        let calling = tokio::spawn(async move {
            while !stopped.load(Ordering::Acquire) {
                let number = counted.fetch_add(1, Ordering::AcqRel);
                let text = client.call(&tool, json!({ "message": number.to_string() })).await;
                let text = text.with_context(|| format!("call {number} of {tool}"))?;
                anyhow::ensure!(text == format!("Echo: {number}"), "call {number}: {text}");
                tokio::time::sleep(Duration::from_millis(20)).await;
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

/// The sessions that a server has opened.
async fn sessions(cluster: &Cluster, server: &str) -> anyhow::Result<usize> {
    let log = cluster.kubectl(&["logs", &format!("deployment/{server}")]).await?;
    Ok(log.matches("Session initialized").count())
}

async fn has_changed(client: &Client, since: usize) -> anyhow::Result<()> {
    let seen = |changes: &[&str]| (changes.len() > since).then_some(());
    client.changes.until("a list_changed", seen).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn a_label_is_seen_by_connected_clients_and_costs_nobody_else_anything() -> anyhow::Result<()>
{
    let cluster = Cluster::with_portico("live").await?;
    cluster.apply(include_str!("live/servers.yaml")).await?;
    for server in ["first", "second", "late"] {
        cluster.until("condition=Available", &format!("deployment/{server}")).await?;
    }
    let url = format!("http://{}/mcp", cluster.gateway("live").await?);
    let client = Client::connect(&url).await?;
    client.lists("first-3001_echo").await?;
    client.lists("second-3001_echo").await?;
    client.call("second-3001_echo", json!({ "message": "hi" })).await?;
    let names = client.tools().await?;
    let caller = Caller::start(&url, "first-3001_echo").await?;
    let opened = [sessions(&cluster, "first").await?, sessions(&cluster, "second").await?];

    // A label on a Service that is there.
    let (changes, labelled) = (client.changes.all().len(), Instant::now());
    cluster.kubectl(&["label", "service", "late", "federated=yes"]).await?;
    let answered = labelled.elapsed();
    has_changed(&client, changes).await?;
    let notified = labelled.elapsed();
    client.lists("late-3001_echo").await?;
    assert_eq!(client.call("late-3001_echo", json!({ "message": "new" })).await?, "Echo: new");
    println!(
        "label (kubectl {answered:?}) to notification {notified:?}, to successful call {:?}",
        labelled.elapsed()
    );

    // Without it.
    cluster.kubectl(&["label", "service", "late", "federated-"]).await?;
    client.lists_no_more("late-3001_echo").await?;
    anyhow::ensure!(client.tools().await? == names, "other names than before");

    // Its pods go and come back.
    cluster.kubectl(&["label", "service", "late", "federated=yes"]).await?;
    client.lists("late-3001_echo").await?;
    cluster.kubectl(&["scale", "deployment", "late", "--replicas=0"]).await?;
    cluster.until("jsonpath={.status.targets[?(@.name==\"late-3001\")].endpoints}=0", "agentgatewaybackend/live").await?;
    let failed = client.call_raw("late-3001_echo", json!({ "message": "away" })).await;
    let failed = failed.map(|result| format!("{result:?}"));
    anyhow::ensure!(failed.as_ref().is_err(), "a call to nobody: {failed:?}");
    cluster.kubectl(&["scale", "deployment", "late", "--replicas=1"]).await?;
    cluster.until("condition=Available", "deployment/late").await?;
    eventually("a call to a pod that is back", async || {
        client.call("late-3001_echo", json!({ "message": "back" })).await.map(drop)
    })
    .await?;

    // Another port is another target.
    let port = r#"[{"op": "replace", "path": "/spec/ports/0/port", "value": 3002}]"#;
    cluster.kubectl(&["patch", "service", "late", "--type=json", "-p", port]).await?;
    client.lists("late-3002_echo").await?;
    client.lists_no_more("late-3001_echo").await?;
    assert_eq!(client.call("late-3002_echo", json!({ "message": "port" })).await?, "Echo: port");
    cluster.kubectl(&["delete", "service", "late"]).await?;
    client.lists_no_more("late-3002_echo").await?;

    // Twenty at once.
    let changes = client.changes.all().len();
    let many: Vec<String> = (0..20).map(service).collect();
    cluster.apply(&many.join("---\n")).await?;
    for number in 0..20 {
        client.lists(&format!("many-{number}-3001_echo")).await?;
    }
    let changes = client.changes.all().len() - changes;
    println!("twenty Services at once: {changes} notifications");
    anyhow::ensure!(changes <= 3 * 4, "twenty Services made {changes} notifications");

    let calls = caller.end().await?;
    println!("{calls} calls beside all that, none failed");
    anyhow::ensure!(calls > 50, "{calls} calls are no steady calling");
    let now = [sessions(&cluster, "first").await?, sessions(&cluster, "second").await?];
    assert_eq!(now, opened, "somebody else's upstream sessions were opened again");
    let kept = client.tools().await?;
    anyhow::ensure!(names.iter().all(|name| kept.contains(name)), "a name has changed: {kept:?}");
    Ok(())
}

fn service(number: usize) -> String {
    format!(
        "{{ apiVersion: v1, kind: Service, metadata: {{ name: many-{number}, labels: {{ federated: \"yes\" }} }}, \
         spec: {{ selector: {{ app: late }}, ports: [{{ port: 3001, appProtocol: kgateway.dev/mcp }}] }} }}\n"
    )
}

async fn eventually(
    what: &str,
    attempt: impl AsyncFn() -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let started = Instant::now();
    loop {
        let Err(error) = attempt().await else { return Ok(()) };
        if started.elapsed() > Duration::from_secs(60) {
            return Err(error.context(format!("{what} did not come")));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn a_controller_or_an_api_server_that_is_away_costs_nobody_anything() -> anyhow::Result<()> {
    let cluster = Cluster::with_portico("endurance").await?;
    cluster.apply(include_str!("live/servers.yaml")).await?;
    for server in ["first", "second"] {
        cluster.until("condition=Available", &format!("deployment/{server}")).await?;
    }
    let url = format!("http://{}/mcp", cluster.gateway("live").await?);
    let client = Client::connect(&url).await?;
    client.lists("first-3001_echo").await?;
    client.lists("second-3001_echo").await?;
    let names = client.tools().await?;
    cluster.until("jsonpath={.status.summary.targets}=2/2", "agentgatewaybackend/live").await?;
    let theirs = json!({
        "controllerName": "example.com/theirs",
        "parentRef": { "name": "live" },
        "conditions": [{
            "type": "Accepted", "status": "True", "reason": "Accepted", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z"
        }]
    });
    let add = json!([{ "op": "add", "path": "/status/parents/-", "value": theirs }]).to_string();
    let patch = ["patch", "httproute", "live", "--subresource=status", "--type=json", "-p", &add];
    cluster.kubectl(&patch).await?;
    let before = statuses(&cluster).await?;
    let caller = Caller::start(&url, "first-3001_echo").await?;
    let opened = [sessions(&cluster, "first").await?, sessions(&cluster, "second").await?];
    let watched = Watched::start("endurance")?;

    let system = ["--namespace=agentgateway-system", "-l=app.kubernetes.io/component=controller"];
    cluster
        .kubectl(&[&["delete", "pod", "--force", "--grace-period=0"], &system[..]].concat())
        .await?;
    cluster
        .kubectl(
            &[&["wait", "--timeout=180s", "--for=condition=Ready", "pod"], &system[..]].concat(),
        )
        .await?;
    let restart = tokio::process::Command::new("lab").args(["restart", "kube-apiserver"]).status();
    anyhow::ensure!(restart.await?.success(), "the API server was not restarted");
    eventually("the API server", async || cluster.kubectl(&["get", "gateways"]).await.map(drop))
        .await?;
    // Whatever has been overlooked until now is noticed at the next change.
    cluster.kubectl(&["label", "service", "second", "touched=yes"]).await?;
    tokio::time::sleep(Duration::from_secs(15)).await;

    anyhow::ensure!(client.tools().await? == names, "other names than before");
    client.call("second-3001_echo", json!({ "message": "still" })).await?;
    let calls = caller.end().await?;
    println!("{calls} calls beside the restarts, none failed");
    let now = [sessions(&cluster, "first").await?, sessions(&cluster, "second").await?];
    assert_eq!(now, opened, "upstream sessions were opened again");
    assert_eq!(statuses(&cluster).await?, before, "a status is another one than before");
    watched.end()?;

    // Ours change beside theirs.
    let hosts = r#"{"spec": {"hostnames": ["live.example"]}}"#;
    cluster.kubectl(&["patch", "httproute", "live", "--type=merge", "-p", hosts]).await?;
    let ours = "jsonpath={.status.parents[?(@.controllerName==\"agentgateway.dev/agentgateway\")].conditions[0].observedGeneration}=2";
    cluster.until(ours, "httproute/live").await?;
    let parents =
        cluster.kubectl(&["get", "httproute", "live", "-o=jsonpath={.status.parents}"]).await?;
    let parents: serde_json::Value = serde_json::from_str(&parents)?;
    let there = parents.as_array().context("no parents")?;
    anyhow::ensure!(there.contains(&theirs), "another controller's entry is gone: {parents}");
    Ok(())
}

/// The conditions of everything in a namespace, with their times.
async fn statuses(cluster: &Cluster) -> anyhow::Result<String> {
    let kinds = "gateways,httproutes,agentgatewaybackends";
    let columns = "-o=jsonpath={range .items[*]}{.kind}/{.metadata.name} {.status}{\"\\n\"}{end}";
    cluster.kubectl(&["get", kinds, columns]).await
}

/// Notes every status of the Gateway that is not `Programmed`.
struct Watched {
    process: std::process::Child,
}

impl Watched {
    fn start(namespace: &str) -> anyhow::Result<Self> {
        let columns = "-o=jsonpath={.status.conditions[?(@.type==\"Programmed\")].status}{\"\\n\"}";
        let process = std::process::Command::new("kubectl")
            .args(["--namespace", namespace, "get", "gateway", "live", "--watch", columns])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::null())
            .spawn()?;
        Ok(Self { process })
    }

    fn end(mut self) -> anyhow::Result<()> {
        // The watch may have ended with the API server; what it saw until then counts.
        let _ = self.process.kill();
        let seen = self.process.wait_with_output()?;
        let seen = String::from_utf8_lossy(&seen.stdout);
        anyhow::ensure!(seen.lines().all(|line| line == "True"), "Programmed was: {seen}");
        Ok(())
    }
}
