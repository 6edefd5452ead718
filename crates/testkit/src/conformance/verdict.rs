//! What the suite found, and what two runs of it found differently.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use anyhow::Context;
use serde::{Deserialize, Serialize};

/// Records of what went over the wire, which the suite keeps among its checks. How many events a stream has is not
/// what a scenario judges: rmcp repeats the priming event when it resumes, others do not.
const TRACES: [&str; 4] =
    ["incoming-response", "incoming-sse-event", "outgoing-request", "stream-closed"];

/// What a run found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// Every check, in no order that means anything.
    pub checks: Vec<Check>,
}

/// One check of a scenario. A scenario may have several with the same id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Check {
    /// The scenario.
    pub scenario: String,
    /// The check, as the suite calls it.
    pub id: String,
    /// `SUCCESS`, `FAILURE`, `WARNING`, `INFO` or `SKIPPED`.
    pub status: String,
    /// What was wrong, where something was.
    pub message: Option<String>,
}

/// A check that two runs found differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The scenario.
    pub scenario: String,
    /// The check.
    pub id: String,
    direct: Vec<String>,
    through: Vec<String>,
    messages: Vec<String>,
}

impl Verdict {
    /// Reads the `checks.json` of every scenario below `folder`.
    pub(crate) fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut checks = Vec::new();
        let entries = fs::read_dir(folder).context("the suite left no folder")?;
        for entry in entries {
            let entry = entry.context("cannot list what the suite left")?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(scenario) = scenario(&name) else { continue };
            let file = entry.path().join("checks.json");
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read `{}`", file.display()))?;
            let written: Vec<Written> = serde_json::from_str(&text)
                .with_context(|| format!("`{}` is not what it should be", file.display()))?;
            let judged = written.into_iter().filter(|check| !check.is_a_trace());
            checks.extend(judged.map(|check| Check {
                scenario: scenario.to_owned(),
                id: check.id,
                status: check.status,
                message: check.error_message,
            }));
        }
        Ok(Self { checks })
    }

    /// How many checks have this status.
    pub fn count(&self, status: &str) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }

    /// What `through` has otherwise, by scenario and check.
    pub fn differences(&self, through: &Self) -> Vec<Difference> {
        let (ours, theirs) = (self.by_check(), through.by_check());
        let mut differences = Vec::new();
        let mut keys: Vec<_> = ours.keys().chain(theirs.keys()).collect();
        keys.sort_unstable();
        keys.dedup();
        for key in keys {
            let none = Vec::new();
            let (direct, through) =
                (ours.get(key).unwrap_or(&none), theirs.get(key).unwrap_or(&none));
            let statuses = |checks: &[&Check]| {
                checks.iter().map(|check| check.status.clone()).collect::<Vec<_>>()
            };
            let (before, after) = (statuses(direct), statuses(through));
            if before != after {
                let messages = through.iter().filter_map(|check| check.message.clone());
                differences.push(Difference {
                    scenario: key.0.to_owned(),
                    id: key.1.to_owned(),
                    direct: before,
                    through: after,
                    messages: messages.collect(),
                });
            }
        }
        differences
    }

    /// The checks of each scenario and id, sorted: a multiset.
    fn by_check(&self) -> BTreeMap<(&str, &str), Vec<&Check>> {
        let mut by_check: BTreeMap<_, Vec<&Check>> = BTreeMap::new();
        for check in &self.checks {
            by_check.entry((check.scenario.as_str(), check.id.as_str())).or_default().push(check);
        }
        for checks in by_check.values_mut() {
            checks.sort_unstable_by_key(|check| &check.status);
        }
        by_check
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |statuses: &[String]| match statuses {
            [] => "nothing".to_owned(),
            statuses => statuses.join(" "),
        };
        let (direct, through) = (shown(&self.direct), shown(&self.through));
        write!(formatter, "{} / {}: {direct} → {through}", self.scenario, self.id)?;
        for message in &self.messages {
            write!(formatter, " ({message})")?;
        }
        Ok(())
    }
}

/// A check as the suite writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    id: String,
    status: String,
    error_message: Option<String>,
}

impl Written {
    fn is_a_trace(&self) -> bool {
        self.status == "INFO" && TRACES.contains(&self.id.as_str())
    }
}

/// The scenario in the name of a folder: `server-<scenario>-2026-11-21T14-44-46-061Z`.
fn scenario(folder: &str) -> Option<&str> {
    let rest = folder.strip_prefix("server-")?;
    rest.len().checked_sub("-2026-11-21T14-44-46-061Z".len()).and_then(|end| rest.get(..end))
}
