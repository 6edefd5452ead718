//! The tutorials run on one machine from their own manifests, mock servers and commands; and so do our own versions of
//! them in `examples/seeds`.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Client, Gateway, Peers, Source, output, page};
use tokio::process::Command;

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn tutorial_000_federates_a_server_by_label_and_one_by_name() -> anyhow::Result<()> {
    check_000(&Source::find()?).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn our_000_federates_a_server_by_label_and_one_by_name() -> anyhow::Result<()> {
    check_000(&Source::ours()?).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn tutorial_001_gives_its_results_to_its_curl_commands() -> anyhow::Result<()> {
    check_001(&Source::find()?).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn our_001_gives_its_results_to_its_curl_commands() -> anyhow::Result<()> {
    check_001(&Source::ours()?).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn tutorial_002_federates_all_servers_with_one_label() -> anyhow::Result<()> {
    check_002(&Source::find()?).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn our_002_federates_all_servers_with_one_label() -> anyhow::Result<()> {
    check_002(&Source::ours()?).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn tutorial_003_routes_by_path_for_curl_and_jq() -> anyhow::Result<()> {
    check_003(&Source::find()?).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn our_003_routes_by_path_for_curl_and_jq() -> anyhow::Result<()> {
    check_003(&Source::ours()?).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn tutorial_004_lists_a_single_server_under_its_own_names() -> anyhow::Result<()> {
    check_004(&Source::find()?).await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn our_004_lists_a_single_server_under_its_own_names() -> anyhow::Result<()> {
    check_004(&Source::ours()?).await
}

async fn check_000(source: &Source) -> anyhow::Result<()> {
    let (seed, peers) = (source.seed("000")?, Peers::find()?);
    let (_servers, gateway) = source.run(&seed, &peers, 80).await?;
    let (echo, fetch) = ("mcp-server-everything-3001_echo", "mcp-website-fetcher_fetch");
    check_echo_and_fetch(source, &peers, &gateway, echo, fetch).await
}

async fn check_001(source: &Source) -> anyhow::Result<()> {
    let (seed, peers) = (source.seed("001")?, Peers::find()?);
    let (_servers, gateway) = source.run(&seed, &peers, 80).await?;
    let [initialize, list, echo, directory] = seed.commands.as_slice() else {
        anyhow::bail!("four commands, not {:#?}", seed.commands);
    };
    let hello = shell(initialize, &[("localhost:8080", &host(&gateway))]).await?;
    anyhow::ensure!(hello.contains("\"protocolVersion\":\"2024-11-05\""), "{hello}");
    let session = hello
        .lines()
        .find_map(|line| line.strip_prefix("mcp-session-id:"))
        .with_context(|| format!("no session id in {hello}"))?
        .trim();
    let host = host(&gateway);
    let known = [("localhost:8080", host.as_str()), ("YOUR_SESSION_ID", session)];
    let tools = names(&json_of(&shell(list, &known).await?)?);
    for tool in ["echo", "add", "longRunningOperation"] {
        let name = format!("everything_{}", source.tool(tool));
        anyhow::ensure!(tools.contains(&name), "no {name} in {tools:?}");
    }
    for tool in ["read_file", "write_file", "list_directory"] {
        let name = format!("filesystem_{tool}");
        anyhow::ensure!(tools.contains(&name), "no {name} in {tools:?}");
    }
    let echoed = json_of(&shell(echo, &known).await?)?;
    anyhow::ensure!(text_of(&echoed).contains("Hello from federation!"), "{echoed}");
    let listed = json_of(&shell(directory, &known).await?)?;
    let text = text_of(&listed);
    anyhow::ensure!(text.contains("[DIR]") || text.contains("[FILE]"), "{listed}");
    Ok(())
}

async fn check_002(source: &Source) -> anyhow::Result<()> {
    let (seed, peers) = (source.seed("002")?, Peers::find()?);
    let (_servers, gateway) = source.run(&seed, &peers, 80).await?;
    let (echo, fetch) = ("mcp-server-everything-3001_echo", "mcp-website-fetcher-80_fetch");
    check_echo_and_fetch(source, &peers, &gateway, echo, fetch).await
}

async fn check_003(source: &Source) -> anyhow::Result<()> {
    let (seed, peers) = (source.seed("003")?, Peers::find()?);
    let (_servers, gateway) = source.run(&seed, &peers, 8080).await?;
    let [github, slack, issues] = seed.commands.as_slice() else {
        anyhow::bail!("three commands, not {:#?}", seed.commands);
    };
    let host = host(&gateway);
    let known = [("localhost:9080", host.as_str())];
    let tools = names(&json_of(&shell(github, &known).await?)?);
    assert_eq!(tools, ["get_repo", "list_issues", "create_issue", "delete_repo"]);
    let tools = names(&json_of(&shell(slack, &known).await?)?);
    assert_eq!(tools, ["list_channels", "send_message", "get_messages", "delete_channel"]);
    let called = json_of(&shell(issues, &known).await?)?;
    anyhow::ensure!(text_of(&called).starts_with("Mock GitHub result for list_issues"), "{called}");
    assert_eq!(called.get("id"), Some(&json!(2)));
    Ok(())
}

async fn check_004(source: &Source) -> anyhow::Result<()> {
    let (seed, peers) = (source.seed("004")?, Peers::find()?);
    let (_servers, gateway) = source.run(&seed, &peers, 8080).await?;
    let client = Client::connect(&gateway.url("/mcp")).await?;
    client.lists("echo").await?;
    assert_eq!(client.call("echo", json!({ "message": "hi" })).await?, "Echo: hi");
    gateway.stop().await
}

/// Both tools are listed, and answer to rmcp's client and to the Inspector.
async fn check_echo_and_fetch(
    source: &Source,
    peers: &Peers,
    gateway: &Gateway,
    echo: &str,
    fetch: &str,
) -> anyhow::Result<()> {
    let page = page("a page of the test").await?;
    let url = gateway.url("/mcp");
    let client = Client::connect(&url).await?;
    client.lists(echo).await?;
    client.lists(fetch).await?;
    assert_eq!(client.call(echo, json!({ "message": "hi" })).await?, "Echo: hi");
    assert_eq!(client.call(fetch, json!({ "url": page })).await?, "a page of the test");
    let sum = echo.replace("_echo", &format!("_{}", source.tool("add")));
    let added = client.call(&sum, json!({ "a": 42, "b": 58 })).await?;
    anyhow::ensure!(added.contains("100"), "{added}");

    let listed = peers.inspector(&url, &["--method", "tools/list"]).await?;
    anyhow::ensure!(listed.contains(echo) && listed.contains(fetch), "{listed}");
    let arguments = ["--method", "tools/call", "--tool-name", echo, "--tool-arg", "message=hi"];
    let echoed = peers.inspector(&url, &arguments).await?;
    anyhow::ensure!(echoed.contains("Echo: hi"), "{echoed}");
    let argument = format!("url={page}");
    let arguments = ["--method", "tools/call", "--tool-name", fetch, "--tool-arg", &argument];
    let fetched = peers.inspector(&url, &arguments).await?;
    anyhow::ensure!(fetched.contains("a page of the test"), "{fetched}");
    Ok(())
}

fn host(gateway: &Gateway) -> String {
    format!("localhost:{}", gateway.port())
}

/// Runs a command as it stands, with what only this run knows put in; each replacement has to happen.
async fn shell(command: &str, known: &[(&str, &str)]) -> anyhow::Result<String> {
    let mut text = command.to_owned();
    for (from, to) in known {
        anyhow::ensure!(text.contains(from), "no `{from}` in {command}");
        text = text.replace(from, to);
    }
    let mut bash = Command::new("bash");
    bash.args(["-o", "pipefail", "-c", &text]);
    output(command, bash).await
}

/// The message that a command printed: JSON, or an event stream of one message.
fn json_of(printed: &str) -> anyhow::Result<Value> {
    serde_json::from_str(printed.trim()).with_context(|| format!("not JSON: {printed}"))
}

fn names(message: &Value) -> Vec<String> {
    let tools = message.pointer("/result/tools").and_then(Value::as_array).into_iter().flatten();
    tools.filter_map(|tool| Some(tool.get("name")?.as_str()?.to_owned())).collect()
}

fn text_of(message: &Value) -> &str {
    message.pointer("/result/content/0/text").and_then(Value::as_str).unwrap_or_default()
}
