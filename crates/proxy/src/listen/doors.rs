//! The listeners that are open, from one document to the next.

use std::collections::{HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::Listener;
use tokio::net::{TcpListener, TcpSocket};
use tracing::info;

use crate::context::Context;
use crate::listen::Door;

/// How many connections may wait to be accepted, if the system lets so many. Whoever is too many is
/// dropped without a word and comes back a second later, then three: with the usual 128, a burst of
/// clients that reconnect takes ten.
const BACKLOG: u32 = 4096;

/// A listener that could not be opened.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}")]
pub struct ListenError {
    /// The address as configured.
    pub address: SocketAddr,
    /// What the system said.
    pub source: io::Error,
    /// Where the listener was served before, and still is.
    pub stays: Option<SocketAddr>,
}

/// The listeners that are open.
#[derive(Default)]
pub(crate) struct Doors {
    /// By their addresses as configured.
    open: HashMap<SocketAddr, Arc<Door>>,
    /// Those that a reload removed, until their last connection has ended.
    closing: Vec<Arc<Door>>,
    /// The addresses that were asked for last.
    wanted: Vec<SocketAddr>,
    /// Those of them that could not be had even with doors of our own out of the way: while nothing
    /// else is asked for, no door is closed for them again.
    blocked: HashSet<SocketAddr>,
}

/// What is bound for the next world, which is not accepted on before that world is there.
#[derive(Default)]
pub(crate) struct Bound {
    /// By their addresses as configured.
    sockets: Vec<(SocketAddr, TcpListener)>,
    /// What could not be bound.
    pub(crate) failed: Vec<ListenError>,
}

impl Doors {
    /// Binds the addresses of `listeners` that are not open yet. A listener whose new address
    /// cannot be had is put back onto the one on which it is served now, by its name among
    /// `previous`: who can reach it still can, unless fewer are to.
    pub(crate) async fn bind(
        &mut self,
        context: &Arc<Context>,
        listeners: &mut [Listener],
        previous: &[Listener],
        limit: Duration,
    ) -> Bound {
        let mut bound = Bound::default();
        let mut wanted: Vec<SocketAddr> =
            listeners.iter().map(|listener| listener.address).collect();
        if self.wanted != wanted {
            self.wanted.clone_from(&wanted);
            self.blocked.clear();
        }
        for listener in listeners {
            let address = listener.address;
            let is_bound = bound.sockets.iter().any(|(bound, _)| *bound == address);
            if is_bound || self.open.contains_key(&address) {
                continue;
            }
            let current = previous.iter().find(|previous| previous.name == listener.name);
            let current = current.map(|previous| previous.address);
            let current = current.filter(|current| {
                self.open.contains_key(current)
                    && !wanted.contains(current)
                    && reaches_no_more(*current, address)
            });
            match self.take(context, address, &wanted, limit).await {
                Ok(socket) => bound.sockets.push((address, socket)),
                Err(source) => {
                    let stays = match current {
                        Some(current) => self.stay(current, &mut bound).await,
                        None => None,
                    };
                    if let (Some(current), Some(_)) = (current, stays) {
                        listener.address = current;
                        // No listener after it takes what it was promised.
                        wanted.push(current);
                    }
                    bound.failed.push(ListenError { address, source, stays });
                }
            }
        }
        bound
    }

    /// Serves the addresses of the world that is there now, and no others: what the others still
    /// carry ends in the background, within `limit`.
    pub(crate) async fn serve(
        &mut self,
        context: &Arc<Context>,
        addresses: &[SocketAddr],
        bound: Bound,
        limit: Duration,
    ) -> Vec<ListenError> {
        self.closing.retain(|door| !door.has_ended());
        let gone: Vec<SocketAddr> =
            self.open.keys().filter(|open| !addresses.contains(open)).copied().collect();
        for address in gone {
            self.close(context, address, limit).await;
        }
        let mut failed = bound.failed;
        for (address, socket) in bound.sockets {
            match Door::open(context, address, socket) {
                Ok(door) => {
                    info!(configured = %address, bound = %door.bound(), "Listening.");
                    self.open.insert(address, Arc::new(door));
                }
                Err(source) => failed.push(ListenError { address, source, stays: None }),
            }
        }
        failed
    }

    /// Each address that is open as configured, with the one that was bound.
    pub(crate) fn addresses(&self) -> Vec<(SocketAddr, SocketAddr)> {
        let open = self.open.iter();
        let mut addresses: Vec<_> = open.map(|(address, door)| (*address, door.bound())).collect();
        addresses.sort();
        addresses
    }

    /// All of them, those that are closing included.
    pub(crate) fn into_all(self) -> Vec<Arc<Door>> {
        self.open.into_values().chain(self.closing).collect()
    }

    /// Binds one address. Of our own that are not `wanted` any more, those that are in its way are
    /// closed first.
    async fn take(
        &mut self,
        context: &Arc<Context>,
        address: SocketAddr,
        wanted: &[SocketAddr],
        limit: Duration,
    ) -> io::Result<TcpListener> {
        let error = match bind(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => error,
            bound => return bound,
        };
        let in_its_way = self.overlapping(address, wanted);
        if in_its_way.is_empty() || self.blocked.contains(&address) {
            return Err(error);
        }
        for overlapping in in_its_way {
            self.close(context, overlapping, limit).await;
        }
        bind(address).inspect_err(|_| {
            self.blocked.insert(address);
        })
    }

    /// Goes on with the address `current`, which is bound again if it was closed to make room.
    async fn stay(&self, current: SocketAddr, bound: &mut Bound) -> Option<SocketAddr> {
        if let Some(door) = self.open.get(&current) {
            return Some(door.bound());
        }
        bound.sockets.push((current, bind(current).ok()?));
        Some(current)
    }

    /// What is open, is not `wanted` any more, and cannot be beside `address`.
    fn overlapping(&self, address: SocketAddr, wanted: &[SocketAddr]) -> Vec<SocketAddr> {
        let open = self.open.iter().filter(|(open, _)| !wanted.contains(open));
        let in_its_way = open.filter(|(_, door)| exclude(door.bound(), address));
        in_its_way.map(|(open, _)| *open).collect()
    }

    async fn close(&mut self, context: &Arc<Context>, address: SocketAddr, limit: Duration) {
        let Some(door) = self.open.remove(&address) else { return };
        door.close().await;
        info!(%address, "Stopped listening.");
        self.closing.push(door.clone());
        context.tasks.spawn("drain a listener", async move {
            if tokio::time::timeout(limit, door.drained()).await.is_err() {
                info!(%address, "`drain.limit` is over; ending what is left.");
                door.end().await;
            }
        });
    }
}

/// Whether nobody can reach `current` who could not reach `next`.
fn reaches_no_more(current: SocketAddr, next: SocketAddr) -> bool {
    current.ip() == next.ip() || current.ip().is_loopback() || holds(next, current)
}

/// Whether the two exclude each other, as `127.0.0.1:80` and `0.0.0.0:80` do.
fn exclude(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() == other.port() && (one.ip() == other.ip() || holds(one, other) || holds(other, one))
}

/// Whether `one` is every address, as far as `other` is concerned: `[::]` takes IPv4 along.
fn holds(one: SocketAddr, other: SocketAddr) -> bool {
    one.ip().is_unspecified() && (one.is_ipv6() || other.is_ipv4())
}

/// As `TcpListener::bind` does, with a queue for bursts.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // On Windows it would take an address that another process listens on.
    if cfg!(unix) {
        socket.set_reuseaddr(true)?;
    }
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
