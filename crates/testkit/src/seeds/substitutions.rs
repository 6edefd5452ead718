//! `tests/seeds/substitutions.yaml`: every difference between a tutorial and what the tests run, with its reason.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

/// The file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Substitutions {
    documents: BTreeMap<String, Document>,
    pub(super) programs: Vec<Program>,
    tools: Vec<Tool>,
}

/// What is different in one document.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Document {
    /// Text that is replaced wherever it stands.
    pub(super) replace: Vec<Replacement>,
    /// The indentation of each block of manifests, in order, where the page lost it.
    pub(super) indent: Vec<Indentation>,
    /// Manifests that the page takes for granted.
    pub(super) add: Vec<Addition>,
    /// Text that is replaced, too, where the page's commands are run in a cluster.
    pub(super) commands: Vec<Replacement>,
    /// Commands that the page takes for granted, where it is run in a cluster.
    pub(super) first: Vec<First>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Replacement {
    pub(super) from: String,
    pub(super) to: String,
    /// Why; checked to be there by being read.
    #[expect(dead_code, reason = "a reason is for the reader of the file")]
    reason: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Indentation {
    /// How many spaces stand before each line.
    pub(super) depths: String,
    #[expect(dead_code, reason = "a reason is for the reader of the file")]
    reason: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Addition {
    pub(super) manifest: String,
    #[expect(dead_code, reason = "a reason is for the reader of the file")]
    reason: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct First {
    pub(super) command: String,
    #[expect(dead_code, reason = "a reason is for the reader of the file")]
    reason: String,
}

/// What a tool of a tutorial is called today.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tool {
    /// The only document that it is for.
    document: Option<String>,
    from: String,
    to: String,
    #[expect(dead_code, reason = "a reason is for the reader of the file")]
    reason: String,
}

/// How the command of a container runs on this machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Program {
    /// Which image; none means any.
    pub(super) image: Option<String>,
    pub(super) command: Vec<String>,
    pub(super) run: Vec<String>,
    #[serde(default)]
    pub(super) variables: BTreeMap<String, String>,
    /// Where the program's file comes from, if no ConfigMap of its own mounts it.
    pub(super) file: Option<FileOf>,
    #[serde(default)]
    pub(super) edit: Vec<Edit>,
    #[expect(dead_code, reason = "a reason is for the reader of the file")]
    reason: String,
}

/// A file of a ConfigMap of another document.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileOf {
    pub(super) document: String,
    pub(super) name: String,
}

/// A change in a program's file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Edit {
    pub(super) from: String,
    pub(super) to: String,
}

impl Substitutions {
    pub(super) fn read(file: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(file)
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        serde_saphyr::from_str(&text).with_context(|| format!("in `{}`", file.display()))
    }

    pub(super) fn document(&self, number: &str) -> Document {
        self.documents.get(number).cloned().unwrap_or_default()
    }

    /// What a tool is called today; `document` is the one that speaks of it, where it matters.
    pub(super) fn tool(&self, document: Option<&str>, name: &str) -> String {
        let renamed = self
            .tools
            .iter()
            .find(|tool| tool.from == name && tool.document.as_deref() == document);
        renamed.map_or(name, |tool| tool.to.as_str()).to_owned()
    }
}

/// `text` with `from` replaced by `to`; an error if there is nothing to replace.
pub(super) fn replaced(text: &str, from: &str, to: &str) -> anyhow::Result<String> {
    anyhow::ensure!(text.contains(from), "nothing is `{from}` any more");
    Ok(text.replace(from, to))
}
