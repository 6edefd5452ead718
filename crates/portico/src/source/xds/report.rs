//! What the controller is told: which version of the document is in force, what is wrong with it, and
//! how each target stands; whole when a connection begins, then what has changed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use config::Severity;
use futures_util::Stream;
use proxy::Gateway;
use proxy::admin::{TargetState, TargetStatus};
use tokio::sync::watch;
use xds::{Finding, Report, TargetReport};

use crate::in_force::InForce;
use crate::source::xds::Version;

/// How many findings are reported of one document.
const MOST_FINDINGS: usize = 100;
/// How often it is looked at how targets stand.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Everything that is reported, as of one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Snapshot {
    version: String,
    findings: Vec<Finding>,
    /// By backend and name.
    targets: BTreeMap<(String, String), TargetReport>,
}

/// Where what is reported comes from.
pub(crate) struct Reports {
    versions: watch::Receiver<Version>,
    snapshots: watch::Sender<Snapshot>,
}

/// Where it goes.
pub(super) struct Reported(watch::Receiver<Snapshot>);

impl Reports {
    pub(super) fn new(versions: watch::Receiver<Version>) -> (Self, Reported) {
        let (snapshots, reported) = watch::channel(Snapshot::default());
        (Self { versions, snapshots }, Reported(reported))
    }

    /// Looks at the gateway until nobody reports any more.
    pub(crate) async fn keep(self, gateway: Arc<Gateway>, in_force: Arc<ArcSwap<InForce>>) {
        let mut version = String::new();
        while !self.snapshots.is_closed() {
            let now = in_force.load_full();
            let latest = self.versions.borrow().clone();
            if Arc::ptr_eq(&latest.reading, &now.reading) {
                version = latest.version;
            }
            let snapshot = Snapshot {
                version: version.clone(),
                findings: findings(&now.diagnostics),
                targets: gateway.targets().into_iter().map(target).collect(),
            };
            self.snapshots.send_if_modified(|last| {
                let is_news = *last != snapshot;
                *last = snapshot;
                is_news
            });
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Reported {
    /// The reports of one connection.
    pub(super) fn deltas(&self) -> impl Stream<Item = Report> + Send + use<> {
        let mut snapshots = self.0.clone();
        // Before the first look at the gateway there is nothing to say.
        snapshots.mark_unchanged();
        if *snapshots.borrow() != Snapshot::default() {
            snapshots.mark_changed();
        }
        futures_util::stream::unfold(
            (snapshots, Snapshot::default()),
            async |(mut snapshots, last)| {
                snapshots.changed().await.ok()?;
                let now = snapshots.borrow_and_update().clone();
                let report = delta(&last, &now);
                Some((report, (snapshots, now)))
            },
        )
    }
}

fn delta(last: &Snapshot, now: &Snapshot) -> Report {
    let changed =
        now.targets.iter().filter(|(key, report)| last.targets.get(*key) != Some(*report));
    let mut targets: Vec<TargetReport> = changed.map(|(_, report)| report.clone()).collect();
    for (backend, target) in last.targets.keys().filter(|key| !now.targets.contains_key(*key)) {
        targets.push(TargetReport {
            backend: backend.clone(),
            target: target.clone(),
            state: "gone".to_owned(),
            ..TargetReport::default()
        });
    }
    let (document_version, findings) = (now.version.clone(), now.findings.clone());
    Report { document_version, targets, findings, ..Report::default() }
}

/// What is not in force as it was told, and what a newer controller says that is left out.
fn findings(diagnostics: &[config::Diagnostic]) -> Vec<Finding> {
    let matters = |one: &&config::Diagnostic| {
        one.severity == Severity::Error || one.id == "document.unknownField"
    };
    diagnostics.iter().filter(matters).take(MOST_FINDINGS).map(finding).collect()
}

fn finding(diagnostic: &config::Diagnostic) -> Finding {
    Finding {
        id: diagnostic.id.to_owned(),
        path: diagnostic.path.clone(),
        message: diagnostic.message.clone(),
    }
}

fn target(status: TargetStatus) -> ((String, String), TargetReport) {
    let report = TargetReport {
        backend: status.backend.clone(),
        target: status.target.clone(),
        state: state(status.state).to_owned(),
        revision: status.revision.map(|revision| revision.as_str().to_owned()).unwrap_or_default(),
        tools: u32::try_from(status.tools).unwrap_or(u32::MAX),
        error: status.error.unwrap_or_default().to_owned(),
    };
    ((status.backend, status.target), report)
}

fn state(state: TargetState) -> &'static str {
    match state {
        TargetState::Starting => "starting",
        TargetState::Up => "up",
        TargetState::Stale => "stale",
        TargetState::Down => "down",
        TargetState::Closed => "closed",
    }
}
