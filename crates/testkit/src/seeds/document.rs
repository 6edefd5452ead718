//! A tutorial's page: the manifests that it pipes into kubectl or a file, and the curl commands that it shows.

use anyhow::Context;
use serde_json::Value;

use crate::seeds::substitutions::{Document, replaced};

/// What a page holds.
pub(super) struct Page {
    pub(super) manifests: String,
    pub(super) commands: Vec<String>,
}

/// Reads a page, with its substitutions made.
pub(super) fn read(text: &str, substitutions: Document) -> anyhow::Result<Page> {
    let mut text = text.to_owned();
    for replacement in &substitutions.replace {
        text = replaced(&text, &replacement.from, &replacement.to)?;
    }
    let mut blocks = blocks(&text);
    if !substitutions.indent.is_empty() {
        anyhow::ensure!(
            blocks.len() == substitutions.indent.len(),
            "{} blocks of manifests, but the indentation of {}",
            blocks.len(),
            substitutions.indent.len()
        );
        for (block, indentation) in blocks.iter_mut().zip(&substitutions.indent) {
            *block = indented(block, &indentation.depths)?;
        }
    }
    blocks.extend(substitutions.add.into_iter().map(|addition| addition.manifest));
    anyhow::ensure!(!blocks.is_empty(), "no manifests in it");
    let manifests = blocks.join("\n---\n");
    anyhow::ensure!(!manifests.contains("{{"), "a placeholder is left:\n{manifests}");
    Ok(Page { manifests, commands: commands(&text) })
}

/// The objects in a text of several YAML documents.
pub(super) fn objects(manifests: &str) -> anyhow::Result<Vec<Value>> {
    serde_saphyr::from_multiple(manifests).context("not YAML")
}

/// The curl commands of a page or a script, with their continuation lines and what they are piped into.
pub(super) fn commands(text: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in text.lines().map(str::trim_end) {
        if goes_on {
            if let Some(command) = commands.last_mut() {
                command.push('\n');
                command.push_str(line);
            }
        } else if line.trim_start().starts_with("curl ") {
            commands.push(line.to_owned());
        } else {
            continue;
        }
        goes_on = line.ends_with('\\');
    }
    commands
}

/// What stands between `<<EOF` or `<< 'YAML'` and its end, without the indentation of the list that it is part of.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let is_manifest = line.contains("kubectl apply -f- <<EOF") || line.contains("<< 'YAML'");
        if !is_manifest {
            continue;
        }
        let end = if line.contains("'YAML'") { "YAML" } else { "EOF" };
        let margin = line.len() - line.trim_start().len();
        let mut block = String::new();
        for line in lines.by_ref().take_while(|line| line.trim() != end) {
            let (spaces, rest) = line.split_at(margin.min(line.len() - line.trim_start().len()));
            debug_assert!(spaces.trim().is_empty(), "only spaces are cut off");
            block.push_str(rest);
            block.push('\n');
        }
        blocks.push(block);
    }
    blocks
}

/// A block with its lines indented by `depths`.
pub(super) fn indented(block: &str, depths: &str) -> anyhow::Result<String> {
    let depths: Vec<usize> = depths
        .split_ascii_whitespace()
        .map(str::parse)
        .collect::<Result<_, _>>()
        .context("a depth that is no number")?;
    anyhow::ensure!(
        depths.len() == block.lines().count(),
        "{} lines, but {} depths",
        block.lines().count(),
        depths.len()
    );
    let lines = block.lines().zip(depths);
    Ok(lines.map(|(line, depth)| format!("{}{}\n", " ".repeat(depth), line.trim())).collect())
}
