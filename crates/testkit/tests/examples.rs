//! Every example is one that works: the gateway accepts it without an error.

use std::fs;
use std::path::{Path, PathBuf};

use testkit::{binary, output, repository};
use tokio::process::Command;

#[tokio::test]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn every_example_passes_the_check() -> anyhow::Result<()> {
    let mut files = Vec::new();
    collect(&repository()?.join("examples"), &mut files)?;
    anyhow::ensure!(files.len() > 5, "examples are missing: {files:?}");
    for file in files {
        let mut command = Command::new(binary()?);
        command.args(["check", "-f"]).arg(&file);
        output(&format!("portico check -f {}", file.display()), command).await?;
        let mut command = Command::new(binary()?);
        command.args(["expand", "-f"]).arg(&file);
        output(&format!("portico expand -f {}", file.display()), command).await?;
    }
    Ok(())
}

/// The documents below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|it| it == "yaml" || it == "yml" || it == "json") {
            files.push(path);
        }
    }
    files.sort();
    Ok(())
}
