//! Backends and their targets, as documents write them, and how they fare.

mod address;
mod naming;
mod outcome;
mod selected;
mod server;

use std::collections::BTreeMap;

use config::document::{Backend, Target, TargetEntry};
use config::{Close, Diagnostic, ElicitationLabel, Place};

use crate::object::About;
use crate::policy::Rules;
use crate::status::LeftOut;
use crate::translate::attached::Levels;
use crate::translate::closed::closed;
use crate::translate::connection;
use crate::translate::guard::{Guarded, Guards};
use crate::translate::index::Index;
use crate::translate::planned::PlannedBackend;
use crate::translate::shape::{self, Entry, Shape, What};
use crate::translate::target_name::{self, Claim, Rank};
pub(super) use address::service_url;
use naming::named;

/// A target before it has its name for good.
struct Candidate<'a> {
    claim: Claim,
    target: Target,
    /// The Service that was selected.
    service: Option<&'a About>,
    /// The field of the backend that it comes from.
    field: String,
    /// Where it was written: the entry, or the Service that was selected.
    place: Option<Place>,
    /// What its status has to say of it.
    message: String,
    /// The policies of its Service.
    of_service: Levels,
    /// Those that the entry writes itself.
    policies: Rules,
}

/// What the entries of a backend come to beside targets.
#[derive(Default)]
struct Findings {
    /// What is wrong with entries that are no target.
    problems: Vec<String>,
    /// The Services of references that are not there.
    missing: Vec<String>,
    /// What was selected and is no target.
    left_out: Vec<LeftOut>,
    /// What a selector does not find.
    remarks: Vec<String>,
}

/// What is read to find the targets of one backend.
struct Finding<'a, 'b> {
    world: &'b Index<'a>,
    shape: &'b Shape<'a>,
    guards: &'b Guards,
}

/// Every backend of a world, of each generation, by its name in documents.
pub(super) fn backends(
    world: &Index<'_>,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<String, PlannedBackend> {
    let mut backends = BTreeMap::new();
    let current = world.world.backends.iter();
    let current = current.map(|object| (Guarded::Backend, shape::current(object)));
    let kgateway = world.world.kgateway_backends.iter();
    let kgateway = kgateway.map(|object| (Guarded::KgatewayBackend, shape::kgateway(object)));
    for (kind, shape) in current.chain(kgateway) {
        let planned = backend(world, kind, &shape, guards, diagnostics);
        backends.insert(shape.name, planned);
    }
    backends
}

/// The names of the targets of each backend. No policy changes them.
pub(super) fn names(world: &Index<'_>) -> BTreeMap<String, Vec<String>> {
    let unguarded = backends(world, &Guards::default(), &mut Vec::new());
    let names = |planned: PlannedBackend| {
        let names = planned.backend.targets.into_iter().filter_map(|entry| match entry {
            TargetEntry::Inline(target) => Some(target.name),
            TargetEntry::Named(_) => None,
        });
        names.collect()
    };
    unguarded.into_iter().map(|(backend, planned)| (backend, names(planned))).collect()
}

fn backend(
    world: &Index<'_>,
    kind: Guarded,
    shape: &Shape<'_>,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> PlannedBackend {
    let close_of_backend = close(kind, shape, guards, diagnostics);
    let finding = Finding { world, shape, guards };
    let mut findings = Findings::default();
    if let Some(field) = shape.stateless {
        let message = "`Stateless` is not built yet; clients get sessions";
        findings.remarks.push(format!("{field}: {message}"));
        diagnostics.push(shape.about.warning("backend.session-routing", field, message));
    }
    let mut candidates = Vec::new();
    for entry in &shape.entries {
        candidates.extend(finding.candidates(entry, &mut findings, diagnostics));
    }
    let service = shape.server.and_then(|server| {
        finding.service(kind, server, close_of_backend.clone(), &mut findings, diagnostics)
    });
    if candidates.is_empty() && close_of_backend.is_none() && shape.server.is_none() {
        let message = "it has no target, so its lists are empty";
        diagnostics.push(shape.about.warning("backend.empty", "spec.mcp", message));
    }
    let mut candidates = named(shape.about, candidates, &mut findings, diagnostics);
    let mut connections = Vec::new();
    for candidate in &mut candidates {
        let sections = [candidate.target.name.clone()];
        let of_service = std::mem::take(&mut candidate.of_service);
        let namespace = shape.about.namespace();
        let foreign = connection::foreign_fault(world, shape.kind, namespace, &of_service);
        let levels = [of_service, guards.levels(kind, &shape.about.name, &sections)];
        let own = [&candidate.policies.connection, &shape.policies.connection];
        let connection = connection::of_server(&own, levels);
        let guard = guards.part(kind, &shape.about.name, &sections).cloned();
        let close = guard.or(foreign);
        let close = close.or_else(|| connection::target_fault(world, &connection));
        if let Some(close) = close
            && candidate.target.close.is_none()
        {
            if close_of_backend.is_none() {
                let message = closed(&close);
                diagnostics.push(shape.about.error("target.closed", &candidate.field, message));
            }
            candidate.shut(close);
        }
        connections.push(connection);
    }
    let outcome = outcome::outcome(shape, close_of_backend.as_ref(), &candidates, findings);
    let place = |candidate: &Candidate<'_>| candidate.place.clone();
    PlannedBackend {
        outcome,
        service,
        connections,
        place: shape.about.place("spec"),
        target_places: candidates.iter().map(place).collect(),
        backend: Backend {
            name: shape.name.clone(),
            targets: candidates.into_iter().map(Candidate::entry).collect(),
            prefix_mode: shape.prefix_mode,
            failure_mode: shape.failure_mode,
            elicitation_label: ElicitationLabel::default(),
            close: close_of_backend,
            requires: Vec::new(),
        },
    }
}

/// What keeps the whole backend shut.
fn close(
    kind: Guarded,
    shape: &Shape<'_>,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Close> {
    let (field, close) = match (guards.whole(kind, &shape.about.name), &shape.shut) {
        (Some(close), _) => ("spec", close.clone()),
        (None, Some(shut)) => {
            let close = Close { id: "backend.closed".to_owned(), reason: shut.message.clone() };
            (shut.field.as_str(), close)
        }
        (None, None) => return None,
    };
    diagnostics.push(shape.about.error("backend.closed", field, closed(&close)));
    Some(close)
}

impl<'a> Finding<'a, '_> {
    fn candidates(
        &self,
        entry: &Entry<'a>,
        findings: &mut Findings,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<Candidate<'a>> {
        let backend = self.shape.about;
        match &entry.what {
            What::Selector { namespaces, services } => {
                let selectors = (*namespaces, *services);
                self.selected(entry, selectors, findings, diagnostics)
            }
            What::Static(written) => {
                let name = entry.name.unwrap_or_default();
                if !target_name::is_valid(name) {
                    let message = format!(
                        "`{name}` cannot be a target's name: lower case letters, digits, `-` and \
                         `.`; the target is left out"
                    );
                    findings.problem(backend, "target.name", &entry.field, message, diagnostics);
                    return Vec::new();
                }
                let reached = self.reached(&entry.field, name, written, diagnostics);
                findings.missing.extend(reached.missing);
                let claim = Claim {
                    wanted: name.to_owned(),
                    held: None,
                    rank: Rank::Written,
                    namespace: String::new(),
                    port: written.port,
                };
                vec![Candidate {
                    claim,
                    target: reached.target,
                    service: None,
                    field: entry.field.clone(),
                    place: backend.place(&entry.field),
                    message: reached.message,
                    of_service: reached.of_service,
                    policies: reached.policies,
                }]
            }
            What::Unknown(unknown) => {
                let message =
                    format!("`{unknown}` is not known; without it more would be selected");
                findings.problem(backend, "target.selector", &entry.field, message, diagnostics);
                Vec::new()
            }
            What::Unclear => {
                let message = "a target has exactly one of a selector and `static`; it is left out";
                let message = message.to_owned();
                findings.problem(backend, "target.unclear", &entry.field, message, diagnostics);
                Vec::new()
            }
        }
    }
}

impl Findings {
    /// An entry is no target.
    fn problem(
        &mut self,
        backend: &About,
        id: &'static str,
        field: &str,
        message: String,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        self.problems.push(format!("{field}: {message}"));
        diagnostics.push(backend.error(id, field, message));
    }
}

impl Candidate<'_> {
    fn shut(&mut self, close: Close) {
        self.message = close.reason.clone();
        self.target.close = Some(close);
    }

    fn entry(self) -> TargetEntry {
        TargetEntry::Inline(Box::new(self.target))
    }
}
