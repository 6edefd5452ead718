//! An open connection, and the list of all that are: wherever one is held, the end of its upstream
//! reaches it.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::upstream::error::UpstreamError;
use crate::upstream::transport::{Connection, SessionKind};

/// How long a session is said to be opening.
const OPENING: Duration = Duration::from_secs(1);

/// An open connection.
pub struct Seat {
    pub(super) connection: Connection,
    pub(super) audience: Audience,
    opened: Instant,
    number: u64,
    seats: Arc<Seats>,
}

/// Who may use a connection at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// Everybody: the server gave no session id, or the operator says that one process serves all.
    Everybody,
    /// One owner.
    Owner,
}

/// Every open connection of one upstream.
#[derive(Debug, Default)]
pub(in crate::upstream) struct Seats {
    /// Whether the upstream has been removed; then none is opened any more.
    is_over: AtomicBool,
    /// Locked when one is opened or gone, not by calls.
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    opened: u64,
    seats: HashMap<u64, Weak<Seat>>,
}

impl Seat {
    /// The connection.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Whether the target cannot tell its clients apart.
    pub fn is_stateless(&self) -> bool {
        self.connection.kind() == SessionKind::Stateless
    }

    /// Whether it was opened a moment ago. Some servers then tell everybody that their lists have
    /// changed.
    pub fn is_opening(&self) -> bool {
        self.opened.elapsed() < OPENING
    }

    /// Ends the upstream session politely.
    pub async fn close(&self) {
        self.connection.close().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.open.lock().seats.remove(&self.number);
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_open = self.connection.is_open();
        formatter.debug_struct("Seat").field("is_open", &is_open).finish_non_exhaustive()
    }
}

impl Seats {
    /// Takes a connection in. Whoever opened it then asks [`check`](Self::check), and closes it
    /// where that fails: what ends the upstream may have looked before.
    pub(super) fn seat(self: &Arc<Self>, connection: Connection, audience: Audience) -> Arc<Seat> {
        let mut open = self.open.lock();
        open.opened += 1;
        let number = open.opened;
        let seat = Arc::new(Seat {
            connection,
            audience,
            opened: Instant::now(),
            number,
            seats: self.clone(),
        });
        open.seats.insert(number, Arc::downgrade(&seat));
        seat
    }

    /// From now on nothing is opened.
    pub(in crate::upstream) fn end(&self) {
        self.is_over.store(true, Ordering::SeqCst);
    }

    /// Whether something may be opened.
    ///
    /// # Errors
    /// [`UpstreamError::Withdrawn`] once the upstream has been removed.
    pub(super) fn check(&self) -> Result<(), UpstreamError> {
        match self.is_over.load(Ordering::SeqCst) {
            true => Err(UpstreamError::REMOVED),
            false => Ok(()),
        }
    }

    /// A table that many connections made large becomes small again, to the double of what is in it.
    pub(in crate::upstream) fn give_back(&self) {
        let seats = &mut self.open.lock().seats;
        seats.shrink_to(2 * seats.len());
    }

    /// All that are open.
    pub(in crate::upstream) fn all(&self) -> Vec<Arc<Seat>> {
        // Upgraded under the lock, dropped outside of it: a seat locks when it goes.
        self.open.lock().seats.values().filter_map(Weak::upgrade).collect()
    }
}

#[cfg(test)]
mod tests;
