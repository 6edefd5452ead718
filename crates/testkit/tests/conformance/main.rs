//! The official conformance suite: whatever it finds of a server, it finds of the same server behind the gateway.

mod federation;
mod hostile;

use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use testkit::{
    Client, Difference, Gateway, Peers, Process, Scenarios, Verdict, conformance, kept_verdict, say,
};
use tokio::process::Command;
use tokio::sync::Mutex;

/// A server that has all that the scenarios ask for, and the way to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Server {
    /// Ours, on rmcp, over streamable HTTP.
    Rmcp,
    /// The same over stdio; the reference is still what it says over HTTP.
    RmcpOverStdio,
    /// The everything-server of the Python SDK, over streamable HTTP.
    Python,
}

/// What may be found otherwise behind the gateway.
struct Exception {
    server: Server,
    scenario: &'static str,
    check: &'static str,
}

/// For good: a pipe has no stream that could end.
const EXCEPTIONS: [Exception; 1] = [Exception {
    server: Server::RmcpOverStdio,
    scenario: "server-sse-polling",
    check: "server-sse-disconnect-resume",
}];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn what_2025_11_25_requires_is_found_as_rmcps_server_has_it() -> anyhow::Result<()> {
    check(Server::Rmcp, Scenarios::Required("2025-11-25")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn what_2025_11_25_requires_is_found_over_stdio_too() -> anyhow::Result<()> {
    check(Server::RmcpOverStdio, Scenarios::Required("2025-11-25")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn what_2025_11_25_requires_is_found_as_pythons_server_has_it() -> anyhow::Result<()> {
    check(Server::Python, Scenarios::Required("2025-11-25")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn what_2025_06_18_has_is_found_as_rmcps_server_has_it() -> anyhow::Result<()> {
    check(Server::Rmcp, Scenarios::Of("2025-06-18")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn what_2025_06_18_has_is_found_over_stdio_too() -> anyhow::Result<()> {
    check(Server::RmcpOverStdio, Scenarios::Of("2025-06-18")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn what_2025_06_18_has_is_found_as_pythons_server_has_it() -> anyhow::Result<()> {
    check(Server::Python, Scenarios::Of("2025-06-18")).await
}

async fn check(server: Server, scenarios: Scenarios) -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let direct = verdict_on(server, scenarios, &peers).await?;
    let started = Instant::now();
    let (_process, target) = target(server, &peers).await?;
    let gateway = Gateway::native(&format!("targets:\n- name: everything\n{target}")).await?;
    let url = gateway.url("/mcp");
    Client::connect(&url).await?.lists("test_simple_text").await?;
    let through = conformance(&peers, &url, scenarios).await?;
    say(&format!(
        "{server:?}, {scenarios:?}: {} direct, {} through the gateway in {:.1} s",
        counts(&direct),
        counts(&through),
        started.elapsed().as_secs_f64()
    ));
    judge(server, &direct, &through)
}

/// What the suite finds of the server itself; kept, because it changes only with the two.
async fn verdict_on(
    server: Server,
    scenarios: Scenarios,
    peers: &Peers,
) -> anyhow::Result<Verdict> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());
    let _turn = ONE_AT_A_TIME.lock().await;
    let made_of = match server {
        Server::Rmcp | Server::RmcpOverStdio => {
            fs::read(fixture()).context("cannot read the fixture")?
        }
        Server::Python => peers.python_source().to_string_lossy().into_owned().into_bytes(),
    };
    let kept = kept_verdict(peers, &made_of, scenarios)?;
    if let Some(text) = kept.read() {
        return serde_json::from_str(&text).context("what is kept is not a verdict");
    }
    let (_process, url) = listening(server, peers).await?;
    let verdict = conformance(peers, &url, scenarios).await?;
    for status in ["FAILURE", "WARNING"] {
        let wrong: Vec<_> = verdict.checks.iter().filter(|check| check.status == status).collect();
        anyhow::ensure!(wrong.is_empty(), "{server:?} itself does not pass: {wrong:#?}");
    }
    kept.write(&serde_json::to_string(&verdict)?)?;
    Ok(verdict)
}

/// The lines of a document that make it a target, and what has to live as long.
async fn target(server: Server, peers: &Peers) -> anyhow::Result<(Option<Process>, String)> {
    match server {
        Server::RmcpOverStdio => {
            Ok((None, format!("  command: {}\n  args: [--stdio]\n", fixture().display())))
        }
        Server::Rmcp | Server::Python => {
            let (process, url) = listening(server, peers).await?;
            Ok((Some(process), format!("  url: {url}\n")))
        }
    }
}

/// The server over streamable HTTP, and its URL.
async fn listening(server: Server, peers: &Peers) -> anyhow::Result<(Process, String)> {
    match server {
        Server::Rmcp | Server::RmcpOverStdio => {
            let process = Process::start("the fixture", Command::new(fixture()))?;
            let said = process.says("listening on ").await?;
            let url = said.trim_start_matches("listening on ").to_owned();
            Ok((process, url))
        }
        Server::Python => {
            let port = peers.port()?;
            let process = peers.pythons_everything(port).await?;
            Ok((process, format!("http://127.0.0.1:{port}/mcp")))
        }
    }
}

fn judge(server: Server, direct: &Verdict, through: &Verdict) -> anyhow::Result<()> {
    let differences = direct.differences(through);
    let unexpected: Vec<_> = differences
        .iter()
        .filter(|difference| !exceptions_of(server).any(|exception| exception.is(difference)))
        .map(ToString::to_string)
        .collect();
    anyhow::ensure!(
        unexpected.is_empty(),
        "{server:?} is found otherwise behind the gateway (scenario / check: direct → through):\n{}",
        unexpected.join("\n")
    );
    let is_asked = |exception: &Exception| {
        direct.checks.iter().any(|check| check.scenario == exception.scenario)
    };
    for exception in exceptions_of(server).filter(|exception| is_asked(exception)) {
        anyhow::ensure!(
            differences.iter().any(|difference| exception.is(difference)),
            "{server:?} is found as it is at {}: take it off EXCEPTIONS",
            exception.check
        );
    }
    Ok(())
}

fn exceptions_of(server: Server) -> impl Iterator<Item = &'static Exception> {
    EXCEPTIONS.iter().filter(move |exception| exception.server == server)
}

impl Exception {
    fn is(&self, difference: &Difference) -> bool {
        self.scenario == difference.scenario && self.check == difference.id
    }
}

fn counts(verdict: &Verdict) -> String {
    let failed = verdict.count("FAILURE") + verdict.count("WARNING");
    format!("{}/{failed}", verdict.count("SUCCESS"))
}

fn fixture() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_conformance-fixture"))
}
