//! A route as it is executed.

use std::sync::Arc;

use crate::document::Close;

/// What is done with the requests that a route's conditions match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The route's name, for logs and metrics.
    pub name: Arc<str>,
    /// What answers.
    pub action: Action,
}

/// What answers a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// One of these backends, by weight. Never empty, and the weights' sum is not 0.
    Mcp(Vec<Weighted>),
    /// Nobody: 503 with this.
    Closed(Close),
}

/// A backend among several, and its share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weighted {
    /// Its share of the sum of all weights.
    pub weight: u32,
    /// A key of [`Snapshot::backends`](super::Snapshot::backends).
    pub backend: Arc<str>,
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
