//! What answers the requests of a route.

use std::sync::Arc;

use super::backend::Backends;
use super::report::Report;
use crate::document::{self, Close, ElicitationLabel, PrefixMode, WeightedBackend};
use crate::read::closest;
use crate::snapshot::{Action, Backend, Weighted};

pub(super) fn action(
    written: &document::Action,
    backends: &mut Backends,
    path: &str,
    report: &mut Report<'_>,
) -> Action {
    match written {
        document::Action::Backend(name) if backends.contains_key(name) => to_one(name),
        document::Action::Backend(name) => {
            let message = unknown(name, backends);
            Action::Closed(report.close("backend.unknown", &format!("{path}.backend"), message))
        }
        document::Action::Backends(list) => weighted(list, backends, path, report),
        document::Action::Close(close) => Action::Closed(close.clone()),
    }
}

/// The action of a route to a single backend.
fn to_one(name: &str) -> Action {
    Action::Mcp(vec![Weighted { weight: 1, backend: name.into() }])
}

/// An unknown backend among several keeps its share, and is closed: what was meant for it is not
/// given to others (Gateway API, `backendRefs`).
fn weighted(
    list: &[WeightedBackend],
    backends: &mut Backends,
    path: &str,
    report: &mut Report<'_>,
) -> Action {
    let mut weighted = Vec::new();
    for (index, written) in list.iter().enumerate() {
        if !backends.contains_key(&written.name) {
            let message = unknown(&written.name, backends);
            let path = format!("{path}.backends[{index}]");
            let close = report.close("backend.unknown", &path, message);
            backends.insert(written.name.clone(), Arc::new(closed(&written.name, close)));
        }
        if written.weight > 0 {
            let backend = written.name.as_str().into();
            weighted.push(Weighted { weight: written.weight, backend });
        }
    }
    if weighted.is_empty() {
        let message = "no backend has a weight";
        return Action::Closed(report.close("route.weight", &format!("{path}.backends"), message));
    }
    Action::Mcp(weighted)
}

fn closed(name: &str, close: Close) -> Backend {
    Backend {
        name: name.into(),
        targets: Vec::new(),
        prefix_mode: PrefixMode::default(),
        failure_mode: None,
        elicitation_label: ElicitationLabel::default(),
        closed: Some(close),
    }
}

fn unknown(name: &str, backends: &Backends) -> String {
    let message = format!("there is no backend named `{name}`");
    match closest(name, backends.keys().map(String::as_str)) {
        Some(known) => format!("{message}; did you mean `{known}`?"),
        None => message,
    }
}
