//! Runs other programs: their output is ours, and an error names the whole command.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::workspace::Workspace;

/// Runs `command` to its end; an error if it fails.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command.status().with_context(|| format!("cannot start {}", shown(command)))?;
    anyhow::ensure!(status.success(), "{} failed: {status}", shown(command));
    Ok(())
}

/// Runs `command` to its end and gives what it wrote to its standard output.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    anyhow::ensure!(output.status.success(), "{} failed: {}", shown(command), output.status);
    String::from_utf8(output.stdout).with_context(|| format!("{} wrote no UTF-8", shown(command)))
}

/// A cargo command at the top of the repository.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    // What `cargo run` tells its child about xtask itself would make cargo rebuild others.
    for (name, _) in env::vars_os() {
        let name_text = name.to_string_lossy();
        if name_text.starts_with("CARGO_PKG_") || name_text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&name);
        }
    }
    command
}

/// Builds the gateway as `cargo run --release` does, with the same features, so that nothing is compiled twice.
pub(crate) fn build_portico(workspace: &Workspace) -> Command {
    let mut command = cargo(&workspace.root);
    command.args(["build", "--release", "--package", "portico", "--quiet"]);
    command
}

/// Where on the search path a program is.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    format!("`{}`", words.join(" "))
}
