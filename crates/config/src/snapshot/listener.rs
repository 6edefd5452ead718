//! An address to bind, and who answers there.

use std::net::SocketAddr;
use std::sync::Arc;

use super::table::RouteTable;

/// One bound address, with its virtual listeners merged: the table answers for all of them.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The name of the first listener that was written for this address.
    pub name: Arc<str>,
    /// The address to bind.
    pub address: SocketAddr,
    /// Which request reaches what.
    pub routes: RouteTable,
    /// The web origins that may use it, besides loopback ones and the listener's own host; lower
    /// case, `*` for any.
    pub allowed_origins: Vec<String>,
    /// The `Host` names it answers to when it is bound to loopback, besides loopback ones; lower
    /// case, without a port; `*.suffix` for every host below one. The listeners' and the routes'
    /// own hostnames are among them.
    pub allowed_hosts: Vec<String>,
}
