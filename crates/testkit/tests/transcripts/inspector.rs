//! The Inspector's command line, which is a process and a session for each request, and leaves without a word.

use anyhow::Context;
use testkit::{Change, Client, Gateway, Peers, Recorder, Transcript};

use crate::exceptions::{Pair, Server, Side, Speaker};
use crate::judge::judge;
use crate::sessions::{all_is_over, session_with};
use crate::start;

/// One command, and what it asks that only the server can answer, if anything.
struct Run {
    arguments: &'static [&'static str],
    asks: Option<&'static str>,
}

const RUNS: [Run; 5] = [
    Run { arguments: &["--method", "tools/list", "--strict"], asks: None },
    Run {
        arguments: &["--method", "tools/call", "--tool-name", "greet", "--tool-arg", "name=Ada"],
        asks: Some("tools/call"),
    },
    Run {
        arguments: &["--method", "tools/call", "--tool-name", "clock", "--app-info"],
        asks: Some("resources/read"),
    },
    Run {
        arguments: &["--method", "resources/read", "--uri", "note://hello"],
        asks: Some("resources/read"),
    },
    Run {
        arguments: &[
            "--method",
            "prompts/get",
            "--prompt-name",
            "introduce",
            "--prompt-args",
            "name=Ada",
        ],
        asks: Some("prompts/get"),
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn the_inspector_and_pythons_server_notice_nothing() -> anyhow::Result<()> {
    let pair = Pair { client: Speaker::Inspector, server: Server::Python };
    let peers = Peers::find()?;
    let port = peers.port()?;
    let _server = start("streamable-http", pair.server, &peers, port).await?;
    let upstream = Recorder::to(port).await?;
    let target = format!("targets:\n- name: only\n  url: http://127.0.0.1:{}/mcp\n", upstream.port);
    let gateway = Gateway::native(&target).await?;
    // Not the recorded client: it finds a gateway whose catalog is there.
    Client::connect(&gateway.url("/mcp")).await?.tools().await?;
    let (mut for_client, mut for_server) = (Vec::new(), Vec::new());
    for run in &RUNS {
        let (client, server) = changes(run, pair, &peers, port, &gateway, &upstream)
            .await
            .with_context(|| format!("{:?}", run.arguments))?;
        for_client.extend(client);
        for_server.extend(server);
    }
    let noticed =
        [judge(pair, Side::Client, &for_client), judge(pair, Side::Server, &for_server)].concat();
    anyhow::ensure!(noticed.is_empty(), "{pair:?} notice:\n{}", noticed.join("\n"));
    Ok(())
}

/// What one command finds changed, and what the server does.
async fn changes(
    run: &Run,
    pair: Pair,
    peers: &Peers,
    port: u16,
    gateway: &Gateway,
    upstream: &Recorder,
) -> anyhow::Result<(Vec<Change>, Vec<Change>)> {
    let by_chance = pair.server.by_chance();
    let recorder = Recorder::to(port).await?;
    let url = format!("http://127.0.0.1:{}/mcp", recorder.port);
    let printed = peers.inspector(&url, run.arguments).await.context("directly")?;
    let direct = Transcript::of(&all_is_over(&recorder).await?, by_chance);

    let before = upstream.exchanges.all().len();
    let recorder = Recorder::to(gateway.port()).await?;
    let url = format!("http://127.0.0.1:{}/mcp", recorder.port);
    let reprinted = peers.inspector(&url, run.arguments).await?;
    anyhow::ensure!(reprinted == printed, "it prints\n{reprinted}\ninstead of\n{printed}");
    let said = all_is_over(&recorder).await?;
    let for_server = match run.asks {
        Some(method) => {
            let session = session_with(method, upstream, before, &said).await?;
            direct.changes(&Transcript::of(&session, by_chance))
        }
        // Lists are answered from the menu, and need no session at the server.
        None => Vec::new(),
    };
    Ok((direct.changes(&Transcript::of(&said, by_chance)), for_server))
}
