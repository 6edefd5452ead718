//! Where things are: the repository, the cache that outlives a clone, and what cargo builds.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::Context;

/// The folders every task works in.
pub(crate) struct Workspace {
    /// The top of the repository.
    pub(crate) root: PathBuf,
    /// What outlives a clone: peers, tools; `$PORTICO_CACHE`, or `~/.cache/portico`.
    pub(crate) cache: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Finds the folders from the environment that `cargo xtask` gives.
    pub(crate) fn find() -> anyhow::Result<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`")?;
        let root = Path::new(&manifest)
            .ancestors()
            .nth(2)
            .context("xtask is not in `crates/xtask`")?
            .to_path_buf();
        let cache = match (env::var_os("PORTICO_CACHE"), env::var_os("HOME")) {
            (Some(cache), _) => PathBuf::from(cache),
            (None, Some(home)) => Path::new(&home).join(".cache/portico"),
            (None, None) => {
                anyhow::bail!("set PORTICO_CACHE or HOME: the test peers are kept there")
            }
        };
        let target =
            env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        Ok(Self { root, cache, target })
    }

    /// The gateway's binary, once it is built.
    pub(crate) fn portico(&self) -> PathBuf {
        self.target.join("release/portico")
    }
}
