//! Ways in, as a newcomer takes them: the first command of the README, the `mcp.json` of an IDE, and the clients that
//! others wrote.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{
    Client, Gateway, Peers, Played, Player, PlayerKind, Process, Start, Tap, repository,
    reserved_port,
};
use tokio::process::Command;

/// A cold build of the whole gateway; it bounds cargo, not the product.
const BUILD: Duration = Duration::from_secs(30 * 60);

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn the_first_command_of_the_readme_serves_two_servers() -> anyhow::Result<()> {
    let root = repository()?;
    let readme = fs::read_to_string(root.join("README.md")).context("no README.md")?;
    let first = readme
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with("cargo "))
        .context("no command in README.md")?;
    assert_eq!(first, "cargo run --release -- run --demo");
    let port = reserved_port()?;
    // What cargo has to build is built first, outside the deadline of the harness.
    let build = first.split(" -- ").next().context("no program in the command")?;
    let mut built = Command::new("bash");
    built.args(["-c", &format!("{build} -- --version")]).current_dir(&root);
    let built = tokio::time::timeout(BUILD, built.output()).await??;
    anyhow::ensure!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));

    let admin = reserved_port()?;
    let mut command = Command::new("bash");
    let flags = format!("--port 8080={port} --admin-address 127.0.0.1:{admin}");
    command.args(["-c", &format!("exec {first} {flags}")]).current_dir(&root);
    let process = Process::start("the README's command", command)?;
    process.says("Portico is ready").await?;
    let client = Client::connect(&format!("http://127.0.0.1:{port}/mcp")).await?;
    let called = call_one_of_each(&client).await?;
    assert_eq!(called.len(), 2, "two servers, not {called:?}");
    for ide in ["claude mcp add", "cursor", "vs code", "inspector"] {
        let said = process.log.all().join("\n").to_lowercase();
        anyhow::ensure!(said.contains(ide), "how to connect with `{ide}` is not said:\n{said}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn an_mcp_json_brings_its_servers_with_their_secrets() -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let (http, sse) = (peers.port()?, peers.port()?);
    let _http = peers.everything(http).await?;
    let _sse = peers.everything_over_sse(sse).await?;
    let tap = Tap::to(http).await?;
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("hello.txt"), "hello")?;
    let everything = peers.script("@modelcontextprotocol/server-everything")?;
    let filesystem = peers.script("@modelcontextprotocol/server-filesystem")?;
    let servers = json!({
        "filesystem": { "command": peers.node(), "args": [filesystem, folder.path()] },
        "everything": {
            "type": "http",
            "url": format!("http://127.0.0.1:{}/mcp", tap.port),
            "headers": { "Authorization": "Bearer ${TESTKIT_TOKEN}" },
        },
        "proxied": { "type": "sse", "url": format!("http://127.0.0.1:{sse}/sse") },
        "local": {
            "type": "stdio",
            "command": peers.node(),
            "args": [everything],
            "env": { "TESTKIT_SECRET": "${env:TESTKIT_SECRET}" },
        },
    });
    for (key, command_line) in [("mcpServers", "mcp.json"), ("servers", "mcp.json")] {
        let gateway = Gateway::start(Start {
            files: vec![(command_line, json!({ key: servers }).to_string())],
            variables: vec![
                ("TESTKIT_TOKEN", "t0ken".to_owned()),
                ("TESTKIT_SECRET", "s3cret".to_owned()),
            ],
            ..Start::default()
        })
        .await?;
        check_mcp_json(&peers, &gateway, &tap, &folder.path().to_string_lossy()).await?;
        gateway.stop().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn the_typescript_client_uses_a_federation_and_is_asked() -> anyhow::Result<()> {
    check_client(PlayerKind::TypeScript).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn the_typescript_client_does_so_over_http_sse() -> anyhow::Result<()> {
    check_client(PlayerKind::TypeScriptOverSse).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_client_behind_mcp_remote_does_so() -> anyhow::Result<()> {
    check_client(PlayerKind::McpRemote).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn pythons_client_does_so() -> anyhow::Result<()> {
    check_client(PlayerKind::Python).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn pythons_client_does_so_over_http_sse() -> anyhow::Result<()> {
    check_client(PlayerKind::PythonOverSse).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn rmcps_client_does_so() -> anyhow::Result<()> {
    check_client(PlayerKind::Rmcp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn the_inspector_approves_of_every_schema_and_finds_the_app_of_a_tool() -> anyhow::Result<()>
{
    let peers = Peers::find()?;
    let Federation { gateway, _servers } = federation(&peers).await?;
    let url = gateway.url("/mcp");
    let listed = peers.inspector(&url, &["--method", "tools/list", "--strict"]).await?;
    for tool in ["\"everything_echo\"", "\"python_greet\""] {
        anyhow::ensure!(listed.contains(tool), "no {tool} in {listed}");
    }
    let call = ["--method", "tools/call", "--tool-name"];
    let echo = [&call[..], &["everything_echo", "--tool-arg", "message=hi"]].concat();
    let echoed = peers.inspector(&url, &echo).await?;
    anyhow::ensure!(echoed.contains("Echo: hi"), "{echoed}");
    let app = [&call[..], &["python_clock", "--app-info"]].concat();
    let app = peers.inspector(&url, &app).await?;
    let app: Value = serde_json::from_str(&app).with_context(|| format!("not one line: {app}"))?;
    assert_eq!((&app["hasApp"], &app["toolName"]), (&json!(true), &json!("python_clock")));
    anyhow::ensure!(
        app["resourceUri"].as_str().is_some_and(|uri| uri.starts_with("ui://")),
        "{app}"
    );
    anyhow::ensure!(app.get("resourceError").is_none(), "its page cannot be read: {app}");
    Ok(())
}

/// server-everything, a server on Python's SDK, and a gateway that has listed both.
struct Federation {
    gateway: Gateway,
    _servers: [Process; 2],
}

async fn federation(peers: &Peers) -> anyhow::Result<Federation> {
    let (everything, python) = (peers.port()?, peers.port()?);
    let script = repository()?.join("tests/peers/mcp/server.py");
    let servers = [
        peers.everything(everything).await?,
        peers.python(&script, "streamable-http", python).await?,
    ];
    let gateway = Gateway::native(&format!(
        "targets:\n- name: everything\n  url: http://127.0.0.1:{everything}/mcp\n- name: python\n  url: http://127.0.0.1:{python}/mcp\n"
    ))
    .await?;
    let client = Client::connect(&gateway.url("/mcp")).await?;
    client.lists("everything_echo").await?;
    client.lists("python_greet").await?;
    Ok(Federation { gateway, _servers: servers })
}

async fn check_client(kind: PlayerKind) -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let Federation { gateway, _servers } = federation(&peers).await?;
    let mut player = Player::connect(kind, &peers, &gateway.url("/mcp")).await?;
    let played = check_played(kind, &mut player).await;
    played.with_context(|| gateway.process.log.all().join("\n"))?;
    player.leave().await
}

async fn check_played(kind: PlayerKind, player: &mut Player) -> anyhow::Result<()> {
    for (method, list, names) in [
        ("tools/list", "tools", ["everything_echo", "python_greet"]),
        ("prompts/list", "prompts", ["everything_simple-prompt", "python_introduce"]),
        ("resources/list", "resources", ["architecture.md", "note"]),
    ] {
        let listed = player.play(method, json!({})).await?.names(list);
        for name in names {
            anyhow::ensure!(listed.iter().any(|listed| listed == name), "no {name} in {listed:?}");
        }
    }
    let echo = call(player, "everything_echo", json!({ "message": "hi" })).await?;
    assert_eq!(echo.text(), "Echo: hi");
    let counted = call(player, "python_count", json!({ "to": 3 })).await?;
    assert_eq!(counted.text(), "3");
    // Over SSE and pipes, the TypeScript SDK forgets progress that arrives in one piece with the result.
    if !matches!(kind, PlayerKind::TypeScriptOverSse | PlayerKind::McpRemote) {
        assert_eq!(counted.progress, [1.0, 2.0, 3.0]);
    }
    let note = player.play("resources/read", json!({ "uri": "python+note://hello" })).await?;
    assert_eq!(note.result.pointer("/contents/0/text"), Some(&json!("a note of the test")));

    let (form, sampling) =
        ("everything_trigger-elicitation-request", "everything_trigger-sampling-request");
    let prompt = json!({ "prompt": "hi", "maxTokens": 10 });
    for (tool, arguments, asked, answered) in [
        ("python_ask", json!({}), "[python] Who is it?", "Hello, Ada!"),
        (form, json!({}), "[everything] Please provide inputs", "- Name: Ada"),
        ("python_sample", json!({}), "Hello!", "Hello from the model!"),
        (sampling, prompt, "context: hi", "Hello from the model!"),
    ] {
        let played = call(player, tool, arguments).await?;
        let [question] = &played.asked[..] else {
            anyhow::bail!("`{tool}` asked {:?}", played.asked)
        };
        anyhow::ensure!(question.contains(asked), "`{tool}` asked `{question}`");
        anyhow::ensure!(played.text().contains(answered), "`{tool}`: {}", played.text());
    }
    let unknown = call(player, "nobody_has_this", json!({})).await?;
    anyhow::ensure!(unknown.error.to_string().contains("nobody_has_this"), "{unknown:?}");
    Ok(())
}

async fn call(player: &mut Player, tool: &str, arguments: Value) -> anyhow::Result<Played> {
    player.play("tools/call", json!({ "name": tool, "arguments": arguments })).await
}

async fn check_mcp_json(
    peers: &Peers,
    gateway: &Gateway,
    tap: &Tap,
    folder: &str,
) -> anyhow::Result<()> {
    let url = gateway.url("/mcp");
    let client = Client::connect(&url).await?;
    for tool in ["filesystem_list_directory", "everything_echo", "proxied_echo", "local_get-env"] {
        client.lists(tool).await?;
    }
    let listed = client.call("filesystem_list_directory", json!({ "path": folder })).await?;
    anyhow::ensure!(listed.contains("hello.txt"), "{listed}");
    for tool in ["everything_echo", "proxied_echo"] {
        assert_eq!(client.call(tool, json!({ "message": "hi" })).await?, "Echo: hi");
    }
    let sent = tap.sent().to_lowercase();
    anyhow::ensure!(sent.contains("authorization: bearer t0ken"), "{sent}");
    let variables = client.call("local_get-env", json!({})).await?;
    let variables: BTreeMap<String, Value> = serde_json::from_str(&variables)?;
    assert_eq!(variables.get("TESTKIT_SECRET"), Some(&json!("s3cret")));
    assert_eq!(variables.get("TESTKIT_TOKEN"), None, "only what is configured is passed on");
    let told =
        format!("{}\n{}", gateway.process.log.all().join("\n"), gateway.admin("/config").await?);
    anyhow::ensure!(
        !told.contains("t0ken") && !told.contains("s3cret"),
        "a secret is told: {told}"
    );
    let arguments =
        ["--method", "tools/call", "--tool-name", "proxied_echo", "--tool-arg", "message=hi"];
    let echoed = peers.inspector(&url, &arguments).await?;
    anyhow::ensure!(echoed.contains("Echo: hi"), "{echoed}");
    Ok(())
}

/// Calls the first tool of each server with what its schema asks for; gives what was called.
async fn call_one_of_each(client: &Client) -> anyhow::Result<Vec<String>> {
    let mut called: Vec<String> = Vec::new();
    for tool in client.listed().await? {
        let name = tool.name.to_string();
        let server = name.split('_').next().unwrap_or_default().to_owned();
        if called.iter().any(|other| other.starts_with(&format!("{server}_"))) {
            continue;
        }
        let schema = Value::Object(tool.input_schema.as_ref().clone());
        client.call(&name, arguments(&schema)).await?;
        called.push(name);
    }
    Ok(called)
}

/// Arguments of the right types for everything that a schema requires.
fn arguments(schema: &Value) -> Value {
    let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
    let pairs = required.filter_map(Value::as_str).map(|name| {
        let property = schema.pointer(&format!("/properties/{name}"));
        let kind = property.and_then(|property| property.get("type")).and_then(Value::as_str);
        let first = property.and_then(|property| property.pointer("/enum/0"));
        let value = match (first, kind) {
            (Some(first), _) => first.clone(),
            (None, Some("number" | "integer")) => json!(2),
            (None, Some("boolean")) => json!(true),
            (None, Some("array")) => json!([1, 2]),
            _ => json!("hello"),
        };
        (name.to_owned(), value)
    });
    Value::Object(pairs.collect())
}
