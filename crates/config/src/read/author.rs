//! Who wrote a document, and so what an unknown field in it means: a person may have misspelled
//! something, a controller may be newer than the proxy that reads.

use std::collections::BTreeSet;

use super::guard::is_guard_of_listener;
use crate::diagnostic::{Diagnostic, Severity};
use crate::guard::{is_condition, is_guard};
use crate::node::Unknown;

/// Who wrote a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Author {
    Person,
    Controller,
}

impl Author {
    /// How much an unknown field matters.
    pub(crate) fn severity(self) -> Severity {
        match self {
            Self::Person => Severity::Error,
            Self::Controller => Severity::Warning,
        }
    }

    /// The name that a person may have meant.
    pub(crate) fn meant(self, closest: Option<&str>) -> Option<&str> {
        closest.filter(|_| self == Self::Person)
    }

    /// Whether an unknown field closes the route that it stands in. Whatever a person meant by it,
    /// without it the route may be wider: a host, a condition, a guard.
    pub(crate) fn closes_route(self, unknown: &Unknown) -> bool {
        let mut steps = unknown.path.split('.').skip(1);
        let (first, second) = (steps.next().unwrap_or_default(), steps.next());
        match self {
            Self::Person => true,
            Self::Controller => {
                is_guard(&unknown.path)
                    || first.starts_with("matches[")
                    || second.is_none() && is_condition(first)
            }
        }
    }

    /// Whether an unknown field closes the listener that it stands in.
    pub(crate) fn closes_listener(self, unknown: &Unknown) -> bool {
        match self {
            Self::Person => is_guard_of_listener(unknown),
            Self::Controller => is_guard(&unknown.path) || is_condition(&unknown.field),
        }
    }
}

/// The diagnostics of what a controller wrote: its text has no lines that anybody could look at, and what
/// a thousand routes have is said once.
pub(crate) fn condensed(diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut said = BTreeSet::new();
    let mut condensed = Vec::new();
    for mut diagnostic in diagnostics {
        diagnostic.place = None;
        if diagnostic.severity == Severity::Warning && diagnostic.id == "document.unknownField" {
            let field = without_indices(&diagnostic.path);
            diagnostic.message.push_str("; it is left out wherever it stands");
            if !said.insert(field) {
                continue;
            }
        }
        condensed.push(diagnostic);
    }
    condensed
}

/// `routes[12].filters.mirror` as `routes.filters.mirror`.
fn without_indices(path: &str) -> String {
    let mut is_index = false;
    let keep = |letter: &char| {
        is_index = (is_index || *letter == '[') && *letter != ']';
        !is_index && *letter != ']'
    };
    path.chars().filter(keep).collect()
}
