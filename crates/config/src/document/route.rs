//! Which requests reach which backend, as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::matches::{Match, PathMatch};

/// Which requests are answered, and by whom. Among routes the more specific wins, as the Gateway
/// API says; between equals the earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RouteForm", into = "RouteForm")]
pub struct Route {
    /// What the log and the metrics call it.
    pub name: String,
    /// The names of the listeners it is served on. Empty: all.
    pub listeners: Vec<String>,
    /// The hosts it is for, exact or `*.suffix`. Empty: any.
    pub hostnames: Vec<String>,
    /// One of these has to match. Empty: any path.
    pub matches: Vec<Match>,
    /// What answers.
    pub action: Action,
}

/// What answers the requests of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The backend of this name.
    Backend(String),
    /// One of several backends, chosen when a session begins.
    Backends(Vec<WeightedBackend>),
    /// Nobody: 503.
    Close(Close),
}

/// A backend among several, and its share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WeightedBackend {
    /// The backend's name.
    pub name: String,
    /// Its share of the sum of all weights; 0 gets none.
    #[serde(default = "one")]
    pub weight: u32,
}

/// Why something is kept shut: its requests get 503 with this. It is how translation expresses
/// that what guards fails closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Close {
    /// The stable id of the diagnostic that closed it.
    pub id: String,
    /// What an operator has to mend. Clients see it too.
    pub reason: String,
}

/// A route as it is written: with the short form of a path, and exactly one action.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct RouteForm {
    /// What the log and the metrics call it. Unset: `route-` and its number.
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    /// The names of the listeners it is served on. Empty: all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    listeners: Vec<String>,
    /// The hosts it is for, exact or `*.suffix`. Empty: any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hostnames: Vec<String>,
    /// The short form of `matches` with one path.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<PathMatch>,
    /// One of these has to match. Empty: any path.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    matches: Vec<Match>,
    /// The name of the backend that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<String>,
    /// Several backends, one of which is chosen when a session begins.
    #[serde(skip_serializing_if = "Option::is_none")]
    backends: Option<Vec<WeightedBackend>>,
    /// Keeps the route shut.
    #[serde(skip_serializing_if = "Option::is_none")]
    close: Option<Close>,
}

impl TryFrom<RouteForm> for Route {
    type Error = &'static str;

    fn try_from(form: RouteForm) -> Result<Self, Self::Error> {
        let action = match (form.backend, form.backends, form.close) {
            (Some(backend), None, None) => Action::Backend(backend),
            (None, Some(backends), None) => Action::Backends(backends),
            (None, None, Some(close)) => Action::Close(close),
            _ => return Err("a route has exactly one of `backend`, `backends` and `close`"),
        };
        let mut matches = form.matches;
        if let Some(path) = form.path {
            if !matches.is_empty() {
                return Err("a route has `path` or `matches`, not both");
            }
            matches.push(Match { path: Some(path), ..Match::default() });
        }
        let (name, listeners, hostnames) = (form.name, form.listeners, form.hostnames);
        Ok(Self { name, listeners, hostnames, matches, action })
    }
}

impl From<Route> for RouteForm {
    fn from(route: Route) -> Self {
        let mut form = Self {
            name: route.name,
            listeners: route.listeners,
            hostnames: route.hostnames,
            matches: route.matches,
            ..Self::default()
        };
        match route.action {
            Action::Backend(backend) => form.backend = Some(backend),
            Action::Backends(backends) => form.backends = Some(backends),
            Action::Close(close) => form.close = Some(close),
        }
        form
    }
}

impl JsonSchema for Route {
    fn schema_name() -> Cow<'static, str> {
        "Route".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        RouteForm::json_schema(generator)
    }
}

fn one() -> u32 {
    1
}
