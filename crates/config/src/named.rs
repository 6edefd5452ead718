//! Which backends and targets a document names, whether they are there or not.

use crate::document::{Action, Document, TargetEntry};

/// The backends that a document routes to.
pub(crate) fn backends_named(document: &Document) -> Vec<&str> {
    let mut named = Vec::new();
    for route in &document.routes {
        match &route.action {
            Action::Backend(name) => named.push(name.as_str()),
            Action::Backends(list) => named.extend(list.iter().map(|one| one.name.as_str())),
            Action::Close(_) => {}
        }
    }
    named
}

/// The targets that a document's backends name.
pub(crate) fn targets_named(document: &Document) -> Vec<&str> {
    let entries = document.backends.iter().flat_map(|backend| &backend.targets);
    let named = entries.filter_map(|entry| match entry {
        TargetEntry::Named(name) => Some(name.as_str()),
        TargetEntry::Inline(_) => None,
    });
    named.collect()
}
