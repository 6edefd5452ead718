//! The official conformance suite of the Gateway API, as it is shipped, and what `docs/conformance.md` says of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Context;
use testkit::{Cluster, output_within, repository};
use tokio::process::Command;

/// How long the suite may take: a minute and a half on a free machine, and minutes more for each test that fails.
const SUITE: Duration = Duration::from_secs(20 * 60);

/// The suite takes the features to try from the GatewayClass, where nobody names others.
const WORDS: [&str; 4] = [
    "-test.v",
    "-test.timeout=20m",
    "-gateway-class=agentgateway",
    "-conformance-profiles=GATEWAY-HTTP",
];

/// What stands in backticks at the beginning of the items below a heading.
fn listed(page: &str, heading: &str) -> anyhow::Result<BTreeSet<String>> {
    let (_, rest) = page.split_once(&format!("\n## {heading}\n")).context("no such heading")?;
    let section = rest.split("\n## ").next().unwrap_or_default();
    let names = section.lines().filter_map(|line| line.strip_prefix("- `")?.split_once('`'));
    Ok(names.map(|(name, _)| name.to_owned()).collect())
}

/// How each test of the suite ended: `PASS`, `FAIL` or `SKIP`.
fn results(said: &str) -> BTreeMap<String, String> {
    let mut results = BTreeMap::new();
    for line in said.lines() {
        let Some((result, name)) =
            line.trim_start().strip_prefix("--- ").and_then(|rest| rest.split_once(": "))
        else {
            continue;
        };
        let name = name.split(' ').next().and_then(|name| name.strip_prefix("TestConformance/"));
        if let Some(name) = name.filter(|name| !name.contains('/')) {
            results.insert(name.to_owned(), result.to_owned());
        }
    }
    results
}

/// What the suite said, with all of the tests that failed, and nothing of the others.
fn told(said: &str) -> String {
    let failed = |line: &&str| line.contains("--- FAIL") || line.contains("Request failed");
    let lines: Vec<&str> = said.lines().filter(failed).collect();
    lines.join("\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn the_official_suite_finds_what_the_page_says() -> anyhow::Result<()> {
    let cluster = Cluster::with_portico("conformance").await?;
    cluster.until("condition=Accepted", "gatewayclass/agentgateway").await?;
    let page = std::fs::read_to_string(repository()?.join("docs/conformance.md"))?;
    let features = "-o=jsonpath={.status.supportedFeatures[*].name}";
    let features = cluster.kubectl(&["get", "gatewayclass", "agentgateway", features]).await?;
    let features: BTreeSet<String> = features.split_whitespace().map(str::to_owned).collect();
    assert_eq!(listed(&page, "Features")?, features, "the page, and the GatewayClass");

    let mut suite = Command::new("bash");
    // Its own verdict is in what it says.
    suite.args(["-c", "conformance.test \"$@\" || true", "suite"]).args(WORDS);
    let said = output_within(SUITE, "the conformance suite", suite).await?;
    let results = results(&said);
    let named = |wanted: &[&str]| -> BTreeSet<String> {
        let found = results.iter().filter(|(_, result)| wanted.contains(&result.as_str()));
        found.map(|(name, _)| name.clone()).collect()
    };
    let failed = told(&said);
    assert_eq!(listed(&page, "What passes")?, named(&["PASS"]), "what passes; {failed}");
    let mut others = listed(&page, "What does not yet")?;
    others.extend(listed(&page, "What is not about HTTP through Gateways")?);
    assert_eq!(others, named(&["FAIL", "SKIP"]), "what does not; {failed}");
    Ok(())
}
