//! The Python SDK 2.x on both sides: its servers over every transport, and its client, which tries the newest revision
//! first and settles for ours.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Client, Gateway, Peers, Process, output, repository};
use tokio::process::Command;

const TARGETS: [&str; 5] = ["stdio", "sse", "unsaid", "streamable-http", "stateless"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn pythons_client_uses_pythons_servers_over_every_transport() -> anyhow::Result<()> {
    let (peers, scripts) = (Peers::find()?, repository()?.join("tests/peers/mcp"));
    let (server, python) = (scripts.join("server.py"), peers.mcp().to_path_buf());
    let mut processes = Vec::new();
    let (script, program) = (server.display(), python.display());
    let mut targets = format!("- name: stdio\n  command: {program}\n  args: [{script}, stdio]\n");
    for transport in ["sse", "streamable-http", "stateless"] {
        let port = peers.port()?;
        let mut command = Command::new(&python);
        command.arg(&server).arg(transport).arg(port.to_string());
        let process = Process::start(transport, command)?;
        process.listens(port).await?;
        processes.push(process);
        let url = format!("http://127.0.0.1:{port}");
        targets.push_str(&match transport {
            // Once as an operator says it, and once to be found out.
            "sse" => format!(
                "- name: sse\n  url: {url}/sse\n  transport: sse\n- name: unsaid\n  url: {url}/sse\n"
            ),
            _ => format!("- name: {transport}\n  url: {url}/mcp\n"),
        });
    }
    let gateway = Gateway::native(&format!("targets:\n{targets}")).await?;
    let url = gateway.url("/mcp");
    let client = Client::connect(&url).await?;
    for target in TARGETS {
        client.lists(&format!("{target}_greet")).await?;
    }
    for target in TARGETS {
        let mut command = Command::new(&python);
        command.arg(scripts.join("client.py")).args([url.as_str(), target]);
        let said = output("Python's client", command).await?;
        check_seen(&serde_json::from_str(&said)?, target).context(target)?;
    }
    Ok(())
}

fn check_seen(seen: &Value, target: &str) -> anyhow::Result<()> {
    for (list, name) in [
        ("tools", format!("{target}_greet")),
        ("resources", format!("{target}+note://hello")),
        ("templates", format!("{target}+note://{{name}}/text")),
        ("prompts", format!("{target}_introduce")),
    ] {
        let names = seen.get(list).and_then(Value::as_array).context("no list")?;
        anyhow::ensure!(names.contains(&json!(name)), "no {name} in {names:?}");
    }
    for (what, wanted) in [
        ("greeting", json!("Hello, Ada!")),
        ("progress", json!([1.0, 2.0, 3.0])),
        ("note", json!("a note of the test")),
        ("note_uri", json!(format!("{target}+note://hello"))),
        ("named", json!("a note for Ada")),
        ("prompt", json!("Please introduce Ada.")),
        ("unknown_is_named", json!(true)),
    ] {
        anyhow::ensure!(seen.get(what) == Some(&wanted), "{what}: {seen}");
    }
    Ok(())
}
