//! Which endpoint serves a client that has no URL.

use config::{Action, Close, RequestHead, Weighted};
use http::{HeaderMap, Method};

use crate::metrics::Limit;
use crate::world::World;

/// The endpoint that a client without a URL is served at, named as its URL would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The listener's name; the first one where it is not said.
    pub listener: Option<String>,
    /// The host; empty for what answers to any.
    pub host: String,
    /// The path.
    pub path: String,
}

/// Why nobody serves a client at a place.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PlaceError {
    /// No listener of the document, or none with this name.
    #[error("there is no such listener; there are: {}", .0.join(", "))]
    NoListener(Vec<String>),
    /// No route matches.
    #[error("nothing is served at `{host}{path}`")]
    NoRoute {
        /// The host that was asked for.
        host: String,
        /// The path that was asked for.
        path: String,
    },
    /// What is there is kept shut.
    #[error("it is closed: {} [{}]", .0.reason, .0.id)]
    Closed(Close),
    /// What the client was served was removed, so that it can never go on.
    #[error("what was served has been removed from the configuration")]
    Removed,
    /// A limit of the configuration is reached.
    #[error("`limits.{}` is reached", .0.field())]
    Limit(Limit),
    /// There is no document yet.
    #[error("the gateway is not ready")]
    NotReady,
}

impl Place {
    /// The backends behind the route that a POST to this place would take.
    pub(crate) fn backends<'w>(&self, world: &'w World) -> Result<&'w [Weighted], PlaceError> {
        let listeners = &world.snapshot.listeners;
        let is_it = |name: &str| self.listener.as_deref().is_none_or(|wanted| wanted == name);
        let listener = listeners.iter().find(|listener| is_it(&listener.name));
        let listener = listener.ok_or_else(|| {
            PlaceError::NoListener(listeners.iter().map(|known| known.name.to_string()).collect())
        })?;
        let found = listener.routes.find(&RequestHead {
            host: &self.host,
            path: &self.path,
            query: None,
            method: Method::POST.as_str(),
            headers: &HeaderMap::new(),
        });
        let no_route = || PlaceError::NoRoute { host: self.host.clone(), path: self.path.clone() };
        let action = &found.ok_or_else(no_route)?.route.action;
        match action {
            Action::Closed(close) | Action::Failed(close) => Err(PlaceError::Closed(close.clone())),
            Action::Mcp(_) | Action::Http(_) | Action::Redirect(_) => {
                action.backends().ok_or_else(no_route)
            }
        }
    }
}
