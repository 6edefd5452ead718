//! The backend and the routes that are there where none are written.

use crate::document::{Action, Filters, Match, PathMatch, Route, RouteTimeouts};

/// The name of the backend of all targets.
pub(crate) const BACKEND: &str = "default";

/// `/mcp` for the first backend, and `/mcp/<name>` for each where there are several.
pub(crate) fn routes(backends: &[&str]) -> Vec<Route> {
    let mut routes = Vec::new();
    if let Some(first) = backends.first() {
        routes.push(route("default".to_owned(), first, "/mcp"));
    }
    if backends.len() > 1 {
        for name in backends {
            routes.push(route(format!("default-{name}"), name, &format!("/mcp/{name}")));
        }
    }
    routes
}

fn route(name: String, backend: &str, path: &str) -> Route {
    let exact = |path| Match { path: Some(PathMatch::Exact(path)), ..Match::default() };
    Route {
        name,
        listeners: Vec::new(),
        hostnames: Vec::new(),
        matches: vec![exact(path.to_owned()), exact(format!("{path}/"))],
        filters: Filters::default(),
        timeouts: RouteTimeouts::default(),
        action: Action::Backend(backend.to_owned()),
        requires: Vec::new(),
    }
}
