//! The steps of `cargo xtask test`, in the order in which they run, each with its time.

use std::time::{Duration, Instant};

use anyhow::Context;
use clap::ValueEnum;

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
            packages::ensure()?;
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
    }
}

/// The ignored tests of `crates/testkit/tests`, on the peers and the binary.
fn outside(workspace: &Workspace) -> anyhow::Result<()> {
    let peers = peers::ensure(workspace)?;
    run(&mut build_portico(workspace))?;
    let mut command = cargo(&workspace.root);
    command
        .args(["test", "--release", "--quiet", "--package", "testkit", "--no-fail-fast"])
        .args(["--", "--ignored"])
        .env("PORTICO_BINARY", workspace.portico())
        .env("PORTICO_CACHE", &workspace.cache);
    for (variable, folder) in peers.variables {
        command.env(variable, folder);
    }
    run(&mut command)
}

fn name(step: Step) -> String {
    step.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}
