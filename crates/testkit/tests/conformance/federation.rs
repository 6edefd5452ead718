//! The scenarios in a federation of three, one of them hostile: what is found of one server in it, by its names there,
//! is what is found of the same server alone.

use std::time::Instant;

use serde_json::json;
use testkit::{Client, Gateway, Peers, Scenarios, Shim, conformance, request, say};

use crate::{Server, counts, hostile, judge, listening, verdict_on};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn what_2025_11_25_requires_is_found_of_rmcps_server_among_others() -> anyhow::Result<()> {
    check(Server::Rmcp, "rmcp").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn what_2025_11_25_requires_is_found_of_pythons_server_among_others() -> anyhow::Result<()> {
    check(Server::Python, "python").await
}

async fn check(server: Server, target: &str) -> anyhow::Result<()> {
    let (peers, scenarios) = (Peers::find()?, Scenarios::Required("2025-11-25"));
    let direct = verdict_on(server, scenarios, &peers).await?;
    let started = Instant::now();
    let hostile = hostile::start().await?;
    let (_rmcp, rmcp) = listening(Server::Rmcp, &peers).await?;
    let (_python, python) = listening(Server::Python, &peers).await?;
    // The hostile one comes first wherever an order decides.
    let gateway = Gateway::native(&format!(
        "targets:\n{}- name: rmcp\n  url: {rmcp}\n- name: python\n  url: {python}\n",
        hostile.target("hostile")
    ))
    .await?;
    let url = gateway.url("/mcp");
    let client = Client::connect(&url).await?;
    for name in ["rmcp", "python", "hostile"] {
        client.lists(&format!("{name}_test_simple_text")).await?;
    }
    // In each session the hostile one asks too, by the ids that its neighbours use.
    let call = json!({ "name": format!("hostile_{}", hostile::ASKS) });
    let beside = Some(request("\"beside\"", "tools/call", &call));
    let shim = Shim { target: target.to_owned(), gateway: url, beside }.start().await?;
    let through = conformance(&peers, &shim, scenarios).await?;
    say(&format!(
        "{server:?} among others, {scenarios:?}: {} direct, {} through the gateway in {:.1} s",
        counts(&direct),
        counts(&through),
        started.elapsed().as_secs_f64()
    ));
    anyhow::ensure!(hostile.count("tools/call") > 1, "nobody was asked by the hostile one");
    judge(server, &direct, &through)
}
