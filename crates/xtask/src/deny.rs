//! `cargo deny`: which crates, licences and sources may be in the tree. The tool itself is built once, into the cache.

use crate::run::{cargo, run};
use crate::workspace::Workspace;

/// The version that is used everywhere.
const VERSION: &str = "0.20.2";

/// Checks bans, licences and sources (the advisory database is out of reach of a build without network).
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let folder = workspace.cache.join(format!("tools/cargo-deny-{VERSION}"));
    let program = folder.join("bin/cargo-deny");
    if !program.exists() {
        println!("building cargo-deny {VERSION} into {}", folder.display());
        run(cargo(&workspace.root)
            .args(["install", "cargo-deny", "--version", VERSION, "--locked", "--quiet"])
            .args(["--no-default-features", "--root"])
            .arg(&folder)
            .env("CARGO_TARGET_DIR", workspace.cache.join("tools/target")))?;
    }
    run(std::process::Command::new(&program)
        .args(["--log-level", "error", "--locked", "check", "bans", "licenses", "sources"])
        .current_dir(&workspace.root))
}
