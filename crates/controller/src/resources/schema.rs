//! Pieces of the schemas that an API server validates our resources with, where Rust types alone do
//! not say them: objects whose fields are kept unread, and rules over several fields.

use schemars::{Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

/// A rule in CEL, and what an object that breaks it is answered with: what to write instead.
pub(super) type Rule = (&'static str, &'static str);

/// A field of an object whose rest is kept unread: its name and what it is for.
pub(super) type Field = (&'static str, &'static str);

/// What a name may hold that becomes the prefix of other names.
pub(super) const NAME: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";

/// The schema of an object whose fields we keep and do not know.
pub(super) fn preserved(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true })
}

/// The schema of an object that is kept as it is written, with the fields that it is known to have.
/// They are objects, kept in the same way.
pub(super) fn kept(fields: &[Field]) -> Schema {
    let mut properties = Map::new();
    for (name, description) in fields {
        let schema = json!({
            "description": description,
            "type": "object",
            "x-kubernetes-preserve-unknown-fields": true,
        });
        properties.insert((*name).to_owned(), schema);
    }
    json_schema!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": properties,
    })
}

/// Puts `schema` in the place of a field of an object.
pub(super) fn replace(object: &mut Schema, field: &str, schema: Value) {
    if let Some(fields) = object.get_mut("properties").and_then(Value::as_object_mut) {
        fields.insert(field.to_owned(), schema);
    }
}

/// Rules as a schema holds them.
pub(super) fn rules(rules: &[Rule]) -> Value {
    rules.iter().map(|(rule, message)| json!({ "rule": rule, "message": message })).collect()
}
