//! What clients and statuses see of a controller or an API server that goes away: nothing.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Cluster, Process, output, say};
use tokio::process::Command;

use crate::statuses::Statuses;
use crate::steady::{Steady, eventually, federation, sessions};

/// Where the controller is.
pub(crate) const SYSTEM: &str = "agentgateway-system";
/// Selects its pods.
pub(crate) const CONTROLLERS: &str = "-l=app.kubernetes.io/component=controller";
/// After which time a controller that has started believes what it sees, not what it was told before.
const BELIEVES: Duration = Duration::from_secs(65);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn a_controller_or_an_api_server_that_is_away_costs_nobody_anything() -> anyhow::Result<()> {
    let cluster = Cluster::with_portico("endurance").await?;
    let (url, client) = federation(&cluster).await?;
    let theirs = add_parent(&cluster).await?;
    let names = client.tools().await?;
    let steady = Steady::start(&url, "first-3001_echo", &names).await?;
    let second = Steady::start(&url, "second-3001_echo", &names).await?;
    let servers = ["first", "second"];
    let before = sessions(&cluster, &servers).await?;
    let told = client.changes.all();
    let statuses = Statuses::watch(&[
        "/apis/gateway.networking.k8s.io/v1/gatewayclasses",
        "/apis/gateway.networking.k8s.io/v1/namespaces/endurance/gateways",
        "/apis/gateway.networking.k8s.io/v1/namespaces/endurance/httproutes",
        "/apis/agentgateway.dev/v1alpha1/namespaces/endurance/agentgatewaybackends",
    ]);
    eventually("statuses", async || {
        anyhow::ensure!(statuses.objects() >= 4, "{} objects", statuses.objects());
        Ok(())
    })
    .await?;

    let began = Instant::now();
    kill_controller().await?;
    let crashed = began.elapsed();
    replace_controller().await?;
    let led = began.elapsed();
    let restart = Command::new("lab").args(["restart", "kube-apiserver"]).status().await?;
    anyhow::ensure!(restart.success(), "the API server was not restarted");
    let restarted = Instant::now();
    eventually("the API server", async || cluster.kubectl(&["get", "gateways"]).await).await?;
    say(&format!(
        "the controller is ready {crashed:.1?} after it was killed, another one leads {:.1?} after its pod was \
         deleted, the API server answers {:.1?} after it was killed",
        led - crashed,
        restarted.elapsed()
    ));
    // Whatever has been overlooked until now is noticed at a change.
    cluster.kubectl(&["label", "service", "second", "touched=yes"]).await?;
    tokio::time::sleep_until((began + led + BELIEVES).into()).await;
    cluster.kubectl(&["label", "service", "second", "touched-"]).await?;
    client.call("second-3001_echo", json!({ "message": "still" })).await?;
    anyhow::ensure!(client.tools().await? == names, "other names than before");
    anyhow::ensure!(client.changes.all() == told, "told of changes: {:?}", client.changes.all());
    let after = sessions(&cluster, &servers).await?;
    anyhow::ensure!(after == before, "sessions before: {before:#?} after: {after:#?}");
    for steady in [steady, second] {
        let calls = steady.end().await?;
        say(&format!("{calls} calls beside the restarts, none failed"));
        anyhow::ensure!(calls > 500, "{calls} calls are no steady calling");
    }
    statuses.never_changed()?;

    // All of it works as before: for those who are there, and for who comes.
    cluster.kubectl(&["label", "service", "late", "federated=yes"]).await?;
    client.lists("late-3001_echo").await?;
    assert_eq!(client.call("late-3001_echo", json!({ "message": "new" })).await?, "Echo: new");
    ours_change_beside(&cluster, &theirs).await
}

/// Ends the controller's process as a crash would; its pod starts it again.
async fn kill_controller() -> anyhow::Result<()> {
    let system = Cluster::there(SYSTEM);
    let state =
        "-o=jsonpath={range .items[*].status.containerStatuses[*]}{.restartCount} {.ready}{end}";
    let state = ["get", "pods", CONTROLLERS, state];
    let before = system.kubectl(&state).await?;
    anyhow::ensure!(before.ends_with(" true"), "the controller is not ready: {before}");
    let mut kill = Command::new("kill");
    kill.args(["-KILL", &controller()?]);
    output("kill", kill).await?;
    eventually("the controller", async || {
        let now = system.kubectl(&state).await?;
        anyhow::ensure!(now != before && now.ends_with(" true"), "before {before}, now {now}");
        Ok(())
    })
    .await
}

/// The id of the controller's process, which the node sees among its own.
fn controller() -> anyhow::Result<String> {
    for process in fs::read_dir("/proc")? {
        let process = process?;
        let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command);
        let mut words = command.split('\0');
        let is_portico = words.next().is_some_and(|program| program.ends_with("/portico"));
        if is_portico && words.next() == Some("controller") && command.contains(SYSTEM) {
            return Ok(process.file_name().to_string_lossy().into_owned());
        }
    }
    anyhow::bail!("no process is the controller")
}

/// Takes the controller's pod away, which ends in peace; another one leads in the end.
async fn replace_controller() -> anyhow::Result<()> {
    let system = Cluster::there(SYSTEM);
    let names = ["get", "pods", CONTROLLERS, "-o=jsonpath={.items[*].metadata.name}"];
    let old = system.kubectl(&names).await?;
    let mut logs = Command::new("kubectl");
    logs.args(["logs", "--namespace", SYSTEM, "--follow", "--tail=-1", CONTROLLERS]);
    let mut logs = Process::start("kubectl logs", logs)?;
    logs.says("Listening.").await?;
    system.kubectl(&["delete", "pod", "--wait=false", CONTROLLERS]).await?;
    logs.says("Stopping.").await?;
    logs.ended().await?;
    let said = logs.log.all().join("\n");
    anyhow::ensure!(!said.contains("panic"), "its last words: {said}");
    let holder = ["get", "leases", "-o=jsonpath={.items[*].spec.holderIdentity}"];
    eventually("another controller that leads", async || {
        let (now, leads) = (system.kubectl(&names).await?, system.kubectl(&holder).await?);
        let is_new = |name: &str| !old.contains(name) && leads.contains(name);
        anyhow::ensure!(now.split_whitespace().any(is_new), "{now} are there, {leads} leads");
        Ok(())
    })
    .await
}

/// Another controller has something to say of the route.
async fn add_parent(cluster: &Cluster) -> anyhow::Result<Value> {
    let theirs = json!({
        "controllerName": "example.com/theirs",
        "parentRef": { "group": "gateway.networking.k8s.io", "kind": "Gateway", "name": "live" },
        "conditions": [{
            "type": "Accepted", "status": "True", "reason": "Accepted", "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z"
        }]
    });
    let add = json!([{ "op": "add", "path": "/status/parents/-", "value": theirs }]).to_string();
    let patch = ["patch", "httproute", "live", "--subresource=status", "--type=json", "-p", &add];
    cluster.kubectl(&patch).await?;
    Ok(theirs)
}

/// What we say of a route changes, and what others say stays.
async fn ours_change_beside(cluster: &Cluster, theirs: &Value) -> anyhow::Result<()> {
    let hosts = r#"{"spec": {"hostnames": ["live.example"]}}"#;
    cluster.kubectl(&["patch", "httproute", "live", "--type=merge", "-p", hosts]).await?;
    let ours = "jsonpath={.status.parents[?(@.controllerName==\"agentgateway.dev/agentgateway\")]\
                .conditions[0].observedGeneration}=2";
    cluster.until(ours, "httproute/live").await?;
    let parents =
        cluster.kubectl(&["get", "httproute", "live", "-o=jsonpath={.status.parents}"]).await?;
    let parents: Value = serde_json::from_str(&parents)?;
    let there = parents.as_array().context("no parents")?;
    anyhow::ensure!(there.contains(theirs), "another controller's entry is gone: {parents}");
    Ok(())
}
