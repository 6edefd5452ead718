//! Sockets that did not take a connection a moment ago. They are tried after the others, so that one
//! address of several that is down does not keep every request waiting for it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// For how long a socket is passed over.
const TIME: Duration = Duration::from_secs(10);
/// How many are remembered; with more, the oldest goes.
const MOST: usize = 64;

/// Which sockets are passed over, with the moment in which that ends; the oldest first.
#[derive(Default)]
pub(crate) struct Detours(Mutex<Vec<(SocketAddr, Instant)>>);

impl Detours {
    /// Moves those to the end that are passed over; all others stay in their order.
    pub(crate) fn order(&self, now: Instant, sockets: &mut [SocketAddr]) {
        let mut passed = self.0.lock();
        passed.retain(|(_, until)| *until > now);
        if !passed.is_empty() {
            sockets.sort_by_key(|socket| passed.iter().any(|(known, _)| known == socket));
        }
    }

    /// It took no connection.
    pub(crate) fn failed(&self, now: Instant, socket: SocketAddr) {
        let mut passed = self.0.lock();
        passed.retain(|(known, _)| *known != socket);
        if passed.len() >= MOST {
            passed.remove(0);
        }
        passed.push((socket, now + TIME));
    }

    /// It took one.
    pub(crate) fn worked(&self, socket: SocketAddr) {
        self.0.lock().retain(|(known, _)| *known != socket);
    }
}

#[cfg(test)]
mod tests;
