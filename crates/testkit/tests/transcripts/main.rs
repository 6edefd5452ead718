//! A client and a server say to each other what they would say without the gateway between them: real clients and real
//! servers, recorded directly and on both sides of the gateway that has the server as its only target.

mod exceptions;
mod inspector;
mod judge;
mod play;
mod sessions;
mod steps;

use anyhow::Context;
use testkit::{
    Client, Exchange, Gateway, Peers, PlayerKind, Process, Recorder, Transcript, repository,
};

use crate::exceptions::{Pair, Server, Side, Speaker};
use crate::judge::judge;
use crate::play::{Wires, play};
use crate::sessions::{all_is_over, session_of, session_with};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn the_typescript_client_and_server_everything_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::TypeScript, Server::Everything).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn the_typescript_client_and_pythons_server_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::TypeScript, Server::Python).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn pythons_client_and_server_everything_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::Python, Server::Everything).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn pythons_client_and_server_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::Python, Server::Python).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn rmcps_client_and_server_everything_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::Rmcp, Server::Everything).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn rmcps_client_and_pythons_server_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::Rmcp, Server::Python).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn the_typescript_client_and_server_everything_over_http_sse_notice_nothing()
-> anyhow::Result<()> {
    check(PlayerKind::TypeScriptOverSse, Server::Everything).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn the_typescript_client_and_pythons_server_over_http_sse_notice_nothing()
-> anyhow::Result<()> {
    check(PlayerKind::TypeScriptOverSse, Server::Python).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn pythons_client_and_server_everything_over_http_sse_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::PythonOverSse, Server::Everything).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn pythons_client_and_server_over_http_sse_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::PythonOverSse, Server::Python).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_client_behind_mcp_remote_and_server_everything_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::McpRemote, Server::Everything).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn a_client_behind_mcp_remote_and_pythons_server_notice_nothing() -> anyhow::Result<()> {
    check(PlayerKind::McpRemote, Server::Python).await
}

async fn check(client: PlayerKind, server: Server) -> anyhow::Result<()> {
    let pair = Pair { client: Speaker::Player(client), server };
    let peers = Peers::find()?;
    let port = peers.port()?;
    let (path, gateway_path, transport, name) = if client.is_over_sse() {
        ("/sse", "/mcp/sse", "sse", "sse")
    } else {
        ("/mcp", "/mcp", "streamable", "streamable-http")
    };
    let _server = start(name, server, &peers, port).await?;
    let transcript = |exchanges: &[Exchange]| Transcript::of(exchanges, server.by_chance());

    let direct = Recorder::to(port).await?;
    let wires = Wires { client: &direct, server: &direct };
    play((client, server), &peers, wires, path).await.context("directly")?;
    let direct = transcript(&session_of("tools/call", &all_is_over(&direct).await?));

    let upstream = Recorder::to(port).await?;
    let gateway = Gateway::native(&format!(
        "targets:\n- name: only\n  url: http://127.0.0.1:{}{path}\n  transport: {transport}\n",
        upstream.port
    ))
    .await?;
    // Not the recorded client: it finds a gateway whose catalog is there.
    Client::connect(&gateway.url("/mcp")).await?.tools().await?;
    let downstream = Recorder::to(gateway.port()).await?;
    let wires = Wires { client: &downstream, server: &upstream };
    let played = play((client, server), &peers, wires, gateway_path).await;
    played.with_context(|| gateway.process.log.all().join("\n"))?;
    let said = session_of("tools/call", &all_is_over(&downstream).await?);
    let session = session_with("tools/call", &upstream, 0, &said).await?;
    let noticed = [
        judge(pair, Side::Client, &direct.changes(&transcript(&said))),
        judge(pair, Side::Server, &direct.changes(&transcript(&session))),
    ]
    .concat();
    anyhow::ensure!(noticed.is_empty(), "{pair:?} notice:\n{}", noticed.join("\n"));
    Ok(())
}

async fn start(
    transport: &str,
    server: Server,
    peers: &Peers,
    port: u16,
) -> anyhow::Result<Process> {
    let script = repository()?.join("tests/peers/mcp/server.py");
    match server {
        Server::Everything if transport == "sse" => peers.everything_on_sse(port).await,
        Server::Everything => peers.everything(port).await,
        Server::Python => peers.python(&script, transport, port).await,
    }
}
