//! The tutorials in the cluster, command by command, as a person would type them. What each says one should see is
//! checked where it says so.

mod described;
mod page;

use std::collections::BTreeSet;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Client, Peers, Shell, Source, Step};
use tokio::sync::Mutex;

use described::Described;
use page::page;

/// They share the names of their objects and the port that they forward: one after the other.
static TURN: Mutex<()> = Mutex::const_new(());

/// Where 000, 001, 002 and 004 forward their gateway to.
const URL: &str = "http://localhost:8080/mcp";

/// Installs the Gateway API as the tutorials do.
const GATEWAY_API: &str =
    "kubectl apply --server-side --filename \"$PORTICO_LAB/gateway-api-1.4.0.yaml\"";
/// Leaves no Gateway of a tutorial before, nor a proxy of it that is ending: a port would be forwarded to that one.
const NO_GATEWAYS: &str = "\
    proxies=gateway.networking.k8s.io/gateway-name
    for namespace in agentgateway-system default; do
      kubectl get crd gateways.gateway.networking.k8s.io || break
      kubectl delete gateways,httproutes --all --namespace $namespace
      kubectl wait --for=delete --timeout=60s deployments --selector $proxies --namespace $namespace
      kubectl delete pods --now --selector $proxies --namespace $namespace
    done";

/// Tools that 001 speaks of, of its second server.
const SECOND: [&str; 3] = ["read_file", "write_file", "list_directory"];

/// The tools of 003's servers, in order.
const GITHUB: [&str; 4] = ["get_repo", "list_issues", "create_issue", "delete_repo"];
const SLACK: [&str; 4] = ["list_channels", "send_message", "get_messages", "delete_channel"];

/// A tutorial that runs.
struct Tutorial {
    source: Source,
    peers: Peers,
    shell: Shell,
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn tutorial_000_federates_a_server_by_label_and_one_by_name() -> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let (mut tutorial, steps) = Tutorial::start("000").await?;
    let mut seen = BTreeSet::new();
    for step in &steps {
        if step.types("kubectl describe httproute") {
            tutorial.describes(step).await?;
            seen.insert("described");
        } else if step.command.contains("status.addresses") {
            let address = tutorial.address(step).await?;
            let url = format!("http://{}/mcp", address.trim());
            let client = tutorial.client(&url).await?;
            client.lists("mcp-server-everything-3001_echo").await?;
            seen.insert("address");
        } else if step.types("inspector") {
            let (echo, fetch) = ("mcp-server-everything-3001_echo", "mcp-website-fetcher_fetch");
            tutorial.inspects(step, &[echo, fetch]).await?;
            tutorial.calls_both(echo, fetch).await?;
            seen.insert("inspected");
        } else {
            tutorial.types(step).await?;
        }
    }
    assert_eq!(seen, BTreeSet::from(["address", "described", "inspected"]));
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn tutorial_001_gives_its_results_to_its_curl_commands() -> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let (mut tutorial, steps) = Tutorial::start("001").await?;
    let first = ["echo", "add", "longRunningOperation"].map(|tool| tutorial.source.tool(tool));
    let mut session = String::new();
    let mut results = Vec::new();
    for step in &steps {
        if step.types("kubectl get pods") {
            tutorial.shell.until(&step.command, |printed| printed.contains("Running")).await?;
        } else if step.types("kubectl get deployment") {
            tutorial.shell.until(&step.command, |printed| printed.contains("1/1")).await?;
        } else if step.types("curl") && session.is_empty() {
            let is_session = |printed: &str| printed.contains("mcp-session-id:");
            let hello = tutorial.shell.until(&step.command, is_session).await?;
            anyhow::ensure!(hello.contains("\"protocolVersion\":\"2024-11-05\""), "{hello}");
            let line = hello.lines().find_map(|line| line.strip_prefix("mcp-session-id:"));
            session = line.context("no session id")?.trim().to_owned();
        } else if step.types("curl") {
            // "Copy the `mcp-session-id` from the response headers."
            anyhow::ensure!(step.command.contains("YOUR_SESSION_ID"), "{}", step.command);
            let command = step.command.replace("YOUR_SESSION_ID", &session);
            let awaited =
                [names_of("everything", &first), names_of("filesystem", &SECOND)].concat();
            results.push(tutorial.asks(&command, &awaited).await?);
        } else {
            tutorial.types(step).await?;
        }
    }
    let [_, echo, directory] = results.as_slice() else {
        anyhow::bail!("three results, not {results:#?}");
    };
    anyhow::ensure!(text_of(echo).contains("Hello from federation!"), "{echo}");
    anyhow::ensure!(directory.pointer("/result/content/0/text").is_some(), "{directory}");
    anyhow::ensure!(directory.pointer("/result/isError") != Some(&json!(true)), "{directory}");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn tutorial_002_federates_all_servers_with_one_label() -> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let (mut tutorial, steps) = Tutorial::start("002").await?;
    let (echo, fetch) = ("mcp-server-everything-3001_echo", "mcp-website-fetcher-80_fetch");
    let mut inspected = 0;
    for step in &steps {
        if step.types("kubectl get pods") {
            tutorial.shell.until(&step.command, |printed| printed.contains("Running")).await?;
        } else if step.types("inspector") {
            tutorial.inspects(step, &[echo, fetch]).await?;
            inspected += 1;
            if inspected == 1 {
                tutorial.calls_both(echo, fetch).await?;
            }
        } else {
            tutorial.types(step).await?;
        }
    }
    assert_eq!(inspected, 2, "once with the Inspector's own transport, once with Claude's");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn tutorial_003_routes_by_path_for_curl_and_jq() -> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let (mut tutorial, steps) = Tutorial::start("003").await?;
    let mut results = Vec::new();
    for step in &steps {
        if step.types("curl") {
            let tools = if step.command.contains("slack") { SLACK } else { GITHUB };
            results.push(tutorial.asks(&step.command, &tools.map(str::to_owned)).await?);
        } else {
            tutorial.types(step).await?;
        }
    }
    let [github, slack, issues] = results.as_slice() else {
        anyhow::bail!("three results, not {results:#?}");
    };
    assert_eq!(names(github), GITHUB);
    assert_eq!(names(slack), SLACK);
    anyhow::ensure!(text_of(issues).starts_with("Mock GitHub result for list_issues"), "{issues}");
    assert_eq!(issues.get("id"), Some(&json!(2)));
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn tutorial_004_lists_a_single_server_under_its_own_names() -> anyhow::Result<()> {
    let _turn = TURN.lock().await;
    let (mut tutorial, steps) = Tutorial::start("004").await?;
    let mut seen = BTreeSet::new();
    for step in &steps {
        if step.command.contains("status.addresses") {
            tutorial.address(step).await?;
        } else if step.types("kubectl get gateway") {
            let is_there = |printed: &str| {
                let words = printed.lines().nth(1).unwrap_or_default().split_whitespace();
                let row: Vec<&str> = words.take(4).collect();
                matches!(row.as_slice(), ["agentgateway", "agentgateway", address, "True"]
                    if address.starts_with("10.244.200."))
            };
            tutorial.shell.until(&step.command, is_there).await?;
            seen.insert("programmed");
        } else if step.types("inspector") {
            let tool = tutorial.source.tool_in("004", "fetch");
            tutorial.inspects(step, &["echo", &tool]).await?;
            let client = tutorial.client(URL).await?;
            assert_eq!(client.call(&tool, json!({ "message": "hi" })).await?, "Echo: hi");
            seen.insert("inspected");
        } else {
            tutorial.types(step).await?;
        }
    }
    assert_eq!(seen, BTreeSet::from(["inspected", "programmed"]));
    Ok(())
}

impl Tutorial {
    async fn start(number: &str) -> anyhow::Result<(Self, Vec<Step>)> {
        let (source, peers) = (Source::find()?, Peers::find()?);
        let steps = source.steps(number)?;
        let mut shell = Shell::start(&peers).await?;
        shell.run(NO_GATEWAYS).await?;
        if source.is_ours() {
            // They are for a cluster that has it; the documents bring it themselves.
            shell.run(GATEWAY_API).await?;
        }
        Ok((Self { source, peers, shell }, steps))
    }

    /// Types what needs no look at its outcome; a port is there before anything else is typed.
    async fn types(&mut self, step: &Step) -> anyhow::Result<()> {
        self.shell.run(&step.command).await?;
        match step.command.contains("port-forward") {
            true => self.shell.shows("Forwarding from 127.0.0.1:").await,
            false => Ok(()),
        }
    }

    /// The address of a Gateway, once a step prints it.
    async fn address(&mut self, step: &Step) -> anyhow::Result<String> {
        let is_address = |printed: &str| printed.trim().starts_with("10.244.200.");
        self.shell.until(&step.command, is_address).await
    }

    /// The status of a route is described as the tutorial shows it.
    async fn describes(&mut self, step: &Step) -> anyhow::Result<()> {
        let shown = Described::read(&step.shown)?;
        anyhow::ensure!(!shown.conditions.is_empty(), "no conditions in {}", step.shown);
        let is_it = |printed: &str| Described::read(printed).is_ok_and(|printed| printed == shown);
        self.shell.until(&step.command, is_it).await.map(drop)
    }

    /// The Inspector lists these tools.
    async fn inspects(&mut self, step: &Step, tools: &[&str]) -> anyhow::Result<()> {
        let lists = |printed: &str| {
            tools.iter().all(|tool| printed.contains(&format!("\"name\": \"{tool}\"")))
        };
        self.shell.until(&step.command, lists).await.map(drop)
    }

    /// The answer to a curl command. One that lists tools lists these, as soon as their servers listen: whoever types
    /// gives them more time than a test.
    async fn asks(&mut self, command: &str, tools: &[String]) -> anyhow::Result<Value> {
        if !command.contains("tools/list") {
            return json_of(&self.shell.run(command).await?);
        }
        let lists = |printed: &str| {
            let listed = json_of(printed).map(|message| names(&message)).unwrap_or_default();
            tools.iter().all(|tool| listed.contains(tool))
        };
        json_of(&self.shell.until(command, lists).await?)
    }

    /// A client of this URL, once it is served.
    async fn client(&mut self, url: &str) -> anyhow::Result<Client> {
        let knock = format!("curl -s -o /dev/null -w '%{{http_code}}' {url} -d '{{}}'");
        self.shell.until(&knock, |code| !["", "000", "404", "503"].contains(&code.trim())).await?;
        Client::connect(url).await
    }

    /// Both tools answer: to the Inspector, and to rmcp's client.
    async fn calls_both(&mut self, echo: &str, fetch: &str) -> anyhow::Result<()> {
        let page = page().await?;
        let client = self.client(URL).await?;
        assert_eq!(
            client.call(echo, json!({ "message": "Hello world" })).await?,
            "Echo: Hello world"
        );
        let sum = echo.replace("_echo", &format!("_{}", self.source.tool("add")));
        let added = client.call(&sum, json!({ "a": 42, "b": 58 })).await?;
        anyhow::ensure!(added.contains("100"), "{added}");
        let arguments =
            ["--method", "tools/call", "--tool-name", echo, "--tool-arg", "message=Hello world"];
        let echoed = self.peers.inspector(URL, &arguments).await?;
        anyhow::ensure!(echoed.contains("Echo: Hello world"), "{echoed}");
        let argument = format!("url={}", page.url);
        let arguments = ["--method", "tools/call", "--tool-name", fetch, "--tool-arg", &argument];
        let fetched = self.peers.inspector(URL, &arguments).await?;
        anyhow::ensure!(fetched.contains(&page.text), "{fetched}");
        Ok(())
    }
}

/// The message that a command printed.
fn json_of(printed: &str) -> anyhow::Result<Value> {
    serde_json::from_str(printed.trim()).with_context(|| format!("not JSON: {printed}"))
}

fn names_of(target: &str, tools: &[impl AsRef<str>]) -> Vec<String> {
    tools.iter().map(|tool| format!("{target}_{}", tool.as_ref())).collect()
}

fn names(message: &Value) -> Vec<String> {
    let tools = message.pointer("/result/tools").and_then(Value::as_array).into_iter().flatten();
    tools.filter_map(|tool| Some(tool.get("name")?.as_str()?.to_owned())).collect()
}

fn text_of(message: &Value) -> &str {
    message.pointer("/result/content/0/text").and_then(Value::as_str).unwrap_or_default()
}
