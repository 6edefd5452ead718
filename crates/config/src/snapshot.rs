//! What the proxy executes: the document compiled, references resolved. Immutable.

mod allowed;
mod conditions;
mod cors;
mod display;
mod filter;
mod hosts;
mod listener;
mod paths;
mod route;
mod service;
mod table;
mod target;
mod tls;
mod upstream_tls;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use indexmap::IndexMap;

pub use allowed::{Allowed, AllowedByHost};
pub(crate) use conditions::{Conditions, PathTest, Test};
pub use cors::{Cors, HostTest, Listed, Origin};
pub use filter::{Filters, HeaderChanges, PathRewrite, Redirect};
pub use listener::Listener;
pub use route::{Action, Lead, Matched, RequestHead, Route, RouteTimeouts, Share, Weighted};
pub use service::Service;
pub use table::RouteTable;
pub use target::{
    Backend, HttpAddress, ProcessAddress, Target, TargetAddress, TargetKey, TargetSettings,
    Timeouts,
};
pub use tls::{Certificate, ListenerTls};
pub use upstream_tls::{Roots, UpstreamTls, Verification};

use crate::document::{Drain, Limits, Names};

/// Everything the proxy executes.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// One per bound address, in the document's order. Empty only if every listener that was
    /// written is broken.
    pub listeners: Vec<Listener>,
    /// The backends by name, in the document's order.
    pub backends: IndexMap<String, Arc<Backend>>,
    /// The ordinary HTTP servers by name, in the document's order.
    pub services: IndexMap<String, Arc<Service>>,
    /// The addresses behind the `endpoints` keys of targets and services.
    pub endpoints: Arc<BTreeMap<String, Vec<SocketAddr>>>,
    /// How names are made.
    pub names: Names,
    /// The bounds that protect the gateway.
    pub limits: Limits,
    /// Where the admin port listens.
    pub admin: SocketAddr,
    /// How the gateway stops.
    pub drain: Drain,
}
