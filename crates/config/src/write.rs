//! A document as text: the native YAML of `portico expand`, and the JSON Schema for editors.

mod redacted;

use schemars::transform::{RecursiveTransform, Transform};
use schemars::{Schema, SchemaGenerator};
use serde_json::Value;

use crate::document::Document;
pub use redacted::redacted;

/// The native YAML of a document, which [`read`](crate::read) reads back to the same document.
/// References to variables stay as they are written.
pub fn to_yaml(document: &Document) -> String {
    let yaml = serde_saphyr::to_string(document);
    // Every key is text and every value plain data: there is nothing that could not be written.
    yaml.unwrap_or_else(|error| format!("# this document cannot be written: {error}\n"))
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
