//! What the proxies of each Gateway say: which version of the document is in force, and how its targets
//! stand. It lasts as long as their connections.

use std::collections::BTreeMap;

use crate::object::ObjectName;
use crate::translate::without_place;

/// How a target may stand, the best first.
const STATES: [&str; 5] = ["up", "stale", "starting", "down", "closed"];
/// How many targets a proxy may report, and how many characters of each text of theirs count.
const MOST_TARGETS: usize = 20_000;
const LONGEST: usize = 256;
/// How many bytes the names of a backend and a target may have, more than any that a document has.
const LONGEST_NAME: usize = 1024;
/// How many of a proxy's findings count.
const MOST_FINDINGS: usize = 100;

/// What becomes known of a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Its Gateway.
    pub gateway: ObjectName,
    /// Its pod.
    pub pod: String,
    /// What is known now.
    pub what: Observation,
}

/// What becomes known of a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observation {
    /// One of its streams is there.
    Connected,
    /// It has reported.
    Reported(Report),
    /// It could not read what it was told.
    Refused(String),
    /// One of its streams has ended.
    Left,
}

/// What a proxy has to say; the first time of a stream all of it, then what has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Whether it is all of it: what was said before does not count any more.
    pub is_whole: bool,
    /// The version of the document that is in force.
    pub document: String,
    /// Targets that stand otherwise than before, by backend and name; `None` for one that is gone.
    pub targets: BTreeMap<(String, String), Option<TargetState>>,
    /// What is wrong with the document: where, and what.
    pub findings: Vec<(String, String)>,
}

/// How a target stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetState {
    /// `up`, `stale`, `starting`, `down` or `closed`.
    pub state: String,
    /// The revision that it speaks; empty where nobody knows.
    pub revision: String,
    /// How many tools it lists.
    pub tools: u32,
    /// The class of its last error; empty where there was none.
    pub error: String,
}

/// The proxies of all Gateways.
#[derive(Debug, Default)]
pub(crate) struct Proxies(BTreeMap<ObjectName, BTreeMap<String, Proxy>>);

/// One pod.
#[derive(Debug, Default)]
struct Proxy {
    /// For a moment there may be two: a new one before the old one is known to be gone.
    streams: usize,
    document: Option<String>,
    targets: BTreeMap<(String, String), TargetState>,
    refused: Option<String>,
    findings: Vec<(String, String)>,
}

impl Proxies {
    /// Takes in what has become known.
    pub(crate) fn observe(&mut self, observed: Observed) {
        let pods = self.0.entry(observed.gateway.clone()).or_default();
        let proxy = pods.entry(observed.pod.clone()).or_default();
        match observed.what {
            Observation::Connected => proxy.streams += 1,
            // What comes after the end of all its streams would stay for ever.
            _ if proxy.streams == 0 => {
                pods.remove(&observed.pod);
            }
            Observation::Refused(reason) => proxy.refused = Some(shortened(reason)),
            Observation::Reported(report) => proxy.report(report),
            Observation::Left => {
                proxy.streams = proxy.streams.saturating_sub(1);
                if proxy.streams == 0 {
                    pods.remove(&observed.pod);
                }
            }
        }
        if self.0.get(&observed.gateway).is_some_and(BTreeMap::is_empty) {
            self.0.remove(&observed.gateway);
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.values().map(BTreeMap::len).sum()
    }

    /// How many of them cannot read what they were told last.
    pub(crate) fn count_refusing(&self) -> usize {
        let all = self.0.values().flat_map(BTreeMap::values);
        all.filter(|proxy| proxy.refused.is_some()).count()
    }

    /// Whether any proxy of the Gateway has said what it serves.
    pub(crate) fn have_reported(&self, gateway: &ObjectName) -> bool {
        self.of(gateway).any(|proxy| proxy.document.is_some())
    }

    /// Whether a proxy of the Gateway serves this version.
    pub(crate) fn serve(&self, gateway: &ObjectName, version: &str) -> bool {
        self.of(gateway).any(|proxy| proxy.document.as_deref() == Some(version))
    }

    /// Why a proxy of the Gateway did not take what it was told.
    pub(crate) fn refusal(&self, gateway: &ObjectName) -> Option<&str> {
        self.of(gateway).find_map(|proxy| proxy.refused.as_deref())
    }

    /// What the Gateway's proxies could not bring into force of this version, where and what.
    pub(crate) fn findings(&self, gateway: &ObjectName, version: &str) -> &[(String, String)] {
        let mut serving = self.of(gateway).filter(|one| one.document.as_deref() == Some(version));
        serving.find(|one| !one.findings.is_empty()).map_or(&[], |one| &one.findings)
    }

    /// How a target stands, over all proxies of the Gateways that serve its backend and all ways in which
    /// routes connect to it: as well as the one where it stands best. Other Gateways' proxies have no say.
    pub(crate) fn target(
        &self,
        gateways: &[&ObjectName],
        backend: &str,
        target: &str,
    ) -> Option<TargetState> {
        let all = gateways.iter().flat_map(|gateway| self.of(gateway));
        let states = all.flat_map(|proxy| {
            let from = (backend.to_owned(), String::new());
            let ways = proxy.targets.range(from..);
            let ways = ways.take_while(|((name, _), _)| name.starts_with(backend));
            let is_it = |name: &str, of: &str| without_place(name) == backend && of == target;
            ways.filter(move |((name, of), _)| is_it(name, of)).map(|(_, state)| state)
        });
        states.min_by_key(|state| rank(&state.state)).cloned()
    }

    fn of(&self, gateway: &ObjectName) -> impl Iterator<Item = &Proxy> {
        self.0.get(gateway).into_iter().flat_map(BTreeMap::values)
    }
}

impl Proxy {
    fn report(&mut self, report: Report) {
        if self.document.as_ref() != Some(&report.document) {
            self.refused = None;
        }
        self.document = Some(shortened(report.document)).filter(|version| !version.is_empty());
        if report.is_whole {
            self.targets.clear();
        }
        let findings = report.findings.into_iter().take(MOST_FINDINGS);
        self.findings =
            findings.map(|(path, message)| (shortened(path), shortened(message))).collect();
        let named = |(backend, target): &(String, String)| {
            backend.len() <= LONGEST_NAME && target.len() <= LONGEST_NAME
        };
        for (key, state) in report.targets.into_iter().filter(|(key, _)| named(key)) {
            match state.filter(|state| STATES.contains(&state.state.as_str())) {
                Some(state) if self.targets.len() < MOST_TARGETS => {
                    let revision = shortened(state.revision);
                    let error = shortened(state.error);
                    self.targets.insert(key, TargetState { revision, error, ..state });
                }
                Some(_) => {}
                None => {
                    self.targets.remove(&key);
                }
            }
        }
    }
}

fn rank(state: &str) -> usize {
    STATES.iter().position(|known| *known == state).unwrap_or(STATES.len())
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests;
