//! What an operator sees of the controller itself.

use std::collections::BTreeSet;
use std::fs;

use anyhow::Context;
use testkit::{Cluster, repository};

use crate::endurance::{CONTROLLERS, SYSTEM};

/// The names of metrics in a text: at the beginning of a line behind `mark`, up to what is no name.
fn names(text: &str, mark: &str) -> BTreeSet<String> {
    let names = text.lines().filter_map(|line| line.strip_prefix(mark));
    let is_other = |letter: char| !letter.is_ascii_lowercase() && letter != '_';
    let names = names.map(|name| name.split(is_other).next().unwrap_or_default().to_owned());
    names.filter(|name| name.starts_with("portico_controller_")).collect()
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn the_controller_counts_what_the_page_lists() -> anyhow::Result<()> {
    let cluster = Cluster::with_portico("operation").await?;
    cluster
        .apply(
            "{ apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: { name: g }, spec: { \
             gatewayClassName: agentgateway, listeners: [{ name: http, port: 80, protocol: HTTP }] } }",
        )
        .await?;
    cluster.gateway("g").await?;
    let address = "-o=jsonpath={.items[0].status.podIP}";
    let address = Cluster::there(SYSTEM).kubectl(&["get", "pods", CONTROLLERS, address]).await?;
    let metrics = cluster.page(&format!("http://{address}:9093/metrics")).await?;

    let page = fs::read_to_string(repository()?.join("docs/kubernetes.md"))?;
    // A counter's series end with `_total`, an info's with `_info`; their types do not.
    let listed: BTreeSet<String> = names(&page, "| `")
        .into_iter()
        .map(|name| name.trim_end_matches("_total").trim_end_matches("_info").to_owned())
        .collect();
    assert_eq!(names(&metrics, "# TYPE "), listed, "{metrics}");

    let value = |series: &str| -> anyhow::Result<f64> {
        let found = metrics.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        Ok(found.with_context(|| format!("no {series} in {metrics}"))?.parse()?)
    };
    for series in [
        "portico_controller_leader",
        "portico_controller_documents",
        "portico_controller_proxies",
        "portico_controller_publications_total",
        "portico_controller_translation_duration_seconds_count",
        "portico_controller_objects{kind=\"Gateway\"}",
        "portico_controller_applies_total{result=\"applied\"}",
        "portico_controller_status_writes_total{kind=\"Gateway\",result=\"done\"}",
    ] {
        anyhow::ensure!(value(series)? >= 1.0, "{series} of {metrics}");
    }
    Ok(())
}
