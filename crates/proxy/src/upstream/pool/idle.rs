//! The connections of one upstream that wait for their next request, each with the moment from
//! which it must not be used again.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Instant;

use rustls::ClientConfig;

use crate::upstream::connect::Live;

/// How many connections of one target are kept; with more, the one that waited longest goes.
pub(crate) const OF_TARGET: usize = 32;
/// How many of an ordinary HTTP server.
pub(crate) const OF_SERVICE: usize = 256;

/// Waiting connections, the least recently used first.
pub(crate) struct Idle {
    waiting: Vec<Waiting>,
    most: usize,
    /// Whether a task watches over their expiry.
    pub(crate) watched: bool,
}

/// Where a connection is to lead.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Where<'a> {
    /// To any of its peer's sockets.
    Anywhere,
    /// To one of its peer's sockets that has one of these addresses: others were its peer's once.
    Among(&'a [IpAddr]),
    /// To this one.
    Socket(SocketAddr),
}

pub(crate) struct Waiting {
    pub(crate) live: Live,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    /// From here on it is not used again.
    pub(crate) until: Instant,
}

impl Idle {
    /// None yet, and never more than `most`.
    pub(crate) fn new(most: usize) -> Self {
        Self { waiting: Vec::new(), most, watched: false }
    }

    /// Takes the connection to `place` that was used last, made with these TLS settings; drops what is
    /// closed or too old on the way.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        place: Where<'_>,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Option<Live> {
        self.prune(now);
        let found = self
            .waiting
            .iter()
            .rposition(|waiting| place.includes(waiting.live.socket) && same(&waiting.tls, tls))?;
        Some(self.waiting.remove(found).live)
    }

    pub(crate) fn put(&mut self, waiting: Waiting) {
        if self.waiting.len() >= self.most {
            self.waiting.remove(0);
        }
        self.waiting.push(waiting);
    }

    /// Closes what is too old, and forgets what the peer closed.
    pub(crate) fn prune(&mut self, now: Instant) {
        self.waiting.retain(|waiting| waiting.until > now && !waiting.live.sender.is_closed());
    }

    /// When the next one becomes too old.
    pub(crate) fn next_expiry(&self) -> Option<Instant> {
        self.waiting.iter().map(|waiting| waiting.until).min()
    }

    /// How many wait.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

impl Where<'_> {
    fn includes(self, socket: SocketAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Among(addresses) => addresses.contains(&socket.ip()),
            Self::Socket(wanted) => socket == wanted,
        }
    }
}

fn same(held: &Option<Arc<ClientConfig>>, asked: Option<&Arc<ClientConfig>>) -> bool {
    match (held, asked) {
        (None, None) => true,
        (Some(held), Some(asked)) => Arc::ptr_eq(held, asked),
        (None, Some(_)) | (Some(_), None) => false,
    }
}
