//! Routes: conditions and actions checked, before they are put onto listeners.

use std::sync::Arc;

use super::action::{Leads, action};
use super::conditions::check;
use super::filter::filters;
use super::hostname;
use super::report::Report;
use crate::document::{self, Document};
use crate::duration::Duration;
use crate::implied;
use crate::snapshot::{
    Action, Conditions, Filters, PathRewrite, PathTest, Redirect, Route, RouteTimeouts,
};

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
    leads: &mut Leads<'_>,
    report: &mut Report<'_>,
) -> Vec<Compiled> {
    if document.routes.is_empty() {
        let names: Vec<String> = leads.backends.keys().cloned().collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let implied = implied::routes(&names).into_iter();
        return implied
            .map(|written| route(&written, written.name.clone(), leads, "routes", report))
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
        routes.push(route(written, name, leads, &path, report));
    }
    routes
}

fn route(
    written: &document::Route,
    name: String,
    leads: &mut Leads<'_>,
    path: &str,
    report: &mut Report<'_>,
) -> Compiled {
    let mut action = action(&written.action, leads, path, report);
    let filters = match filters(&written.filters, &format!("{path}.filters"), report) {
        Ok(filters) => filters,
        Err(close) => {
            action = Action::Closed(close);
            Filters::default()
        }
    };
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
    let by_prefix = matches.iter().all(|(path, _)| matches!(path, PathTest::Prefix(_)));
    if !by_prefix && replaces_prefix(&filters, &action) {
        let message = "only a prefix that every match of the route is by can be replaced";
        action = Action::Closed(report.close("route.filter", path, message));
    }
    unused(written, &action, path, report);
    let timeouts = timeouts(&written.timeouts);
    Compiled {
        path: path.to_owned(),
        route: Arc::new(Route { name: name.into(), filters, timeouts, action }),
        listeners: written.listeners.clone(),
        hostnames: hostnames(written, path, report),
        matches,
    }
}

/// Whether the prefix of a path is replaced for some of a route's requests.
fn replaces_prefix(filters: &Filters, action: &Action) -> bool {
    let by_prefix = |path: &Option<PathRewrite>| matches!(path, Some(PathRewrite::Prefix(_)));
    match action {
        Action::Http(shares) => {
            by_prefix(&filters.path) || shares.iter().any(|share| by_prefix(&share.filters.path))
        }
        Action::Redirect(Redirect { path, .. }) => by_prefix(path),
        Action::Mcp(_) | Action::Closed(_) | Action::Failed(_) => false,
    }
}

/// Reports what means nothing to the route's action.
fn unused(written: &document::Route, action: &Action, path: &str, report: &mut Report<'_>) {
    if !matches!(action, Action::Mcp(_)) {
        return;
    }
    if written.filters.rewrite.is_some() {
        let message = "this means nothing to MCP servers, whose urls are those of their targets";
        report.warning("route.unusedFilter", &format!("{path}.filters.rewrite"), message);
    }
}

/// `0s` is any time, as the Gateway API says.
fn timeouts(written: &document::RouteTimeouts) -> RouteTimeouts {
    let time =
        |written: Option<Duration>| written.map(Duration::get).filter(|time| !time.is_zero());
    RouteTimeouts { request: time(written.request), backend_request: time(written.backend_request) }
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
