//! The steps of `cargo xtask test`, in the order in which they run, each with its time.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;

use crate::lab::Lab;
use crate::peers::Peers;
use crate::run::{build_portico, cargo, run};
use crate::workspace::Workspace;
use crate::{deny, generated, packages, peers};

/// One part of the proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Step {
    /// Install what is missing: system programs, npm and PyPI peers.
    Peers,
    /// `cargo fmt --check`.
    Fmt,
    /// `cargo clippy` with warnings denied.
    Clippy,
    /// `cargo deny`: bans, licences, sources.
    Deny,
    /// Generated files say what the code says.
    Gen,
    /// `cargo test --workspace`: what needs Rust alone.
    Unit,
    /// The binary against real servers and clients.
    Outside,
    /// The image that users get, in a real Kubernetes cluster.
    Kube,
}

/// Runs the steps that are named, or all; the first failure ends the run.
pub(crate) fn run_all(workspace: &Workspace, chosen: &[Step]) -> anyhow::Result<()> {
    let mut times: Vec<(Step, Duration)> = Vec::new();
    for step in Step::value_variants() {
        if !chosen.is_empty() && !chosen.contains(step) {
            continue;
        }
        println!("== {}", name(*step));
        let started = Instant::now();
        let outcome = one(workspace, *step);
        let took = started.elapsed();
        println!("== {} took {:.1} s", name(*step), took.as_secs_f64());
        times.push((*step, took));
        outcome.with_context(|| format!("the step `{}` failed", name(*step)))?;
    }
    println!("all passed:");
    for (step, took) in times {
        println!("  {:<8} {:>6.1} s", name(step), took.as_secs_f64());
    }
    Ok(())
}

fn one(workspace: &Workspace, step: Step) -> anyhow::Result<()> {
    let root = &workspace.root;
    match step {
        Step::Peers => {
            packages::ensure(&packages::PEERS)?;
            peers::ensure(workspace).map(drop)
        }
        Step::Fmt => run(cargo(root).args(["fmt", "--all", "--check"])),
        Step::Clippy => run(cargo(root)
            .args(["clippy", "--release", "--workspace", "--all-targets", "--quiet"])
            .args(["--", "-D", "warnings"])),
        Step::Deny => deny::check(workspace),
        Step::Gen => generated::check(workspace),
        Step::Unit => {
            // testkit brings rmcp's HTTP client, whose features would have the whole product compiled once more.
            let test = ["test", "--release", "--quiet"];
            run(cargo(root).args(test).args(["--workspace", "--exclude", "testkit"]))?;
            run(cargo(root).args(test).args(["--package", "testkit"]))
        }
        Step::Outside => outside(workspace),
        Step::Kube => kube(workspace),
    }
}

/// The tests in `crates/testkit/tests` that need the cluster.
const KUBE: &str = "kube";

/// The ignored tests of `crates/testkit/tests` but those of the cluster, on the peers and the binary.
fn outside(workspace: &Workspace) -> anyhow::Result<()> {
    let peers = peers::ensure(workspace)?;
    run(&mut build_portico(workspace))?;
    let mut command = cargo(&workspace.root);
    command.args(["test", "--release", "--quiet", "--package", "testkit", "--no-fail-fast"]);
    for found in fs::read_dir(workspace.root.join("crates/testkit/tests"))? {
        let path = found?.path();
        let name = path.file_stem().context("a test without a name")?;
        if name != KUBE {
            command.arg("--test").arg(name);
        }
    }
    command.args(["--", "--ignored"]).envs(variables(workspace, &peers));
    run(&mut command)
}

/// First the tutorials, which install the Gateway API 1.4.0; then the rest on 1.6.1, from which there is no way back. `$@` are
/// the words that run tests, and take a filter.
const KUBE_ORDER: &str = "\
    status=0; \
    \"$@\" seeds || status=1; \
    helm uninstall --namespace agentgateway-system --ignore-not-found --wait agentgateway portico; \
    \"$@\" --skip seeds || status=1; \
    exit $status";

/// The tests of the cluster, in one that lives as long as they run.
fn kube(workspace: &Workspace) -> anyhow::Result<()> {
    let lab = Lab::ready(workspace)?;
    let test = ["test", "--release", "--quiet", "--package", "testkit", "--test", KUBE];
    run(cargo(&workspace.root).args(test).arg("--no-run"))?;
    let cargo = cargo(&workspace.root);
    let mut command = Command::new("bash");
    command.current_dir(&workspace.root).args(["-c", KUBE_ORDER, "kube"]).arg(cargo.get_program());
    for (name, _) in cargo.get_envs().filter(|(_, value)| value.is_none()) {
        command.env_remove(name);
    }
    // Some stop what the others need.
    let alone = ["--", "--ignored", "--test-threads=1"];
    command.args(test).args(alone).envs(variables(workspace, &lab.peers));
    let logs = workspace.target.join("lab-logs");
    let status = lab.run(Some(&command), Some(&logs))?;
    anyhow::ensure!(
        status == 0,
        "tests in the cluster failed; the logs of its programs and pods are in {}",
        logs.display()
    );
    Ok(())
}

fn variables(workspace: &Workspace, peers: &Peers) -> Vec<(&'static str, PathBuf)> {
    let mut variables = peers.variables.clone();
    variables.push(("PORTICO_BINARY", workspace.portico()));
    variables.push(("PORTICO_CACHE", workspace.cache.clone()));
    variables
}

fn name(step: Step) -> String {
    step.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
