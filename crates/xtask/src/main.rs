//! Our own tools, run as `cargo xtask <task>`: they build, start and test the product, and link none of it.

mod deny;
mod generated;
mod hash;
mod image;
mod lab;
mod packages;
mod peers;
mod protocol;
mod run;
mod steps;
mod workspace;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::workspace::Workspace;

/// The tools of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Set up what the tests need and run all of them, or only the steps that are named.
    Test {
        /// The steps to run, in their own order; none means all.
        steps: Vec<steps::Step>,
    },
    /// Write the files that are generated from the code.
    Gen {
        /// Write nothing; fail if a file is not what would be written.
        #[arg(long)]
        check: bool,
    },
    /// Write the image that users get, as an OCI archive.
    Image {
        /// Where to write it; `portico-image.tar` in the target folder if not said.
        #[arg(long)]
        output: Option<PathBuf>,
        /// How to compile the binary.
        #[arg(long, value_enum, default_value = "dist")]
        profile: image::Profile,
    },
    /// Start a Kubernetes cluster on this machine, run a command in it, and leave nothing behind.
    Lab {
        /// Keep the logs of the cluster's programs in this folder.
        #[arg(long)]
        logs: Option<PathBuf>,
        /// The command; none means an interactive shell.
        #[arg(last = true)]
        command: Vec<OsString>,
    },
    /// What `lab` starts in its namespaces.
    #[command(hide = true)]
    LabInside {
        #[command(flatten)]
        parts: lab::Parts,
        #[arg(last = true)]
        command: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match perform(Task::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<ExitCode> {
    if let Task::LabInside { parts, command } = task {
        return lab::run_inside(&parts, &command);
    }
    let workspace = Workspace::find()?;
    match task {
        Task::Test { steps } => steps::run_all(&workspace, &steps)?,
        Task::Gen { check: true } => generated::check(&workspace)?,
        Task::Gen { check: false } => generated::write(&workspace)?,
        Task::Image { output, profile } => {
            let output = output.unwrap_or_else(|| workspace.target.join("portico-image.tar"));
            image::write(&workspace, profile, &output)?;
        }
        Task::Lab { logs, command } => {
            return lab::run(&workspace, &command, logs.as_deref());
        }
        Task::LabInside { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}
