//! The cluster itself: pods, names, addresses and our image are there as they are in any other cluster.

use std::fs;

use anyhow::Context;
use testkit::Cluster;

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn a_pod_is_reached_by_name_by_address_and_by_port_forward() -> anyhow::Result<()> {
    let cluster = Cluster::restricted("smoke").await?;
    cluster.apply(include_str!("smoke/echo.yaml")).await?;
    cluster.until("condition=Available", "deployment/echo").await?;
    let pod = cluster.kubectl(&["get", "pods", "-l=app=echo", "-o=name"]).await?;
    let pod = pod.trim().trim_start_matches("pod/");

    cluster.until("jsonpath={.status.phase}=Succeeded", "pod/caller").await?;
    let answer = cluster.kubectl(&["logs", "caller"]).await?;
    anyhow::ensure!(answer.contains(pod), "by name: {answer}");

    cluster.until("jsonpath={.status.loadBalancer.ingress}", "service/echo").await?;
    let address = "-o=jsonpath={.status.loadBalancer.ingress[0].ip}";
    let address = cluster.kubectl(&["get", "service", "echo", address]).await?;
    anyhow::ensure!(address.starts_with("10.244.200."), "{address}");
    let answer = cluster.page(&format!("http://{address}/")).await?;
    anyhow::ensure!(answer.contains(pod), "by load balancer: {answer}");

    let forward = cluster.forward("service/echo", 80).await?;
    let answer = cluster.page(&format!("http://127.0.0.1:{}/", forward.port)).await?;
    anyhow::ensure!(answer.contains(pod), "by port-forward: {answer}");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn the_image_that_users_get_runs_without_rights() -> anyhow::Result<()> {
    let cluster = Cluster::restricted("image").await?;
    let manifest = include_str!("smoke/portico.yaml").replace("$PORTICO_IMAGE", &Cluster::image()?);
    cluster.apply(&manifest).await?;
    cluster.until("condition=Ready", "pod/portico").await?;
    // Its own process is seen from the node.
    let mut users = Vec::new();
    for process in fs::read_dir("/proc")? {
        let status = fs::read_to_string(process?.path().join("status")).unwrap_or_default();
        if status.starts_with("Name:\tportico\n") {
            let user = status.lines().find(|line| line.starts_with("Uid:"));
            users.push(user.context("a process of nobody")?.to_owned());
        }
    }
    // Those of other tests run beside it.
    anyhow::ensure!(!users.is_empty(), "no process of ours is seen");
    anyhow::ensure!(
        users.iter().all(|user| user == "Uid:\t10101\t10101\t10101\t10101"),
        "{users:?}"
    );
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn the_servers_of_the_tutorials_run_without_a_network() -> anyhow::Result<()> {
    let cluster = Cluster::privileged("servers").await?;
    cluster.apply(include_str!("smoke/servers.yaml")).await?;
    for pod in ["everything", "filesystem", "fetcher", "mock"] {
        cluster.until("condition=Ready", &format!("pod/{pod}")).await?;
    }
    Ok(())
}
