//! Backends and their targets, as documents write them.

mod address;
mod selected;

use std::collections::BTreeMap;
use std::fmt;

use config::document::{Backend, Target, TargetEntry};
use config::{Close, Diagnostic, ElicitationLabel, Place};

use crate::object::About;
use crate::translate::action::closed;
use crate::translate::guard::{Guarded, Guards};
use crate::translate::plan::PlannedBackend;
use crate::translate::shape::{self, Entry, Shape, What};
use crate::translate::target_name::{self, Claim, Rank};
use crate::world::World;

/// A target before it has its name for good.
struct Candidate {
    claim: Claim,
    target: Target,
    /// The field of the backend that it comes from.
    field: String,
    /// Where it was written: the entry, or the Service that was selected.
    place: Option<Place>,
}

/// Every backend of a world, of each generation, by its name in documents.
pub(super) fn backends(
    world: &World,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> BTreeMap<String, PlannedBackend> {
    let mut backends = BTreeMap::new();
    let current = world.backends.iter().map(|object| (Guarded::Backend, shape::current(object)));
    let kgateway = world.kgateway_backends.iter();
    let kgateway = kgateway.map(|object| (Guarded::KgatewayBackend, shape::kgateway(object)));
    for (kind, shape) in current.chain(kgateway) {
        let planned = backend(world, kind, &shape, guards, diagnostics);
        backends.insert(shape.name, planned);
    }
    backends
}

/// The names of the targets of each backend. No policy changes them.
pub(super) fn names(world: &World) -> BTreeMap<String, Vec<String>> {
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
    world: &World,
    kind: Guarded,
    shape: &Shape<'_>,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> PlannedBackend {
    if let Some(field) = shape.stateless {
        let message = "`Stateless` is not built yet; clients get sessions";
        diagnostics.push(shape.about.warning("backend.session-routing", field, message));
    }
    let close_of_backend = close(kind, shape, guards, diagnostics);
    let mut candidates = Vec::new();
    for entry in &shape.entries {
        candidates.extend(entry_candidates(world, shape.about, entry, guards, diagnostics));
    }
    if candidates.is_empty() && close_of_backend.is_none() {
        let message = "it has no target, so its lists are empty";
        diagnostics.push(shape.about.warning("backend.empty", "spec.mcp", message));
    }
    let mut targets = Vec::new();
    let mut target_places = Vec::new();
    for mut candidate in named(shape.about, candidates, diagnostics) {
        let sections = [candidate.target.name.clone()];
        if let Some(close) = guards.part(kind, &shape.about.name, &sections)
            && close_of_backend.is_none()
            && candidate.target.close.is_none()
        {
            diagnostics.push(shape.about.error("target.closed", &candidate.field, closed(close)));
            candidate.target.close = Some(close.clone());
        }
        targets.push(TargetEntry::Inline(Box::new(candidate.target)));
        target_places.push(candidate.place);
    }
    PlannedBackend {
        backend: Backend {
            name: shape.name.clone(),
            targets,
            prefix_mode: shape.prefix_mode,
            failure_mode: shape.failure_mode,
            elicitation_label: ElicitationLabel::default(),
            close: close_of_backend,
        },
        place: shape.about.place("spec"),
        target_places,
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
        (None, Some((field, reason))) => {
            let close = Close { id: "backend.closed".to_owned(), reason: reason.clone() };
            (field.as_str(), close)
        }
        (None, None) => return None,
    };
    diagnostics.push(shape.about.error("backend.closed", field, closed(&close)));
    Some(close)
}

fn entry_candidates(
    world: &World,
    backend: &About,
    entry: &Entry<'_>,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Candidate> {
    match &entry.what {
        What::Selector { namespaces, services } => selected::candidates(
            world,
            backend,
            entry,
            (*namespaces, *services),
            guards,
            diagnostics,
        ),
        What::Static(written) => {
            let name = entry.name.unwrap_or_default();
            if !target_name::is_valid(name) {
                let message = format!(
                    "`{name}` cannot be a target's name: lower case letters, digits, `-` and `.`; \
                     the target is left out"
                );
                diagnostics.push(backend.error("target.name", &entry.field, message));
                return Vec::new();
            }
            let target =
                address::target(world, backend, name, &entry.field, written, guards, diagnostics);
            let claim = Claim {
                wanted: name.to_owned(),
                rank: Rank::Written,
                namespace: String::new(),
                port: written.port,
            };
            let (field, place) = (entry.field.clone(), backend.place(&entry.field));
            vec![Candidate { claim, target, field, place }]
        }
        What::Unclear => {
            let message = "a target has exactly one of a selector and `static`; it is left out";
            diagnostics.push(backend.error("target.unclear", &entry.field, message));
            Vec::new()
        }
    }
}

/// The candidates with their names for good, in the order in which they came. A Service that was
/// selected twice is one target.
fn named(
    backend: &About,
    candidates: Vec<Candidate>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Candidate> {
    let mut distinct: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        let again = distinct.iter().any(|earlier| {
            candidate.claim.rank != Rank::Written
                && earlier.claim.rank != Rank::Written
                && earlier.target.endpoints == candidate.target.endpoints
        });
        if !again {
            distinct.push(candidate);
        }
    }
    let claims: Vec<Claim> = distinct.iter().map(|candidate| candidate.claim.clone()).collect();
    let names = target_name::assign(&claims);
    for (candidate, name) in distinct.iter().zip(&names) {
        if name.as_ref() != Some(&candidate.claim.wanted) {
            let wanted = Some(&candidate.claim.wanted);
            let first = distinct.iter().zip(&names).find(|(_, name)| name.as_ref() == wanted);
            let first = first.map(|(first, _)| first);
            diagnostics.extend(collision(backend, first, candidate, name.as_deref()));
        }
    }
    let named = distinct.into_iter().zip(names).filter_map(|(mut candidate, name)| {
        candidate.target.name = name?;
        Some(candidate)
    });
    named.collect()
}

/// Reports a target that did not get the name that it wants, where it is written and where the one
/// that has the name is.
fn collision(
    backend: &About,
    first: Option<&Candidate>,
    second: &Candidate,
    name: Option<&str>,
) -> Vec<Diagnostic> {
    let wanted = &second.claim.wanted;
    let outcome = match name {
        Some(name) => format!("is called `{name}`"),
        None => "is left out".to_owned(),
    };
    let at = |candidate: &Candidate, message: String| {
        let mut diagnostic = match name {
            Some(_) => backend.warning("target.renamed", &candidate.field, message),
            None => backend.error("target.twice", &candidate.field, message),
        };
        diagnostic.place = candidate.place.clone().or(diagnostic.place);
        diagnostic
    };
    let mut diagnostics = Vec::new();
    if let Some(first) = first {
        let message =
            format!("{} wants the name `{wanted}`, too; it {outcome}", second.described());
        diagnostics.push(at(first, message));
    }
    let message = match first {
        Some(first) => format!("{} has the name `{wanted}`; {second} {outcome}", first.described()),
        None => format!("the name `{wanted}` is taken; {second} {outcome}"),
    };
    diagnostics.push(at(second, message));
    diagnostics
}

impl Candidate {
    /// What it is and where it was written, for a diagnostic at another place.
    fn described(&self) -> String {
        match &self.place {
            Some(place) => format!("{self} at {place}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target.endpoints {
            Some(endpoints) => write!(formatter, "Service {endpoints}"),
            None => formatter.write_str(&self.field),
        }
    }
}
