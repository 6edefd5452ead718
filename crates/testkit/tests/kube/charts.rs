//! The charts: what they install, that they do it twice, what they refuse to touch, and that their notes are true.

use std::fs;

use anyhow::Context;
use testkit::{Cluster, Peers, Shell, output, repository};
use tokio::process::Command;

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn the_charts_are_sound() -> anyhow::Result<()> {
    for chart in ["portico", "portico-crds"] {
        let said = helm(&["lint", "--strict", &path(chart)?]).await?;
        anyhow::ensure!(said.contains("0 chart(s) failed"), "{said}");
    }
    // Its version is the binary's: both containers are the image that was made from it.
    let rendered = helm(&["template", "portico", &path("portico")?]).await?;
    let image = Cluster::image()?;
    assert_eq!(rendered.matches(&format!("image: {image}\n")).count(), 1, "{image}: {rendered}");
    assert_eq!(rendered.matches(&format!("--proxy-image={image}\n")).count(), 1, "{rendered}");
    for (value, reason) in [
        ("discovery.crossNamespace=Some", "value must be one of 'Granted', 'Any'"),
        ("controller.replicas=2", "additional properties 'replicas' not allowed"),
        ("controller.replicaCount=two", "got string, want integer"),
        ("controllerName=agentgateway", "does not match pattern"),
    ] {
        let refused = helm(&["template", "portico", &path("portico")?, "--set", value]).await;
        let refused = format!("{:#}", refused.err().with_context(|| format!("{value} is taken"))?);
        anyhow::ensure!(refused.contains(reason), "{value}: {refused}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn what_kustomize_installs_is_what_the_chart_renders() -> anyhow::Result<()> {
    let chart = path("portico")?;
    let words = ["template", "portico", &chart, "--namespace", "portico-system", "--no-hooks"];
    let rendered = helm(&words).await?;
    let file = repository()?.join("deploy/kustomize/controller.yaml");
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&file, &rendered)?;
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    anyhow::ensure!(
        there == rendered,
        "deploy/kustomize/controller.yaml is not what `helm template` prints: run \
         `UPDATE_FIXTURES=1 cargo xtask test kube`"
    );
    let cluster = Cluster::restricted("charts-kustomize").await?;
    cluster.dry_run(&rendered.replace("portico-system", "charts-kustomize")).await?;
    let folder = repository()?.join("deploy/kustomize");
    let all = cluster.kubectl(&["kustomize", &folder.to_string_lossy()]).await?;
    for part in ["kind: CustomResourceDefinition", "name: portico-system", "kind: Deployment"] {
        anyhow::ensure!(all.contains(part), "no {part} in {all}");
    }
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn definitions_that_something_else_installed_are_left_alone_until_they_are_given_away()
-> anyhow::Result<()> {
    let cluster = Cluster::restricted("charts-crds").await?;
    cluster.definitions().await?;
    let release = ["upgrade", "--install", "other-crds", &path("portico-crds")?];
    let release = [&release[..], &["--namespace", "charts-crds"]].concat();
    let refused = helm(&release).await.err().context("foreign definitions are replaced")?;
    let refused = format!("{refused:#}");
    anyhow::ensure!(refused.contains("nothing was changed"), "{refused}");

    // Left alone, with the value that it names.
    let value = refused.split_whitespace().find(|word| word.starts_with("skipExisting"));
    let value = value.with_context(|| format!("no value in {refused}"))?;
    helm(&[&release[..], &["--set", value]].concat()).await?;
    let manifest = helm(&["get", "manifest", "other-crds", "--namespace", "charts-crds"]).await?;
    anyhow::ensure!(!manifest.contains("kind: CustomResourceDefinition"), "{manifest}");

    // Given away, with the commands that it prints.
    let release = [&release[..], &["--reset-values"]].concat();
    let refused = helm(&release).await.err().context("foreign definitions are replaced")?;
    for command in format!("{refused:#}").lines().map(str::trim) {
        if command.starts_with("kubectl ") {
            run(command).await?;
        }
    }
    for _ in 0..2 {
        helm(&release).await?;
    }
    helm(&["uninstall", "other-crds", "--namespace", "charts-crds"]).await?;
    cluster.kubectl(&["get", "agentgatewaybackends,agentgatewaypolicies"]).await?;
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test kube, needs the cluster lab"]
async fn the_controller_chart_is_installed_twice_and_its_notes_are_true_until_it_is_uninstalled()
-> anyhow::Result<()> {
    let cluster = Cluster::with_definitions("charts-install").await?;
    let chart = path("portico")?;
    let words = ["upgrade", "--install", "--create-namespace", "--namespace", "charts-install"];
    // A controller of a name of its own, beside that of the other tests.
    let values = ["--set", "controllerName=example.com/charts", "--set", "gatewayClassName=charts"];
    let release = [&words[..], &["charts", &chart], &values[..]].concat();
    helm(&release).await?;
    let notes = helm(&release).await?;
    let objects = "deployment,service,serviceaccount,role,rolebinding";
    let there = cluster.kubectl(&["get", objects, "--output=name"]).await?;
    for kind in ["deployment.apps", "service", "serviceaccount"] {
        anyhow::ensure!(there.contains(&format!("{kind}/charts-portico\n")), "{kind}: {there}");
    }

    // What stands four spaces in is typed, the last of it until it is ended.
    let typed: Vec<&str> = notes.lines().filter_map(|line| line.strip_prefix("    ")).collect();
    let (forward, script) = typed.split_last().context("no commands in the notes")?;
    let mut shell = Shell::start(&Peers::find()?).await?;
    shell.run(&script.join("\n")).await?;
    shell.run(&format!("{forward} &")).await?;
    shell.shows("Forwarding from 127.0.0.1:8080").await?;
    drop(shell);

    cluster.kubectl(&["delete", "gateway,httproute,agentgatewaybackend", "--all"]).await?;
    helm(&["uninstall", "charts", "--namespace", "charts-install", "--wait"]).await?;
    cluster.kubectl(&["delete", "gatewayclass", "charts"]).await?;
    let label = "--selector=app.kubernetes.io/instance=charts";
    let kinds = format!("{objects},clusterrole,clusterrolebinding");
    let left = cluster.kubectl(&["get", &kinds, label, "--output=name"]).await?;
    assert_eq!(left, "");
    Ok(())
}

fn path(chart: &str) -> anyhow::Result<String> {
    let folder = repository()?.join("deploy/charts").join(chart);
    Ok(folder.to_string_lossy().into_owned())
}

async fn helm(words: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("helm");
    command.args(words);
    output(&format!("helm {}", words.join(" ")), command).await
}

async fn run(line: &str) -> anyhow::Result<String> {
    let mut command = Command::new("bash");
    command.args(["-c", line]);
    output(line, command).await
}
