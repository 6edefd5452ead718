//! How what is to be said of an object gets into its `status`: with the generation that it is said of, the
//! time since when it holds, and beside what other controllers say. Pure.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::status::Condition;

/// When something is said, and of what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// The generation of the object.
    pub(crate) generation: i64,
    /// Now.
    pub(crate) now: Timestamp,
}

/// A list in a status that several controllers write.
#[derive(Debug)]
pub(crate) struct List {
    /// Its field.
    pub(crate) field: &'static str,
    /// The field of an entry that says what it is about.
    pub(crate) key: &'static str,
    /// How many entries the API server takes.
    pub(crate) most: usize,
}

/// What is said of a route to each of its parents.
pub(crate) const PARENTS: List = List { field: "parents", key: "parentRef", most: 32 };
/// What is said of a policy at each of what it is attached to.
pub(crate) const ANCESTORS: List = List { field: "ancestors", key: "ancestorRef", most: 16 };

/// How many characters of a message the API server takes.
const LONGEST_MESSAGE: usize = 32_768;

/// Conditions as they are to be written. One that holds as it did before keeps its time.
pub(crate) fn conditions(wanted: &[Condition], current: &Value, moment: Moment) -> Value {
    let written = wanted.iter().map(|condition| {
        let status = condition.status.to_string();
        let before = found(current, "type", condition.kind);
        let unchanged = before.filter(|before| text(before, "status") == status);
        let since = unchanged.and_then(|before| before.get("lastTransitionTime")).cloned();
        // Kubernetes keeps whole seconds here.
        let now = || json!(format!("{}", moment.now.strftime("%Y-%m-%dT%H:%M:%SZ")));
        json!({
            "type": condition.kind,
            "status": status,
            "reason": condition.reason,
            "message": condition.message.chars().take(LONGEST_MESSAGE).collect::<String>(),
            "observedGeneration": moment.generation,
            "lastTransitionTime": since.unwrap_or_else(now),
        })
    });
    Value::Array(written.collect())
}

/// A list of which each controller writes its own entries: the others' stay as they are and where they are,
/// and where they leave too little room for all of ours, the first of ours are written.
pub(crate) fn entries(
    wanted: &[(Value, &[Condition])],
    list: &List,
    controller: &str,
    current: &Value,
    moment: Moment,
) -> Value {
    let entry = |about: &Value, said: &[Condition], before: &Value| {
        let before = before.get("conditions").unwrap_or(&Value::Null);
        json!({
            list.key: about,
            "controllerName": controller,
            "conditions": conditions(said, before, moment),
        })
    };
    let others = current.as_array().into_iter().flatten();
    let others = others.filter(|entry| text(entry, "controllerName") != controller).count();
    let mut written = Vec::new();
    let mut new: Vec<_> = wanted.iter().take(list.most.saturating_sub(others)).collect();
    for before in current.as_array().into_iter().flatten() {
        if text(before, "controllerName") != controller {
            written.push(before.clone());
            continue;
        }
        let about = before.get(list.key);
        let Some(at) = new.iter().position(|(wanted, _)| Some(wanted) == about) else { continue };
        let (about, said) = new.remove(at);
        written.push(entry(about, said, before));
    }
    written.extend(new.into_iter().map(|(about, said)| entry(about, said, &Value::Null)));
    Value::Array(written)
}

/// Whether a status holds what is written. Other fields, and conditions of other types, are somebody
/// else's.
pub(crate) fn is_there(written: &Value, current: &Value) -> bool {
    let fields = written.as_object().into_iter().flatten();
    fields
        .into_iter()
        .all(|(field, value)| is_same(value, current.get(field).unwrap_or(&Value::Null)))
}

fn is_same(written: &Value, current: &Value) -> bool {
    match (written, current) {
        (Value::Object(written), Value::Object(current)) => {
            written.len() == current.len()
                && written.iter().all(|(field, value)| {
                    current.get(field).is_some_and(|current| is_same(value, current))
                })
        }
        (Value::Array(written), Value::Array(current)) if written.iter().any(is_condition) => {
            written.iter().all(|one| {
                let there = current.iter().find(|other| other.get("type") == one.get("type"));
                there.is_some_and(|there| is_same(one, there))
            })
        }
        (Value::Array(written), Value::Array(current)) => {
            let both = written.iter().zip(current);
            written.len() == current.len()
                && both.into_iter().all(|(one, other)| is_same(one, other))
        }
        (Value::Array(written), Value::Null) => written.is_empty(),
        (written, current) => written == current,
    }
}

fn is_condition(value: &Value) -> bool {
    value.get("type").is_some() && value.get("lastTransitionTime").is_some()
}

/// Whether the conditions of both say the same of the same generation.
pub(crate) fn same_conditions(written: &Value, current: &Value) -> bool {
    let of = |status: &Value| status.get("conditions").cloned().unwrap_or_default();
    is_same(&of(written), &of(current))
}

/// Whether two statuses differ by the words of their conditions at most.
pub(crate) fn same_but_messages(written: &Value, current: &Value) -> bool {
    is_there(&without_messages(written), &without_messages(current))
}

fn without_messages(value: &Value) -> Value {
    match value {
        Value::Array(list) => list.iter().map(without_messages).collect(),
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(field, _)| *field != "message");
            kept.map(|(field, value)| (field.clone(), without_messages(value))).collect()
        }
        other => other.clone(),
    }
}

/// The condition of this type.
pub(crate) fn found<'a>(list: &'a Value, key: &str, value: &str) -> Option<&'a Value> {
    list.as_array()?.iter().find(|one| text(one, key) == value)
}

/// A field of an object, empty where it is no text.
pub(crate) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get(field).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests;
