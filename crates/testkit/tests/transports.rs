//! Clients that speak something else than streamable HTTP.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Client, Gateway, Peers, Process, output, repository};
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_client_of_http_sse_uses_a_federation_and_answers_what_it_asks() -> anyhow::Result<()> {
    let (peers, scripts) = (Peers::find()?, repository()?.join("tests/peers/mcp"));
    let server = scripts.join("server.py");
    let port = peers.port()?;
    let mut command = Command::new(peers.mcp());
    command.arg(&server).args(["streamable-http", &port.to_string()]);
    let process = Process::start("streamable-http", command)?;
    process.listens(port).await?;
    let (script, program) = (server.display(), peers.mcp().display());
    let gateway = Gateway::native(&format!(
        "targets:\n- name: pipe\n  command: {program}\n  args: [{script}, stdio]\n- name: http\n  url: http://127.0.0.1:{port}/mcp\n"
    ))
    .await?;
    let client = Client::connect(&gateway.url("/mcp")).await?;
    for target in ["pipe", "http"] {
        client.lists(&format!("{target}_greet")).await?;
    }
    for path in ["/mcp", "/mcp/sse"] {
        let mut command = Command::new(peers.mcp());
        command.arg(scripts.join("over_sse.py")).args([gateway.url(path).as_str(), "pipe", "http"]);
        let seen: Value = serde_json::from_str(&output("Python over HTTP+SSE", command).await?)?;
        let tools = seen.get("tools").and_then(Value::as_array).context("no tools")?;
        anyhow::ensure!(tools.contains(&json!("pipe_greet")), "{seen}");
        assert_eq!(seen["greetings"], json!(["Hello, Ada!", "Hello, Ada!"]), "{path}");
        assert_eq!(seen["progress"], json!([1.0, 2.0, 3.0, 1.0, 2.0, 3.0]), "{path}");
        assert_eq!(seen["asked"], json!(["[pipe] Who is it?", "[http] Who is it?"]), "{path}");
        assert_eq!(seen["answered"], json!(["Hello, Ada!", "Hello, Ada!"]), "{path}");
    }
    Ok(())
}
