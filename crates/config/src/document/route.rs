//! Which requests reach which backend, as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use super::filter::{Filters, Redirect};
use super::is_default;
use super::matches::{Match, PathMatch};
use super::weighted::WeightedBackend;
use crate::duration::Duration;

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
    /// What is changed in requests and answers.
    pub filters: Filters,
    /// How long an answer may take.
    pub timeouts: RouteTimeouts,
    /// What answers.
    pub action: Action,
    /// Features that whoever serves it has to know.
    pub requires: Vec<String>,
}

/// What answers the requests of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The backend of this name.
    Backend(String),
    /// The ordinary HTTP server of this name.
    Service(String),
    /// One of several. A backend is chosen when a session begins, an ordinary HTTP server for each
    /// request.
    Backends(Vec<WeightedBackend>),
    /// The client, which is sent elsewhere.
    Redirect(Redirect),
    /// Nobody, because it is kept shut: 503.
    Close(Close),
    /// Nobody, because what it leads to is not there: 500.
    Fail(Close),
}

/// How long an answer may take. MCP servers have deadlines of their own besides; streams that a client
/// opens to listen have none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RouteTimeouts {
    /// From a request to the end of its answer. Unset or `0s`: any time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<Duration>,
    /// From the moment in which it is passed on to the end of the server's answer. Unset or `0s`:
    /// any time. To MCP servers the shorter of the two is what counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backend_request: Option<Duration>,
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
    /// What is changed in requests and answers.
    #[serde(skip_serializing_if = "is_default")]
    filters: Filters,
    /// How long an answer may take.
    #[serde(skip_serializing_if = "is_default")]
    timeouts: RouteTimeouts,
    /// The name of the backend that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    backend: Option<String>,
    /// The name of the ordinary HTTP server that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<String>,
    /// Several, one of which is chosen: a backend when a session begins, an ordinary HTTP server
    /// for each request.
    #[serde(skip_serializing_if = "Option::is_none")]
    backends: Option<Vec<WeightedBackend>>,
    /// Where clients are sent instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    redirect: Option<Redirect>,
    /// Keeps the route shut.
    #[serde(skip_serializing_if = "Option::is_none")]
    close: Option<Close>,
    /// Says that what it leads to is not there: 500 with this.
    #[serde(skip_serializing_if = "Option::is_none")]
    fail: Option<Close>,
    /// Features that whoever serves this has to know; where one is not known, it is kept shut. A
    /// controller writes them for proxies that are older than itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    requires: Vec<String>,
}

impl TryFrom<RouteForm> for Route {
    type Error = &'static str;

    fn try_from(form: RouteForm) -> Result<Self, Self::Error> {
        let actions = [
            form.backend.map(Action::Backend),
            form.service.map(Action::Service),
            form.backends.map(Action::Backends),
            form.redirect.map(Action::Redirect),
            form.close.map(Action::Close),
            form.fail.map(Action::Fail),
        ];
        let mut actions = actions.into_iter().flatten();
        let (Some(action), None) = (actions.next(), actions.next()) else {
            return Err(
                "a route has exactly one of `backend`, `service`, `backends`, `redirect`, \
                        `close` and `fail`",
            );
        };
        let mut matches = form.matches;
        if let Some(path) = form.path {
            if !matches.is_empty() {
                return Err("a route has `path` or `matches`, not both");
            }
            matches.push(Match { path: Some(path), ..Match::default() });
        }
        let (name, listeners, hostnames) = (form.name, form.listeners, form.hostnames);
        let (filters, timeouts) = (form.filters, form.timeouts);
        let requires = form.requires;
        Ok(Self { name, listeners, hostnames, matches, filters, timeouts, action, requires })
    }
}

impl From<Route> for RouteForm {
    fn from(route: Route) -> Self {
        let mut form = Self {
            name: route.name,
            listeners: route.listeners,
            hostnames: route.hostnames,
            matches: route.matches,
            filters: route.filters,
            timeouts: route.timeouts,
            requires: route.requires,
            ..Self::default()
        };
        match route.action {
            Action::Backend(backend) => form.backend = Some(backend),
            Action::Service(service) => form.service = Some(service),
            Action::Backends(backends) => form.backends = Some(backends),
            Action::Redirect(redirect) => form.redirect = Some(redirect),
            Action::Close(close) => form.close = Some(close),
            Action::Fail(close) => form.fail = Some(close),
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
