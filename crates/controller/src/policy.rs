//! Policies as they are attached: to what, and what of what they say is in force.

mod fields;
mod read;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde_json::Value;

use crate::object::About;
use crate::resources::{PolicyTarget, PolicyTargetSelector};
pub use fields::page;
pub(crate) use read::{of_backend, of_target};
pub(crate) use rules::{
    Authorities, Connection, CredentialSource, Finding, Rules, Tls, Traffic, Trust,
};

/// A policy of any kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttachedPolicy {
    /// What it is attached to, in the order in which it says so.
    pub attachments: Vec<Attachment>,
    /// What it asks for.
    pub(crate) rules: Arc<Rules>,
}

/// One thing that a policy is attached to, in the policy's own namespace.
#[derive(Clone, Debug, PartialEq)]
pub enum Attachment {
    /// One object.
    Name(PolicyTarget),
    /// All objects that carry the labels.
    Labels(PolicyTargetSelector),
    /// It cannot be read what it is attached to, so it may be anything.
    Anything,
}

impl AttachedPolicy {
    /// Reads `spec.targetRefs`, `spec.targetRef` and `spec.targetSelectors`, and what the policy asks for,
    /// where it is of a kind that is known. `None` where the object has none of them.
    pub fn read(about: &About, object: &Value, is_known: bool) -> Option<Self> {
        let spec = object.get("spec")?;
        let mut attachments = Vec::new();
        let references = spec.get("targetRefs");
        let reference = spec.get("targetRef");
        let selectors = spec.get("targetSelectors");
        if references.is_none() && reference.is_none() && selectors.is_none() {
            return None;
        }
        attachments.extend(references.into_iter().flat_map(|list| each(list, by_name)));
        attachments.extend(reference.map(by_name));
        attachments.extend(selectors.into_iter().flat_map(|list| each(list, by_labels)));
        let mut rules = match is_known {
            true => read::of_policy(about, spec),
            false => Rules::closing(format!("a {} of this group is not known", about.kind)),
        };
        if attachments.is_empty() || attachments.contains(&Attachment::Anything) {
            rules.close("spec", "it cannot be read what it is attached to");
        }
        Some(Self { attachments, rules: Arc::new(rules) })
    }

    /// One that nobody can read, which may be attached to anything.
    pub fn unreadable(why: &str) -> Self {
        let rules = Arc::new(Rules::closing(why.to_owned()));
        Self { attachments: vec![Attachment::Anything], rules }
    }
}

fn each(list: &Value, read: fn(&Value) -> Attachment) -> Vec<Attachment> {
    match list {
        Value::Array(items) => items.iter().map(read).collect(),
        Value::Null => Vec::new(),
        _ => vec![Attachment::Anything],
    }
}

fn by_name(value: &Value) -> Attachment {
    serde_json::from_value(value.clone()).map_or(Attachment::Anything, Attachment::Name)
}

fn by_labels(value: &Value) -> Attachment {
    serde_json::from_value(value.clone()).map_or(Attachment::Anything, Attachment::Labels)
}

/// Findings in one line.
pub(crate) fn said(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|finding| format!("`{}`: {}", finding.field, finding.message));
    lines.collect::<Vec<_>>().join("; ")
}
