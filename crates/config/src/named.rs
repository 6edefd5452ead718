//! Which backends and targets a document names, whether they are there or not.

use crate::document::{Action, Document, Lead, TargetEntry};

/// The backends that a document routes to.
pub(crate) fn backends_named(document: &Document) -> Vec<&str> {
    let mut named = Vec::new();
    for route in &document.routes {
        match &route.action {
            Action::Backend(name) => named.push(name.as_str()),
            Action::Backends(list) => named.extend(list.iter().filter_map(|one| match &one.lead {
                Lead::Backend(name) => Some(name.as_str()),
                Lead::Service(_) | Lead::Fail(_) => None,
            })),
            Action::Service(_) | Action::Redirect(_) | Action::Close(_) | Action::Fail(_) => {}
        }
    }
    named
}

/// The services that a document routes to.
pub(crate) fn services_named(document: &Document) -> Vec<&str> {
    let mut named = Vec::new();
    for route in &document.routes {
        match &route.action {
            Action::Service(name) => named.push(name.as_str()),
            Action::Backends(list) => named.extend(list.iter().filter_map(|one| match &one.lead {
                Lead::Service(name) => Some(name.as_str()),
                Lead::Backend(_) | Lead::Fail(_) => None,
            })),
            Action::Backend(_) | Action::Redirect(_) | Action::Close(_) | Action::Fail(_) => {}
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
