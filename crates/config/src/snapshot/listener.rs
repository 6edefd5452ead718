//! An address to bind, and who answers there.

use std::net::SocketAddr;
use std::sync::Arc;

use super::allowed::AllowedByHost;
use super::table::RouteTable;
use super::tls::ListenerTls;

/// One bound address, with its virtual listeners merged: the table answers for all of them.
#[derive(Debug, Clone)]
pub struct Listener {
    /// The name of the first listener that was written for this address.
    pub name: Arc<str>,
    /// The address to bind.
    pub address: SocketAddr,
    /// Which request reaches what.
    pub routes: RouteTable,
    /// Who may use it, by the host that a request is for.
    pub allowed: AllowedByHost,
    /// What it proves itself with, where TLS is spoken.
    pub tls: Option<ListenerTls>,
}
