//! The Rust code of the protocol between controller and proxies, made of `crates/xds/proto` without
//! any program but `rustfmt`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use crate::run::run;
use crate::workspace::Workspace;

const PROTO: &str = "crates/xds/proto";
const GENERATED: &str = "crates/xds/src/generated";
const FILES: [&str; 2] = ["discovery.proto", "report.proto"];

/// Each file with its text.
pub(crate) fn contents(workspace: &Workspace) -> anyhow::Result<Vec<(String, String)>> {
    let proto = workspace.root.join(PROTO);
    let descriptors = protox::compile(FILES, [&proto]).context("cannot read the protocol")?;
    let folder = tempfile::tempdir().context("no folder for generated code")?;
    tonic_prost_build::configure()
        .out_dir(folder.path())
        .compile_fds(descriptors)
        .context("cannot generate the protocol")?;
    let mut contents = Vec::new();
    for entry in fs::read_dir(folder.path()).context("no generated code")? {
        let path = entry.context("no generated code")?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        contents.push((format!("{GENERATED}/{name}"), formatted(&workspace.root, &path)?));
    }
    contents.sort();
    Ok(contents)
}

/// As `cargo fmt` would leave it.
fn formatted(root: &Path, path: &Path) -> anyhow::Result<String> {
    let mut rustfmt = Command::new("rustfmt");
    run(rustfmt.args(["--edition", "2024", "--config-path"]).arg(root).arg(path))?;
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}
