//! The connections of one upstream that wait for their next request, each with the moment from
//! which it must not be used again.

use std::net::SocketAddr;
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

    /// Takes the connection to `socket` (`None`: to anywhere) that was used last, made with these
    /// TLS settings; drops what is closed or too old on the way.
    pub(crate) fn take(
        &mut self,
        now: Instant,
        socket: Option<SocketAddr>,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Option<Live> {
        self.prune(now);
        let place = self.waiting.iter().rposition(|waiting| {
            socket.is_none_or(|socket| waiting.live.socket == socket) && same(&waiting.tls, tls)
        })?;
        Some(self.waiting.remove(place).live)
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

fn same(held: &Option<Arc<ClientConfig>>, asked: Option<&Arc<ClientConfig>>) -> bool {
    match (held, asked) {
        (None, None) => true,
        (Some(held), Some(asked)) => Arc::ptr_eq(held, asked),
        (None, Some(_)) | (Some(_), None) => false,
    }
}
