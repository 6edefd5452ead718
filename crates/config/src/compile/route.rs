//! Routes: conditions and actions checked, before they are put onto listeners.

use std::sync::Arc;

use super::action::action;
use super::backend::Backends;
use super::conditions::check;
use super::hostname;
use super::report::Report;
use crate::document::{self, Document};
use crate::implied;
use crate::snapshot::{Action, Conditions, PathTest, Route};

/// A route, ready to be put onto listeners.
pub(super) struct Compiled {
    /// Where it is in the document.
    pub(super) path: String,
    pub(super) route: Arc<Route>,
    /// The names of the listeners that serve it; none: all of them.
    pub(super) listeners: Vec<String>,
    /// The hosts it is for; one `None`: any.
    pub(super) hostnames: Vec<Option<String>>,
    pub(super) matches: Vec<(PathTest, Conditions)>,
}

pub(super) fn routes(
    document: &Document,
    backends: &mut Backends,
    report: &mut Report<'_>,
) -> Vec<Compiled> {
    if document.routes.is_empty() {
        let names: Vec<String> = backends.keys().cloned().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let implied = implied::routes(&names).into_iter();
        return implied
            .map(|written| route(&written, written.name.clone(), backends, "routes", report))
            .collect();
    }
    let mut routes = Vec::new();
    for (index, written) in document.routes.iter().enumerate() {
        let path = format!("routes[{index}]");
        let mut name = written.name.clone();
        if name.is_empty() {
            name = format!("route-{}", index + 1);
        }
        let earlier = document.routes.iter().take(index);
        if earlier.into_iter().any(|earlier| earlier.name == name) {
            let message = format!("`{name}` is already defined; this one is left out");
            report.error("name.repeated", &path, message);
            continue;
        }
        routes.push(route(written, name, backends, &path, report));
    }
    routes
}

fn route(
    written: &document::Route,
    name: String,
    backends: &mut Backends,
    path: &str,
    report: &mut Report<'_>,
) -> Compiled {
    let mut action = action(&written.action, backends, path, report);
    let mut matches = Vec::new();
    for (index, written) in written.matches.iter().enumerate() {
        let checked = check(written, &format!("{path}.matches[{index}]"), report);
        if let Some(close) = checked.close {
            action = Action::Closed(close);
        }
        matches.push((checked.path, checked.conditions));
    }
    if matches.is_empty() {
        matches.push((PathTest::any(), Conditions::default()));
    }
    Compiled {
        path: path.to_owned(),
        route: Arc::new(Route { name: name.into(), action }),
        listeners: written.listeners.clone(),
        hostnames: hostnames(written, path, report),
        matches,
    }
}

fn hostnames(
    written: &document::Route,
    path: &str,
    report: &mut Report<'_>,
) -> Vec<Option<String>> {
    if written.hostnames.is_empty() {
        return vec![None];
    }
    let mut hostnames = Vec::new();
    for (index, text) in written.hostnames.iter().enumerate() {
        match hostname::parse(text) {
            Some(host) => hostnames.push(Some(host)),
            None => {
                let path = format!("{path}.hostnames[{index}]");
                let message = format!("`{text}` is not a host; there are `name` and `*.name`");
                report.error("route.hostname", &path, message);
            }
        }
    }
    hostnames
}
