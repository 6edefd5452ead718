//! Our own tools, run as `cargo xtask <task>`: they build, start and test the product, and link none of it.

mod deny;
mod generated;
mod image;
mod packages;
mod peers;
mod protocol;
mod run;
mod steps;
mod workspace;

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
}

fn main() -> ExitCode {
    match perform(Task::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn perform(task: Task) -> anyhow::Result<()> {
    let workspace = Workspace::find()?;
    match task {
        Task::Test { steps } => steps::run_all(&workspace, &steps),
        Task::Gen { check: true } => generated::check(&workspace),
        Task::Gen { check: false } => generated::write(&workspace),
        Task::Image { output, profile } => {
            let output = output.unwrap_or_else(|| workspace.target.join("portico-image.tar"));
            image::write(&workspace, profile, &output)
        }
    }
}
