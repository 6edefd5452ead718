//! The files that are written from the code, and the check that nobody forgot to write them.

use std::fs;
use std::process::Command;

use anyhow::Context;

use crate::protocol;
use crate::run::{build_portico, output, run};
use crate::workspace::Workspace;

/// A generated file, and the arguments with which `portico` prints it.
struct Generated {
    file: &'static str,
    arguments: &'static [&'static str],
}

const FILES: [Generated; 2] = [
    Generated { file: "docs/schema.json", arguments: &["schema"] },
    Generated { file: "docs/policies.md", arguments: &["policies"] },
];

/// Where the definitions of our Kubernetes resources are: for `kubectl apply`, and in their chart.
const DEFINITIONS: [&str; 2] = ["deploy/crds", "deploy/charts/portico-crds/files"];

/// Writes every generated file.
pub(crate) fn write(workspace: &Workspace) -> anyhow::Result<()> {
    for (file, text) in contents(workspace)? {
        let path = workspace.root.join(&file);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make `{}`", folder.display()))?;
        }
        fs::write(&path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
        println!("wrote {file}");
    }
    Ok(())
}

/// Fails, naming the files, if one is not what would be written.
pub(crate) fn check(workspace: &Workspace) -> anyhow::Result<()> {
    let mut stale = Vec::new();
    for (file, text) in contents(workspace)? {
        match fs::read_to_string(workspace.root.join(&file)) {
            Ok(present) if present == text => {}
            Ok(_) | Err(_) => stale.push(file),
        }
    }
    anyhow::ensure!(
        stale.is_empty(),
        "not what the code says any more: {}; run `cargo xtask gen`",
        stale.join(", ")
    );
    Ok(())
}

fn contents(workspace: &Workspace) -> anyhow::Result<Vec<(String, String)>> {
    let mut contents = protocol::contents(workspace)?;
    run(&mut build_portico(workspace))?;
    for generated in &FILES {
        let text = output(Command::new(workspace.portico()).args(generated.arguments))?;
        contents.push((generated.file.to_owned(), text));
    }
    contents.extend(definitions(workspace)?);
    Ok(contents)
}

/// Each definition of a resource as a file of its own, named like it.
fn definitions(workspace: &Workspace) -> anyhow::Result<Vec<(String, String)>> {
    let text = output(Command::new(workspace.portico()).arg("crds"))?;
    let mut contents = Vec::new();
    for definition in text.split("---\n").filter(|definition| !definition.is_empty()) {
        let mut names = definition.lines().filter_map(|line| line.strip_prefix("  name: "));
        let name = names.next().context("a definition has no name")?;
        for folder in DEFINITIONS {
            contents.push((format!("{folder}/{name}.yaml"), definition.to_owned()));
        }
    }
    Ok(contents)
}
