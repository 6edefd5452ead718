//! One element of a document: its value, and a diagnostic for all that is wrong with it.

use std::sync::Arc;

use serde::Deserialize;

use super::suggest::closest;
use crate::diagnostic::{Diagnostic, Severity};
use crate::node::{Context, Node, NodeDeserializer, Path, SyntaxError, Unknown};

/// What became of an element.
pub(crate) struct Read<T> {
    /// The element, or why there is none.
    pub(crate) value: Result<T, String>,
    /// The fields that it should not have.
    pub(crate) unknown: Vec<Unknown>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads an element that stands at `path`. Unknown fields are reported with `severity`.
pub(crate) fn read_element<T: for<'a> Deserialize<'a>>(
    node: &Node,
    path: &str,
    file: &Arc<str>,
    severity: Severity,
) -> Read<T> {
    let context = Context::default();
    let root = Path::Root(path);
    let value = T::deserialize(NodeDeserializer::new(node, &root, &context));
    let unknown = context.into_unknown();
    let mut diagnostics = Vec::new();
    for unknown in &unknown {
        diagnostics.push(Diagnostic {
            severity,
            id: "document.unknownField",
            path: unknown.path.clone(),
            message: unknown_message(unknown),
            place: Some(unknown.position.in_file(file)),
        });
    }
    let value = value.map_err(|error| {
        let (path, position) = error.at.unwrap_or_else(|| (path.to_owned(), node.position));
        let reason = format!("{path}: {}", error.message);
        diagnostics.push(Diagnostic {
            severity: Severity::Error,
            id: "document.type",
            path,
            message: error.message,
            place: Some(position.in_file(file)),
        });
        reason
    });
    Read { value, unknown, diagnostics }
}

impl SyntaxError {
    pub(crate) fn diagnostic(self, file: &Arc<str>) -> Diagnostic {
        Diagnostic {
            severity: Severity::Error,
            id: "document.syntax",
            path: String::new(),
            message: self.message,
            place: Some(self.position.in_file(file)),
        }
    }
}

fn unknown_message(unknown: &Unknown) -> String {
    let field = &unknown.field;
    match closest(field, unknown.fields.iter().copied()) {
        Some(known) => format!("there is no field `{field}`; did you mean `{known}`?"),
        None => format!("there is no field `{field}`"),
    }
}
