//! The complete example shows everything that can be written.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "the whole file is a test")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

/// What would close everything else in the example if it were written, and what only a control plane
/// can send.
const LEFT_OUT: [&str; 10] = [
    ".close",
    "ListenerTls.certificates",
    "Target.credentials",
    "Service.credentials",
    "Credential.secret",
    "Credential.value",
    "Credential.header",
    "Credential.prefix",
    "TargetTls.caSecret",
    "TargetTls.certificate",
];

#[test]
fn the_complete_document_has_every_field() {
    let schema: Value = serde_json::from_str(&config::schema()).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/complete.yaml");
    let document: Value = serde_saphyr::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut known = BTreeSet::new();
    known_fields(&schema, "", &mut known);
    for (name, definition) in schema["$defs"].as_object().unwrap() {
        known_fields(definition, name, &mut known);
    }
    assert!(known.contains("Limits.connect") && known.contains("Timeouts.connect"), "{known:?}");
    let mut written = BTreeSet::new();
    written_fields(&schema, &schema, &document, "", &mut written);
    let missing: Vec<&str> = known
        .difference(&written)
        .map(String::as_str)
        .filter(|it| !LEFT_OUT.contains(it))
        .collect();
    assert_eq!(missing, Vec::<&str>::new());
}

/// Every field of a part of the schema, as a path from its definition. What it refers to has
/// paths of its own.
fn known_fields(schema: &Value, path: &str, known: &mut BTreeSet<String>) {
    for part in alternatives(schema) {
        known_fields(part, path, known);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        known_fields(field, &path, known);
        known.insert(path);
    }
    for part in ["items", "additionalProperties"].into_iter().filter_map(|key| schema.get(key)) {
        known_fields(part, path, known);
    }
}

/// The fields that a value has, as paths from the definitions that they belong to.
fn written_fields(
    root: &Value,
    schema: &Value,
    value: &Value,
    path: &str,
    written: &mut BTreeSet<String>,
) {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.strip_prefix("#/$defs/")) {
        written_fields(root, &root["$defs"][name], value, name, written);
    }
    for part in alternatives(schema) {
        written_fields(root, part, value, path, written);
    }
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            let path = format!("{path}.{name}");
            written_fields(root, field, value, &path, written);
            written.insert(path);
        }
    }
    for item in value.as_array().into_iter().flatten() {
        written_fields(root, &schema["items"], item, path, written);
    }
    for value in value.as_object().into_iter().flat_map(|members| members.values()) {
        written_fields(root, &schema["additionalProperties"], value, path, written);
    }
}

fn alternatives(schema: &Value) -> impl Iterator<Item = &Value> {
    ["anyOf", "oneOf", "allOf"].into_iter().flat_map(|key| schema[key].as_array()).flatten()
}
