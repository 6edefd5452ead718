//! What answers the requests of a route.

use std::sync::Arc;

use super::backend::Backends;
use super::filter::{filters, redirect};
use super::report::Report;
use super::service::Services;
use crate::document::{self, Close, ElicitationLabel, PrefixMode, WeightedBackend};
use crate::read::closest;
use crate::snapshot::{Action, Backend, Filters, Lead, Share, Weighted};

/// What routes lead to.
pub(super) struct Leads<'a> {
    pub(super) backends: &'a mut Backends,
    pub(super) services: &'a Services,
}

pub(super) fn action(
    written: &document::Action,
    leads: &mut Leads<'_>,
    path: &str,
    report: &mut Report<'_>,
) -> Action {
    match written {
        document::Action::Backend(name) if leads.backends.contains_key(name) => {
            Action::Mcp(vec![Weighted { weight: 1, backend: name.as_str().into() }])
        }
        document::Action::Backend(name) => {
            let message = unknown("backend", name, leads.backends.keys());
            Action::Closed(report.close("backend.unknown", &format!("{path}.backend"), message))
        }
        document::Action::Service(name) if leads.services.contains_key(name) => {
            let lead = Lead::Service(name.as_str().into());
            Action::Http(vec![Share { weight: 1, filters: Filters::default(), lead }])
        }
        document::Action::Service(name) => {
            let message = unknown("service", name, leads.services.keys());
            Action::Failed(report.close("service.unknown", &format!("{path}.service"), message))
        }
        document::Action::Backends(list) => weighted(list, leads, path, report),
        document::Action::Redirect(written) => {
            match redirect(written, &format!("{path}.redirect"), report) {
                Ok(redirect) => Action::Redirect(redirect),
                Err(close) => Action::Closed(close),
            }
        }
        document::Action::Close(close) => Action::Closed(close.clone()),
        document::Action::Fail(close) => Action::Failed(close.clone()),
    }
}

/// What is unknown among several keeps its share: what was meant for it is not given to others
/// (Gateway API, `backendRefs`). A backend is then closed, a service fails.
fn weighted(
    list: &[WeightedBackend],
    leads: &mut Leads<'_>,
    path: &str,
    report: &mut Report<'_>,
) -> Action {
    let mut backends = Vec::new();
    let mut shares = Vec::new();
    for (index, written) in list.iter().enumerate() {
        let path = format!("{path}.backends[{index}]");
        let lead = match &written.lead {
            document::Lead::Backend(name) => {
                backend(name, written, leads, &path, report);
                if written.weight > 0 {
                    backends
                        .push(Weighted { weight: written.weight, backend: name.as_str().into() });
                }
                continue;
            }
            document::Lead::Service(name) if leads.services.contains_key(name) => {
                Lead::Service(name.as_str().into())
            }
            document::Lead::Service(name) => {
                let message = unknown("service", name, leads.services.keys());
                Lead::Failed(report.close("service.unknown", &path, message))
            }
            document::Lead::Fail(close) => Lead::Failed(close.clone()),
        };
        let share = match filters(&written.filters, &format!("{path}.filters"), report) {
            Ok(filters) => Share { weight: u64::from(written.weight), filters, lead },
            Err(close) => Share {
                weight: u64::from(written.weight),
                filters: Filters::default(),
                lead: Lead::Failed(close),
            },
        };
        if share.weight > 0 {
            shares.push(share);
        }
    }
    match (backends.is_empty(), shares.is_empty()) {
        (true, true) => {
            let message = "no backend has a weight";
            Action::Closed(report.close("route.weight", &format!("{path}.backends"), message))
        }
        (false, true) => Action::Mcp(backends),
        (true, false) => Action::Http(shares),
        (false, false) => {
            let weight = backends.iter().map(|one| u64::from(one.weight)).sum();
            let lead = Lead::Mcp(backends);
            shares.push(Share { weight, filters: Filters::default(), lead });
            Action::Http(shares)
        }
    }
}

/// A backend among several: closed if there is none of its name.
fn backend(
    name: &str,
    written: &WeightedBackend,
    leads: &mut Leads<'_>,
    path: &str,
    report: &mut Report<'_>,
) {
    if written.filters != document::Filters::default() {
        let message = "filters of its own mean nothing to a backend; the route's do";
        report.warning("route.unusedFilter", &format!("{path}.filters"), message);
    }
    if !leads.backends.contains_key(name) {
        let message = unknown("backend", name, leads.backends.keys());
        let close = report.close("backend.unknown", path, message);
        leads.backends.insert(name.to_owned(), Arc::new(closed(name, close)));
    }
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

fn unknown<'a>(kind: &str, name: &str, known: impl Iterator<Item = &'a String>) -> String {
    let message = format!("there is no {kind} named `{name}`");
    match closest(name, known.map(String::as_str)) {
        Some(known) => format!("{message}; did you mean `{known}`?"),
        None => message,
    }
}
