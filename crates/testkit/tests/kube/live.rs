//! Federation by label, live: what a platform team does to Services reaches connected clients, and costs nobody
//! else anything.

use std::time::Instant;

use anyhow::Context;
use serde_json::json;
use testkit::{Client, Cluster, say};

use crate::steady::{Steady, eventually, federation, sessions};

/// The kinds of lists that a server of the test has.
const KINDS: [&str; 3] = ["prompts", "resources", "tools"];

/// What a client is told of changed lists.
struct Told<'a> {
    client: &'a Client,
    seen: usize,
}

impl<'a> Told<'a> {
    /// From now on.
    fn by(client: &'a Client) -> Self {
        Self { client, seen: client.changes.all().len() }
    }

    /// Has `kubectl` do something, and awaits that the client is told of each kind of list, of each once. Says how
    /// long both took.
    async fn once(&mut self, cluster: &Cluster, words: &[&str]) -> anyhow::Result<String> {
        let what = words.join(" ");
        self.nothing_more().with_context(|| format!("before {what}"))?;
        let began = Instant::now();
        cluster.kubectl(words).await?;
        let answered = began.elapsed();
        let is_enough = |told: &[&'static str]| {
            let new = told.get(self.seen..self.seen + KINDS.len())?;
            Some(new.to_vec())
        };
        let mut told =
            self.client.changes.until(&format!("list_changed after {what}"), is_enough).await?;
        let notified = began.elapsed();
        told.sort_unstable();
        anyhow::ensure!(told == KINDS, "{what}: told of {told:?}");
        self.seen += KINDS.len();
        Ok(format!("{what}: kubectl ended after {answered:.0?}, notified after {notified:.0?}"))
    }

    /// There was nothing else.
    fn nothing_more(&self) -> anyhow::Result<()> {
        let told = self.client.changes.all();
        anyhow::ensure!(told.len() == self.seen, "told more than once: {told:?}");
        Ok(())
    }
}

/// The words that label a Service, or all of them that a selector finds.
fn label<'a>(services: &'a str, label: &'a str) -> [&'a str; 4] {
    ["label", "service", services, label]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn a_label_is_seen_by_connected_clients_and_costs_nobody_else_anything() -> anyhow::Result<()>
{
    let cluster = Cluster::with_portico("live").await?;
    let (url, client) = federation(&cluster).await?;
    let names = client.tools().await?;
    let steady = [
        Steady::start(&url, "first-3001_echo", &names).await?,
        Steady::start(&url, "second-3001_echo", &names).await?,
    ];
    let others = ["first", "second"];
    let before = sessions(&cluster, &others).await?;
    let mut told = Told::by(&client);

    labelled(&cluster, &client, &mut told, &names).await?;
    scaled(&cluster, &client, &told).await?;
    moved(&cluster, &client, &mut told, &names).await?;
    twenty_at_once(&cluster, &client, &mut told, &names).await?;
    let after = sessions(&cluster, &others).await?;
    anyhow::ensure!(after == before, "sessions of others, before: {before:#?} after: {after:#?}");
    for steady in steady {
        let calls = steady.end().await?;
        say(&format!("{calls} calls beside all that, none failed"));
        anyhow::ensure!(calls > 50, "{calls} calls are no steady calling");
    }
    told.nothing_more()
}

/// All of `names` are in `more`, in their order.
fn are_kept(names: &[String], more: &[String]) -> anyhow::Result<()> {
    let kept: Vec<&String> = more.iter().filter(|name| names.contains(name)).collect();
    anyhow::ensure!(kept.iter().copied().eq(names), "other names than {names:?}: {more:?}");
    Ok(())
}

/// A label comes, goes and comes back.
async fn labelled(
    cluster: &Cluster,
    client: &Client,
    told: &mut Told<'_>,
    names: &[String],
) -> anyhow::Result<()> {
    let began = Instant::now();
    let took = told.once(cluster, &label("late", "federated=yes")).await?;
    assert_eq!(client.call("late-3001_echo", json!({ "message": "new" })).await?, "Echo: new");
    say(&format!("{took}, called after {:.0?}", began.elapsed()));
    let more = client.tools().await?;
    anyhow::ensure!(more.contains(&"late-3001_echo".to_owned()), "{more:?}");
    are_kept(names, &more)?;

    say(&told.once(cluster, &label("late", "federated-")).await?);
    assert_eq!(client.tools().await?, names);

    say(&told.once(cluster, &label("late", "federated=yes")).await?);
    Ok(())
}

/// The pods go and come back: what they offered stays listed, and works again.
async fn scaled(cluster: &Cluster, client: &Client, told: &Told<'_>) -> anyhow::Result<()> {
    let endpoints = |count: usize| {
        format!("jsonpath={{.status.targets[?(@.name==\"late-3001\")].endpoints}}={count}")
    };
    cluster.until(&endpoints(1), "agentgatewaybackend/live").await?;
    cluster.kubectl(&["scale", "deployment", "late", "--replicas=0"]).await?;
    cluster.until(&endpoints(0), "agentgatewaybackend/live").await?;
    let failed = client.call("late-3001_echo", json!({ "message": "away" })).await;
    anyhow::ensure!(failed.is_err(), "a call to nobody: {failed:?}");
    cluster.kubectl(&["scale", "deployment", "late", "--replicas=1"]).await?;
    eventually("a call to a pod that is back", async || {
        client.call("late-3001_echo", json!({ "message": "back" })).await
    })
    .await?;
    told.nothing_more()
}

/// Another port is another target; without its Service there is none.
async fn moved(
    cluster: &Cluster,
    client: &Client,
    told: &mut Told<'_>,
    names: &[String],
) -> anyhow::Result<()> {
    let port = r#"[{"op": "replace", "path": "/spec/ports/0/port", "value": 3002}]"#;
    say(&told.once(cluster, &["patch", "service", "late", "--type=json", "-p", port]).await?);
    assert_eq!(client.call("late-3002_echo", json!({ "message": "port" })).await?, "Echo: port");
    let there = client.tools().await?;
    anyhow::ensure!(!there.contains(&"late-3001_echo".to_owned()), "{there:?}");

    say(&told.once(cluster, &["delete", "service", "late"]).await?);
    assert_eq!(client.tools().await?, names);
    Ok(())
}

/// Twenty Services come at once, and go.
async fn twenty_at_once(
    cluster: &Cluster,
    client: &Client,
    told: &mut Told<'_>,
    names: &[String],
) -> anyhow::Result<()> {
    let services: Vec<String> = (0..20).map(|number| format!("many-{number}")).collect();
    let manifests: Vec<String> = services.iter().map(|name| service(name)).collect();
    cluster.apply(&manifests.join("---\n")).await?;
    // One by one, kubectl would take its time.
    let all = "--selector=many=yes";
    say(&told.once(cluster, &label(all, "federated=yes")).await?);
    let more = client.tools().await?;
    are_kept(names, &more)?;
    for name in &services {
        let tool = format!("{name}-3001_echo");
        anyhow::ensure!(more.contains(&tool), "no {tool}: {more:?}");
        assert_eq!(client.call(&tool, json!({ "message": name })).await?, format!("Echo: {name}"));
    }

    say(&told.once(cluster, &label(all, "federated-")).await?);
    assert_eq!(client.tools().await?, names);
    Ok(())
}

/// A Service of `late`'s pods that nobody federates yet.
fn service(name: &str) -> String {
    format!(
        "{{ apiVersion: v1, kind: Service, metadata: {{ name: {name}, labels: {{ many: \"yes\" }} }}, spec: {{ selector: {{ app: late }}, \
         ports: [{{ port: 3001, appProtocol: kgateway.dev/mcp }}] }} }}\n"
    )
}
