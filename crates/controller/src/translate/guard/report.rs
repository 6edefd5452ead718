//! What is to be said of a policy: how it fares with each object that it is attached to.

use std::collections::BTreeMap;

use crate::object::{About, ObjectName};
use crate::policy::{Finding, said};
use crate::resources::PolicyTarget;
use crate::status::reason::{self, kind};
use crate::status::{Ancestor, AncestorStatus, Condition};
use crate::translate::guard::Guarded;

/// How many ancestors the API holds for one policy.
pub(in crate::translate) const MOST_ANCESTORS: usize = 16;

/// What is to be said of one policy.
#[derive(Default)]
pub(super) struct Report {
    ancestors: Vec<AncestorStatus>,
    more: usize,
    /// What of it is not in force at which object, because an older policy says it.
    pub(super) overruled: BTreeMap<ObjectName, String>,
}

impl Report {
    /// It is attached to something, which it keeps shut.
    pub(super) fn closes(&mut self, ancestor: Ancestor, kind: Guarded, closing: &[Finding]) {
        let message = format!("{}; {} is closed", said(closing), described(&ancestor, kind));
        self.add(ancestor, Condition::fails(kind::ACCEPTED, reason::INVALID, message), attached());
    }

    /// It is attached to something and in force, but for the fields that are ignored and those of which
    /// an older policy says something else.
    pub(super) fn in_force(
        &mut self,
        ancestor: Ancestor,
        ignored: &[Finding],
        conflicts: &[Finding],
    ) {
        let mut lines = Vec::new();
        if !ignored.is_empty() {
            lines.push(format!("ignored: {}", said(ignored)));
        }
        if !conflicts.is_empty() {
            lines.push(format!("not in force: {}", said(conflicts)));
        }
        let reason = match lines.as_slice() {
            [] => reason::ACCEPTED,
            _ => reason::PARTIALLY_VALID,
        };
        let accepted =
            Condition { message: lines.join("; "), ..Condition::holds(kind::ACCEPTED, reason) };
        self.add(ancestor, accepted, attached());
    }

    /// It is attached to a part that is not there.
    pub(super) fn no_section(&mut self, ancestor: Ancestor, kind: Guarded, sections: &[String]) {
        let section = ancestor.section_name.as_deref().unwrap_or_default();
        let name = ObjectName::new(&ancestor.namespace, &ancestor.name);
        let kind = kind.name();
        let known = known(sections);
        let message =
            format!("{kind} {name} has no section `{section}` but {known}; all of it is closed");
        self.add(ancestor, Condition::fails(kind::ACCEPTED, reason::INVALID, message), attached());
    }

    /// It is attached to nothing that is there.
    pub(super) fn not_found(&mut self, policy: &About, target: &PolicyTarget, message: String) {
        let ancestor = Ancestor {
            group: target.group.clone(),
            kind: target.kind.clone(),
            namespace: policy.namespace().to_owned(),
            name: target.name.clone(),
            section_name: target.section_name.clone(),
        };
        let pending = Condition::fails(kind::ATTACHED, reason::PENDING, message.as_str());
        let accepted = Condition::fails(kind::ACCEPTED, reason::TARGET_NOT_FOUND, message);
        self.add(ancestor, accepted, pending);
    }

    /// All of it, as far as the API holds it.
    pub(super) fn ancestors(mut self) -> Vec<AncestorStatus> {
        let more = self.more;
        if let Some(last) = self.ancestors.last_mut().filter(|_| more > 0) {
            for condition in &mut last.conditions {
                condition.message.push_str(&format!(" (and {more} more)"));
            }
        }
        self.ancestors
    }

    fn add(&mut self, ancestor: Ancestor, accepted: Condition, other: Condition) {
        if self.ancestors.iter().any(|status| status.ancestor_ref == ancestor) {
            return;
        }
        if self.ancestors.len() == MOST_ANCESTORS {
            self.more += 1;
            return;
        }
        let conditions = vec![accepted, other];
        self.ancestors.push(AncestorStatus { ancestor_ref: ancestor, conditions });
    }
}

/// An object, or a part of it, as an ancestor of a policy.
pub(super) fn ancestor(kind: Guarded, name: &ObjectName, section: Option<&str>) -> Ancestor {
    Ancestor {
        group: kind.group().to_owned(),
        kind: kind.name().to_owned(),
        namespace: name.namespace.clone(),
        name: name.name.clone(),
        section_name: section.filter(|section| !section.is_empty()).map(str::to_owned),
    }
}

/// The sections that an object has.
pub(super) fn known(sections: &[String]) -> String {
    let known: Vec<String> = sections.iter().map(|section| format!("`{section}`")).collect();
    match known.as_slice() {
        [] => "no sections".to_owned(),
        known => known.join(", "),
    }
}

fn attached() -> Condition {
    Condition::holds(kind::ATTACHED, reason::ATTACHED)
}

fn described(ancestor: &Ancestor, kind: Guarded) -> String {
    let name = ObjectName::new(&ancestor.namespace, &ancestor.name);
    match &ancestor.section_name {
        Some(section) => format!("section `{section}` of {} {name}", kind.name()),
        None => format!("{} {name}", kind.name()),
    }
}
