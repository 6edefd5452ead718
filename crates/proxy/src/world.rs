//! One `Snapshot` plus the live state that belongs to it. A request loads it once and sees no
//! other.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use config::{Listener, Snapshot};
use mcp::ListKind;
use rustls::ServerConfig;

use crate::admin::{TargetState, TargetStatus};
use crate::catalog::Standing;
use crate::federation::{Federation, Member};
use crate::metrics::RouteMetrics;
use crate::upstream::{Server, Upstream};

/// What is served at this moment.
pub struct World {
    /// The document as it is executed.
    pub snapshot: Snapshot,
    /// The live side of every backend, by its name.
    pub backends: HashMap<Arc<str>, Arc<Federation>>,
    /// The live side of every target that some backend has.
    pub upstreams: Vec<Arc<Upstream>>,
    /// The live side of every ordinary HTTP server, by its name.
    pub(crate) services: HashMap<Arc<str>, Arc<Server>>,
    /// The server side of TLS, by the configured addresses of the listeners that speak it.
    pub(crate) tls: HashMap<SocketAddr, Arc<ServerConfig>>,
    /// Handles of every route's metrics, by its name.
    pub routes: HashMap<Arc<str>, Arc<RouteMetrics>>,
}

impl World {
    /// The listener that is configured for this address (as written, so port 0 is 0).
    pub fn listener(&self, configured: SocketAddr) -> Option<&Listener> {
        self.snapshot.listeners.iter().find(|listener| listener.address == configured)
    }
}

impl World {
    /// How every target of every backend stands, in the order of the document.
    pub fn targets(&self) -> Vec<TargetStatus> {
        let backends = self.snapshot.backends.keys();
        let offers = backends
            .filter_map(|name| Some((name, self.backends.get(name.as_str())?.base().offer())));
        let statuses = offers.flat_map(|(name, offer)| {
            let members = offer.members.iter();
            members.map(|member| status(name, member)).collect::<Vec<_>>()
        });
        statuses.collect()
    }
}

fn status(backend: &str, member: &Member) -> TargetStatus {
    let (backend, target) = (backend.to_owned(), member.target.name.to_string());
    let Ok(upstream) = &member.upstream else {
        let (state, since) = (TargetState::Closed, member.since);
        return TargetStatus {
            backend,
            target,
            state,
            revision: None,
            tools: 0,
            error: None,
            since,
        };
    };
    let state = upstream.base().state().borrow().clone();
    let (stands, since) = match &state.standing {
        Standing::Fresh => (TargetState::Up, state.fresh_since),
        Standing::Stale { since, .. } => (TargetState::Stale, *since),
        Standing::Missing { since, .. } if state.is_settled => (TargetState::Down, *since),
        Standing::Missing { since, .. } => (TargetState::Starting, *since),
    };
    let catalog = state.catalog.as_ref();
    TargetStatus {
        backend,
        target,
        state: stands,
        revision: catalog
            .and_then(|catalog| mcp::Revision::parse(catalog.hello.protocol_version.as_str())),
        tools: catalog.map_or(0, |catalog| catalog.items(ListKind::Tools).len()),
        error: state.last_error,
        since,
    }
}
