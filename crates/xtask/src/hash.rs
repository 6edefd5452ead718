//! Short hashes of what something in the cache was made from: they are part of its name, so that a change makes it anew.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use sha2::{Digest, Sha256};

/// A hash that is being made.
#[derive(Default)]
pub(crate) struct Hash(Sha256);

impl Hash {
    /// The text, and where it ends.
    pub(crate) fn text(&mut self, text: &str) {
        self.0.update(text);
        self.0.update([0]);
    }

    /// The contents of a file, and where they end.
    pub(crate) fn file(&mut self, file: &Path) -> anyhow::Result<()> {
        let contents =
            fs::read(file).with_context(|| format!("cannot read `{}`", file.display()))?;
        self.0.update(contents);
        self.0.update([0]);
        Ok(())
    }

    /// The name and the contents of every file in a folder and those below it.
    pub(crate) fn folder(&mut self, folder: &Path) -> anyhow::Result<()> {
        let mut files: Vec<PathBuf> = Vec::new();
        let mut waiting = vec![folder.to_path_buf()];
        while let Some(folder) = waiting.pop() {
            let listing = fs::read_dir(&folder)
                .with_context(|| format!("cannot list `{}`", folder.display()))?;
            for found in listing {
                let found = found?;
                let kind = if found.file_type()?.is_dir() { &mut waiting } else { &mut files };
                kind.push(found.path());
            }
        }
        files.sort();
        for file in files {
            self.text(&file.strip_prefix(folder).unwrap_or(&file).to_string_lossy());
            self.file(&file)?;
        }
        Ok(())
    }

    /// The first bytes, which is plenty to tell versions apart.
    pub(crate) fn short(self) -> String {
        self.0.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}
