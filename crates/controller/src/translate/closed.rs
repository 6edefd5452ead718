//! What keeps routes and listeners shut that is written in them and not known, and how diagnostics say so.

use config::{Close, is_condition, is_guard};

use crate::object::About;

/// How a diagnostic says that something is shut.
pub(super) fn closed(close: &Close) -> String {
    format!("closed: {}", close.reason)
}

/// The first unknown field that says which requests the rule at `field` is for: in its matches, beside
/// them, beside the route's `hostnames`, or where the route is attached.
pub(super) fn unknown_condition<'a>(route: &'a About, field: &str) -> Option<&'a str> {
    let (inside, matches) = (format!("{field}."), format!("{field}.matches["));
    let narrows = |unknown: &&String| {
        let beside = unknown.strip_prefix(&inside).or_else(|| unknown.strip_prefix("spec."));
        unknown.starts_with(&matches)
            || unknown.starts_with("spec.parentRefs[")
            || beside.is_some_and(is_condition)
    };
    route.unknown.iter().find(narrows).map(String::as_str)
}

/// The first unknown field of the listener at `field` that says which requests it is for.
pub(super) fn unknown_condition_of_listener<'a>(
    gateway: &'a About,
    field: &str,
) -> Option<&'a str> {
    let inside = format!("{field}.");
    let narrows = |unknown: &&String| unknown.strip_prefix(&inside).is_some_and(is_condition);
    gateway.unknown.iter().find(narrows).map(String::as_str)
}

/// The first unknown field that may guard one element of an object's list: it stands in the
/// element, at `field`, or outside of the list, whose fields begin with `list`.
pub(super) fn unknown_guard<'a>(about: &'a About, list: &str, field: &str) -> Option<&'a str> {
    let guards_it = |unknown: &&String| {
        let inside = unknown.strip_prefix(field).is_some_and(|rest| rest.starts_with('.'));
        is_guard(unknown) && (inside || !unknown.starts_with(list))
    };
    about.unknown.iter().find(guards_it).map(String::as_str)
}
