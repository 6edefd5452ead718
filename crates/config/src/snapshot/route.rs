//! A route as it is executed.

use std::sync::Arc;
use std::time::Duration;

use super::filter::{Filters, Redirect};
use crate::document::Close;

/// What is done with the requests that a route's conditions match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The route's name, for logs and metrics.
    pub name: Arc<str>,
    /// What is changed in requests and answers.
    pub filters: Filters,
    /// How long answers may take.
    pub timeouts: RouteTimeouts,
    /// What answers.
    pub action: Action,
}

/// How long an answer may take; `None`: any time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RouteTimeouts {
    /// From a request to the end of its answer.
    pub request: Option<Duration>,
    /// From the moment in which it is passed on to the end of the answer.
    pub backend_request: Option<Duration>,
}

impl RouteTimeouts {
    /// The time from the moment in which a request is passed on, which is as soon as it is here, to the
    /// end of its answer.
    pub fn shortest(self) -> Option<Duration> {
        [self.request, self.backend_request].into_iter().flatten().min()
    }
}

/// What answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// One of these backends, by weight. Never empty, and the weights' sum is not 0.
    Mcp(Vec<Weighted>),
    /// One of these, by weight, for each request. Never empty, and the weights' sum is not 0; at
    /// least one is not [`Lead::Mcp`], of which there is at most one.
    Http(Vec<Share>),
    /// The client, which is sent elsewhere.
    Redirect(Redirect),
    /// Nobody, because it is shut: 503 with this.
    Closed(Close),
    /// Nobody, because what is meant is not there: 500 with this.
    Failed(Close),
}

/// A backend among several, and its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighted {
    /// Its share of the sum of all weights.
    pub weight: u32,
    /// A key of [`Snapshot::backends`](super::Snapshot::backends).
    pub backend: Arc<str>,
}

/// What answers some of a route's requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// Its share of the sum of all weights.
    pub weight: u64,
    /// What is changed in its requests and answers, after the route's own filters.
    pub filters: Filters,
    /// What answers.
    pub lead: Lead,
}

/// What answers a share of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lead {
    /// A key of [`Snapshot::services`](super::Snapshot::services).
    Service(Arc<str>),
    /// One of these backends, as in [`Action::Mcp`].
    Mcp(Vec<Weighted>),
    /// Nobody: 500 with this.
    Failed(Close),
}

impl Action {
    /// The backends that answer, or answer some of the requests.
    pub fn backends(&self) -> Option<&[Weighted]> {
        match self {
            Self::Mcp(backends) => Some(backends),
            Self::Http(shares) => shares.iter().find_map(|share| match &share.lead {
                Lead::Mcp(backends) => Some(backends.as_slice()),
                Lead::Service(_) | Lead::Failed(_) => None,
            }),
            Self::Redirect(_) | Self::Closed(_) | Self::Failed(_) => None,
        }
    }

    /// Whether backends answer, as far as anybody knows.
    pub fn may_be_mcp(&self) -> bool {
        matches!(self, Self::Closed(_)) || self.backends().is_some()
    }
}

/// What a route is chosen by.
#[derive(Debug, Clone, Copy)]
pub struct RequestHead<'a> {
    /// The host, in lower case and without a port; empty where the request names none.
    pub host: &'a str,
    /// The path, as the request has it.
    pub path: &'a str,
    /// What follows the `?`.
    pub query: Option<&'a str>,
    /// The HTTP method.
    pub method: &'a str,
    /// The headers.
    pub headers: &'a http::HeaderMap,
}

/// The route of a request.
#[derive(Debug, Clone, Copy)]
pub struct Matched<'a> {
    /// The route.
    pub route: &'a Arc<Route>,
    /// How many bytes of the path its prefix matched, without a `/` at their end; all of them where
    /// it matched by something else.
    pub prefix: usize,
}
