//! The Python SDK's own interaction suite: as green through the gateway as it is directly, over streamable HTTP with
//! and without sessions and over HTTP+SSE. `tests/peers/interaction/over_sockets.py` says how it is run.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Deserialize;
use testkit::{Kept, Peers, binary, repository, say};
use tokio::process::Command;

/// A run takes a minute and a half; most of it is waiting, hence four workers. This bounds the suite, not the product.
const SUITE: Duration = Duration::from_secs(15 * 60);

/// What became of each test, by its id.
type Outcomes = BTreeMap<String, Outcome>;

#[derive(Debug, Deserialize)]
struct Outcome {
    outcome: String,
    message: String,
}

/// A line of `docs/interaction.txt`: the tests, and why they differ.
struct Expected {
    tests: String,
    reason: String,
    /// Whether they may also end as they do directly.
    may_pass: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Direct,
    Through,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "run by cargo xtask test, needs npm and PyPI peers"]
async fn pythons_interaction_suite_is_as_green_through_the_gateway() -> anyhow::Result<()> {
    let peers = Peers::find()?;
    let direct = direct(&peers).await?;
    let started = Instant::now();
    let through = read(&run(&peers, Way::Through).await?)?;
    say(&format!(
        "Python's interaction suite: {} direct, {} through the gateway in {:.0} s",
        passed(&direct),
        passed(&through),
        started.elapsed().as_secs_f64()
    ));
    judge(&direct, &through, &expected()?)
}

/// What became of them without a gateway; kept, because it changes only with the suite.
async fn direct(peers: &Peers) -> anyhow::Result<Outcomes> {
    let plugin = fs::read(repository()?.join("tests/peers/interaction/over_sockets.py"))?;
    // The name of the folder has the hash of every pinned version in it.
    let source = peers.python_source().to_string_lossy().into_owned();
    let kept = Kept::of("interaction", &[&plugin, source.as_bytes()])?;
    if let Some(text) = kept.read() {
        return read(&text);
    }
    let text = run(peers, Way::Direct).await?;
    let outcomes = read(&text)?;
    for (test, outcome) in &outcomes {
        anyhow::ensure!(outcome.outcome != "failed", "{test} fails itself: {}", outcome.message);
    }
    kept.write(&text)?;
    Ok(outcomes)
}

/// Runs the suite, and gives what the plugin wrote.
async fn run(peers: &Peers, way: Way) -> anyhow::Result<String> {
    let folder = tempfile::tempdir().context("no folder for the results")?;
    let results = folder.path().join("results.json");
    let mut command = Command::new(peers.interaction());
    command
        .args(["-m", "pytest", "-q", "-p", "over_sockets", "-p", "no:cacheprovider", "-n", "4"])
        // What a cell leaves behind, the collector of another one would pay for.
        .args(["-W", "ignore::ResourceWarning"])
        .args(["-W", "ignore::pytest.PytestUnraisableExceptionWarning"])
        .args(["-o", "log_cli=false", "--color=no", "--tb=short", "tests/interaction"])
        .current_dir(peers.python_source())
        .env("PYTHONPATH", repository()?.join("tests/peers/interaction"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PORTICO_RESULTS", &results)
        .stdin(Stdio::null())
        .kill_on_drop(true);
    match way {
        Way::Direct => command.env_remove("PORTICO_BINARY"),
        Way::Through => command.env("PORTICO_BINARY", binary()?),
    };
    let output = tokio::time::timeout(SUITE, command.output())
        .await
        .with_context(|| format!("the suite did not end within {SUITE:?}"))?
        .context("cannot start pytest")?;
    // It fails with the first test that does: only what the plugin wrote is asked.
    fs::read_to_string(&results).with_context(|| {
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        format!("pytest left nothing:\n{said}\n{}", String::from_utf8_lossy(&output.stderr))
    })
}

fn read(text: &str) -> anyhow::Result<Outcomes> {
    let outcomes: Outcomes = serde_json::from_str(text).context("not what the plugin writes")?;
    anyhow::ensure!(!outcomes.is_empty(), "no test was run");
    Ok(outcomes)
}

/// The lines of `docs/interaction.txt`.
fn expected() -> anyhow::Result<Vec<Expected>> {
    let file = repository()?.join("docs/interaction.txt");
    let text =
        fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (tests, reason) =
                line.split_once(": ").with_context(|| format!("no reason in `{line}`"))?;
            let (tests, may_pass) = match tests.strip_prefix("? ") {
                Some(tests) => (tests, true),
                None => (tests, false),
            };
            Ok(Expected { tests: tests.to_owned(), reason: reason.to_owned(), may_pass })
        })
        .collect()
}

fn judge(direct: &Outcomes, through: &Outcomes, expected: &[Expected]) -> anyhow::Result<()> {
    let mut unexpected = Vec::new();
    let mut seen = vec![0_usize; expected.len()];
    for (test, before) in direct {
        let (outcome, message) = match through.get(test) {
            Some(after) if after.outcome == before.outcome => continue,
            Some(after) => (after.outcome.as_str(), after.message.as_str()),
            None => ("not run", ""),
        };
        let covering = expected.iter().zip(&mut seen).find(|(line, _)| line.covers(test));
        match covering {
            Some((_, seen)) => *seen += 1,
            None => unexpected.push(format!("{test}: {} → {outcome} ({message})", before.outcome)),
        }
    }
    let mut stale = Vec::new();
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    for (line, seen) in expected.iter().zip(seen) {
        *by_reason.entry(&line.reason).or_default() += seen;
        if seen == 0 && !line.may_pass {
            stale.push(line.tests.as_str());
        }
    }
    for (reason, tests) in by_reason {
        say(&format!("{tests} end otherwise, as expected: {reason}"));
    }
    anyhow::ensure!(
        unexpected.is_empty(),
        "through the gateway {} tests end otherwise (test: direct → through):\n{}",
        unexpected.len(),
        unexpected.join("\n")
    );
    anyhow::ensure!(
        stale.is_empty(),
        "these end as they do directly, take them off docs/interaction.txt:\n{}",
        stale.join("\n")
    );
    Ok(())
}

impl Expected {
    /// Whether it speaks of this test: by its whole id, or with `*` for everything before the cell.
    fn covers(&self, test: &str) -> bool {
        match self.tests.strip_prefix('*') {
            Some(cell) => test.ends_with(cell),
            None => test == self.tests,
        }
    }
}

fn passed(outcomes: &Outcomes) -> String {
    let passed = outcomes.values().filter(|outcome| outcome.outcome == "passed").count();
    format!("{passed} of {}", outcomes.len())
}
