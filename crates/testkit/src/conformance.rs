//! The official conformance suite (npm `@modelcontextprotocol/conformance`), run against a URL.

mod verdict;

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context;
use tempfile::TempDir;

pub use crate::conformance::verdict::{Check, Difference, Verdict};
use crate::kept::Kept;
use crate::peers::Peers;

/// The package, as npm calls it.
const PACKAGE: &str = "@modelcontextprotocol/conformance";

/// A run takes four seconds; a scenario that hangs gives up after thirty. This bounds the suite, not the product.
const SUITE: Duration = Duration::from_secs(10 * 60);

/// Which scenarios are run, and in which revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scenarios {
    /// Those that the requirements of a revision name, scored or not.
    Required(&'static str),
    /// Those that exist in a revision.
    Of(&'static str),
}

impl Scenarios {
    fn arguments(self) -> [&'static str; 2] {
        match self {
            Self::Required(revision) => ["--requirements", revision],
            Self::Of(revision) => ["--spec-version", revision],
        }
    }
}

/// Runs the scenarios against `url`, one after the other, as the suite does.
pub async fn conformance(
    peers: &Peers,
    url: &str,
    scenarios: Scenarios,
) -> anyhow::Result<Verdict> {
    let folder = TempDir::new().context("no folder for the results")?;
    let mut command = peers.npm(PACKAGE, &["server", "--url", url, "--output-dir"])?;
    command.arg(folder.path()).args(scenarios.arguments());
    command.current_dir(folder.path()).stdin(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(SUITE, command.output())
        .await
        .with_context(|| format!("the suite did not end within {SUITE:?}"))?
        .context("cannot start the suite")?;
    // It fails with the first check that does, and passes without any: only what it wrote is asked.
    let verdict = Verdict::read(folder.path())?;
    anyhow::ensure!(
        !verdict.checks.is_empty(),
        "the suite wrote nothing:\n{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(verdict)
}

/// Where the verdict on a server itself is kept, which is `made_of` this.
pub fn kept_verdict(peers: &Peers, made_of: &[u8], scenarios: Scenarios) -> anyhow::Result<Kept> {
    let suite = peers.script(PACKAGE)?;
    let suite = fs::read(&suite).with_context(|| format!("cannot read `{}`", suite.display()))?;
    let [flag, revision] = scenarios.arguments();
    Kept::of("conformance", &[&suite, made_of, flag.as_bytes(), revision.as_bytes()])
}
