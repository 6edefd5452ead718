//! Results that outlive a clone: what somebody else's tool says of somebody else's server changes only with the two.

use std::env;
use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// A file in the cache, under a hash of what its contents were made from.
pub struct Kept {
    file: PathBuf,
}

impl Kept {
    /// The file of this kind that was made from all of this.
    pub fn of(kind: &str, made_from: &[&[u8]]) -> anyhow::Result<Self> {
        let cache = env::var_os("PORTICO_CACHE")
            .context("PORTICO_CACHE is not set: run this as `cargo xtask test outside`")?;
        let mut hasher = Sha256::new();
        for part in made_from {
            hasher.update(part.len().to_le_bytes());
            hasher.update(part);
        }
        let hash: String =
            hasher.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { file: PathBuf::from(cache).join("results").join(kind).join(hash) })
    }

    /// What is kept, if anything is.
    pub fn read(&self) -> Option<String> {
        fs::read_to_string(&self.file).ok()
    }

    /// Keeps `text`, whole or not at all.
    pub fn write(&self, text: &str) -> anyhow::Result<()> {
        let folder = self.file.parent().context("a kept file is in a folder")?;
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot make `{}`", folder.display()))?;
        let draft = NamedTempFile::new_in(folder).context("no place for a draft")?;
        fs::write(draft.path(), text).context("cannot write a draft")?;
        draft
            .persist(&self.file)
            .with_context(|| format!("cannot keep `{}`", self.file.display()))?;
        Ok(())
    }
}
