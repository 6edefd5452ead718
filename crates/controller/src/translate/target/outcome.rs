//! What is to be said of a backend. One bad target or Service never takes it down: it is named, and
//! the others are served.

use config::Close;

use crate::status::reason::{self, kind};
use crate::status::{BackendOutcome, Condition, LeftOut, TargetOutcome};
use crate::translate::shape::Shape;
use crate::translate::target::selected::not_permitted;
use crate::translate::target::{Candidate, Findings};

/// How many of what is wrong a condition names.
const NAMED: usize = 16;

pub(super) fn outcome(
    shape: &Shape<'_>,
    close: Option<&Close>,
    candidates: &[Candidate<'_>],
    findings: Findings,
) -> BackendOutcome {
    let targets = candidates.iter().map(|candidate| TargetOutcome {
        name: candidate.target.name.clone(),
        service: candidate.target.endpoints.clone(),
        message: candidate.message.clone(),
    });
    BackendOutcome {
        conditions: vec![
            accepted(shape, close, candidates, &findings),
            resolved_refs(shape, &findings),
        ],
        targets: targets.collect(),
        left_out: findings.left_out,
    }
}

fn accepted(
    shape: &Shape<'_>,
    close: Option<&Close>,
    candidates: &[Candidate<'_>],
    findings: &Findings,
) -> Condition {
    match (close, &shape.shut) {
        (_, Some(shut)) => {
            return Condition::fails(kind::ACCEPTED, shut.reason, shut.message.as_str());
        }
        (Some(close), None) => {
            return Condition::fails(kind::ACCEPTED, reason::CLOSED, close.reason.as_str());
        }
        (None, None) => {}
    }
    if candidates.is_empty() && !findings.problems.is_empty() {
        let message = some(findings.problems.iter(), "; ");
        return Condition::fails(kind::ACCEPTED, reason::TRANSLATION_ERROR, message);
    }
    let unusable = findings.left_out.iter().filter(|left| left.reason == reason::NO_USABLE_PORT);
    let unusable: Vec<String> = unusable.map(described).collect();
    let closed: Vec<String> = candidates.iter().filter_map(closed_by_its_entry).collect();
    let reason = match closed.as_slice() {
        [] => reason::ACCEPTED,
        _ => reason::PARTIALLY_VALID,
    };
    let said = closed.iter().chain(&findings.problems).chain(&findings.remarks).chain(&unusable);
    Condition { message: some(said, "; "), ..Condition::holds(kind::ACCEPTED, reason) }
}

fn resolved_refs(shape: &Shape<'_>, findings: &Findings) -> Condition {
    let barred = findings.left_out.iter().filter(|left| left.reason == reason::REF_NOT_PERMITTED);
    let barred: Vec<String> = barred.map(|left| left.service.to_string()).collect();
    let reason = match (barred.as_slice(), findings.missing.as_slice()) {
        ([], []) => return Condition::holds(kind::RESOLVED_REFS, reason::RESOLVED_REFS),
        ([], _) => reason::BACKEND_NOT_FOUND,
        _ => reason::REF_NOT_PERMITTED,
    };
    let barred = (!barred.is_empty()).then(|| {
        format!("left out: {}: {}", some(barred.iter(), ", "), not_permitted(shape.about))
    });
    let message = some(barred.iter().chain(&findings.missing), "; ");
    Condition::fails(kind::RESOLVED_REFS, reason, message)
}

/// What keeps a target shut that the backend itself says of it.
fn closed_by_its_entry(candidate: &Candidate<'_>) -> Option<String> {
    let has_closing = !candidate.policies.closing.is_empty();
    has_closing
        .then(|| format!("target `{}` is closed: {}", candidate.target.name, candidate.message))
}

fn described(left: &LeftOut) -> String {
    format!("Service {} is left out: {}", left.service, left.message)
}

/// The first of many, and how many there are beside.
fn some<'a>(lines: impl Iterator<Item = &'a String>, between: &str) -> String {
    let lines: Vec<&str> = lines.map(String::as_str).collect();
    let (shown, rest) = lines.split_at(lines.len().min(NAMED));
    let shown = shown.join(between);
    match rest.len() {
        0 => shown,
        more => format!("{shown}{between}and {more} more"),
    }
}
