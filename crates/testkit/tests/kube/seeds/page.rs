//! A page of the cluster's own web, for the server that fetches pages: nothing else can be reached from a pod.

use testkit::Cluster;

/// A page.
pub(super) struct Page {
    pub(super) url: String,
    /// What stands in it.
    pub(super) text: String,
}

/// A page that a pod serves.
pub(super) async fn page() -> anyhow::Result<Page> {
    let cluster = Cluster::restricted("seeds-page").await?;
    cluster.apply(include_str!("../smoke/echo.yaml")).await?;
    cluster.until("condition=Available", "deployment/echo").await?;
    let pod = cluster.kubectl(&["get", "pods", "--selector=app=echo", "--output=name"]).await?;
    let text = pod.trim().trim_start_matches("pod/").to_owned();
    Ok(Page { url: "http://echo.seeds-page.svc/".to_owned(), text })
}
