//! A document as text: the native YAML of `portico expand`, and the JSON Schema for editors.

use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::document::{Document, Target, TargetEntry};

/// The native YAML of a document, which [`read`](crate::read) reads back to the same document.
/// References to variables stay as they are written.
pub fn to_yaml(document: &Document) -> String {
    let yaml = serde_saphyr::to_string(document);
    // Every key is text and every value plain data: there is nothing that could not be written.
    yaml.unwrap_or_else(|error| format!("# this document cannot be written: {error}\n"))
}

/// A document that may be shown: values of headers and of the environment that are written out
/// are `***`, references to variables stay.
pub fn redacted(document: &Document) -> Document {
    let mut document = document.clone();
    for target in &mut document.targets {
        redact(target);
    }
    for backend in &mut document.backends {
        for entry in &mut backend.targets {
            match entry {
                TargetEntry::Named(_) => {}
                TargetEntry::Inline(target) => redact(target),
            }
        }
    }
    document
}

fn redact(target: &mut Target) {
    for value in target.headers.values_mut().chain(target.env.values_mut()) {
        if !is_reference(value) {
            "***".clone_into(value);
        }
    }
}

/// Whether a value is one reference without a default, after the name of a scheme at most.
fn is_reference(value: &str) -> bool {
    let value = value.strip_prefix("Bearer ").unwrap_or(value);
    let name = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    let name = name.map(|name| name.strip_prefix("env:").unwrap_or(name));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.is_some_and(|name| name.chars().all(is_name))
}

/// The JSON Schema of the native document, for editors.
pub fn schema() -> String {
    let mut schema = SchemaGenerator::default().into_root_schema_for::<Document>();
    RecursiveTransform(close_object).transform(&mut schema);
    schema.insert("title".to_owned(), "Portico".into());
    format!("{:#}\n", schema.as_value())
}

/// Lets editors mark fields that do not exist.
fn close_object(schema: &mut Schema) {
    let has_fields = schema.get("properties").is_some();
    if has_fields && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), Value::Bool(false));
    }
}

#[cfg(test)]
mod tests;
