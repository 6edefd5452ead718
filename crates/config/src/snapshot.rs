//! What the proxy executes: the document compiled, references resolved. Immutable.

mod allowed;
mod conditions;
mod display;
mod hosts;
mod listener;
mod paths;
mod route;
mod table;
mod target;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use indexmap::IndexMap;

pub use allowed::{Allowed, AllowedByHost};
pub(crate) use conditions::{Conditions, PathTest, Test};
pub use listener::Listener;
pub use route::{Action, RequestHead, Route, Weighted};
pub use table::RouteTable;
pub use target::{
    Backend, HttpAddress, ProcessAddress, Target, TargetAddress, TargetKey, TargetSettings,
    Timeouts,
};

use crate::document::{Drain, Limits, Names};

/// Everything the proxy executes.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// One per bound address, in the document's order. Empty only if every listener that was
    /// written is broken.
    pub listeners: Vec<Listener>,
    /// The backends by name, in the document's order.
    pub backends: IndexMap<String, Arc<Backend>>,
    /// The addresses behind the targets' `endpoints` keys.
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
