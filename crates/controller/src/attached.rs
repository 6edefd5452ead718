//! What a policy is attached to. Its rules are not read: until they are built, a policy keeps shut
//! what it is attached to.

use serde_json::Value;

use crate::resources::{PolicyTarget, PolicyTargetSelector};

/// A policy of any kind, as far as what it is attached to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttachedPolicy {
    /// What it is attached to, in the order in which it says so.
    pub attachments: Vec<Attachment>,
    /// What it asks for, by field: `traffic.cors`.
    pub fields: Vec<String>,
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
    /// Reads `spec.targetRefs`, `spec.targetRef` and `spec.targetSelectors`. `None` where the
    /// object has none of them.
    pub fn read(object: &Value) -> Option<Self> {
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
        Some(Self { attachments, fields: fields(spec) })
    }
}

/// The fields of a policy's `spec` that say what it asks for. Those of the three parts of an
/// AgentgatewayPolicy are named one by one.
fn fields(spec: &Value) -> Vec<String> {
    let mut fields = Vec::new();
    for (field, value) in spec.as_object().into_iter().flatten() {
        match (field.as_str(), value.as_object()) {
            ("targetRef" | "targetRefs" | "targetSelectors", _) => {}
            ("traffic" | "frontend" | "backend", Some(parts)) if !parts.is_empty() => {
                fields.extend(parts.keys().map(|part| format!("{field}.{part}")));
            }
            _ => fields.push(field.clone()),
        }
    }
    fields
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
