//! The names of a backend's targets: who gets the one it wants, and what is said of the others.

use std::collections::BTreeSet;
use std::fmt;

use config::Diagnostic;

use crate::object::About;
use crate::translate::target::{Candidate, Findings};
use crate::translate::target_name::{self, Claim, Rank};

/// The candidates with their names for good, in the order in which they came. A Service that was
/// selected twice is one target.
pub(super) fn named<'a>(
    backend: &About,
    candidates: Vec<Candidate<'a>>,
    findings: &mut Findings,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Candidate<'a>> {
    let candidates = distinct(candidates);
    let names = names(&candidates);
    let mut messages = Vec::new();
    for (candidate, name) in candidates.iter().zip(&names) {
        let wanted = &candidate.claim.wanted;
        if name.as_ref() == Some(wanted) {
            messages.push(String::new());
            continue;
        }
        let mut holders = candidates.iter().zip(&names);
        let holder = holders.find(|(_, name)| name.as_ref() == Some(wanted));
        let holder = holder.map(|(holder, _)| holder);
        // Whoever keeps a name of its own while the one it wants is free has nothing to mend.
        if holder.is_some() || name.is_none() {
            diagnostics.extend(collision(backend, holder, candidate, name.as_deref()));
        }
        messages.push(match holder {
            Some(holder) => format!("`{wanted}` is the name of {holder}"),
            None => format!("it keeps this name, though `{wanted}` is free now"),
        });
    }
    let mut named = Vec::new();
    for ((mut candidate, name), message) in candidates.into_iter().zip(names).zip(messages) {
        let Some(name) = name else {
            findings.problems.push(format!("{candidate} is left out: {message}"));
            continue;
        };
        candidate.target.name = name;
        let said = [std::mem::take(&mut candidate.message), message];
        let said: Vec<String> = said.into_iter().filter(|text| !text.is_empty()).collect();
        candidate.message = said.join("; ");
        named.push(candidate);
    }
    named
}

fn distinct(candidates: Vec<Candidate<'_>>) -> Vec<Candidate<'_>> {
    let mut selected = BTreeSet::new();
    let mut distinct = Vec::new();
    for candidate in candidates {
        let is_new = match candidate.claim.rank {
            Rank::Written => true,
            Rank::Held | Rank::Own | Rank::Other => {
                selected.insert(candidate.target.endpoints.clone())
            }
        };
        if is_new {
            distinct.push(candidate);
        }
    }
    distinct
}

/// The name of each candidate. Whoever was there first comes first, whichever selector found it.
fn names(candidates: &[Candidate<'_>]) -> Vec<Option<String>> {
    let mut order: Vec<(usize, &Candidate<'_>)> = candidates.iter().enumerate().collect();
    order.sort_by(|(_, left), (_, right)| match (left.service, right.service) {
        (Some(left), Some(right)) => left.by_arrival(right),
        (None, _) | (_, None) => left.service.is_some().cmp(&right.service.is_some()),
    });
    let claims: Vec<Claim> = order.iter().map(|(_, candidate)| candidate.claim.clone()).collect();
    let mut names: Vec<(usize, Option<String>)> = Vec::new();
    for ((place, _), name) in order.iter().zip(target_name::assign(&claims)) {
        names.push((*place, name));
    }
    names.sort_by_key(|(place, _)| *place);
    names.into_iter().map(|(_, name)| name).collect()
}

/// Reports a target that did not get the name that it wants, where it is written and where the one
/// that has the name is.
fn collision(
    backend: &About,
    first: Option<&Candidate<'_>>,
    second: &Candidate<'_>,
    name: Option<&str>,
) -> Vec<Diagnostic> {
    let wanted = &second.claim.wanted;
    let outcome = match name {
        Some(name) => format!("is called `{name}`"),
        None => "is left out".to_owned(),
    };
    let at = |candidate: &Candidate<'_>, message: String| {
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

impl Candidate<'_> {
    /// What it is and where it was written, for a diagnostic at another place.
    fn described(&self) -> String {
        match &self.place {
            Some(place) => format!("{self} at {place}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Candidate<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target.endpoints {
            Some(endpoints) => write!(formatter, "Service {endpoints}"),
            None => formatter.write_str(&self.field),
        }
    }
}
