//! The calls of a session that are in flight: cancelled by their id, and spoken to while their
//! answer can be events.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use mcp::{Id, Message};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::reply::Part;

/// The calls of one session.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    running: Mutex<HashMap<u64, Running>>,
    begun: AtomicU64,
}

/// A call that is in flight.
#[derive(Debug)]
struct Running {
    id: Id,
    cancelled: CancellationToken,
    /// How its client has said that it does not wait any more.
    notice: Arc<OnceLock<Message>>,
    /// Its answer, where that can be events and has not begun.
    parts: Option<mpsc::WeakSender<Part>>,
}

/// A call that its client can cancel; forgotten when dropped.
#[derive(Debug)]
pub struct CallInFlight {
    calls: Arc<Calls>,
    number: u64,
    cancelled: CancellationToken,
    notice: Arc<OnceLock<Message>>,
}

impl Calls {
    /// A call begins, which `cancelled` ends. Where its answer can be events, `parts` are where
    /// they are put.
    pub(super) fn begin(
        self: &Arc<Self>,
        id: &Id,
        parts: Option<&mpsc::Sender<Part>>,
        cancelled: CancellationToken,
    ) -> CallInFlight {
        let number = self.begun.fetch_add(1, Ordering::Relaxed);
        let parts = parts.map(mpsc::Sender::downgrade);
        let notice = Arc::<OnceLock<Message>>::default();
        let (id, kept) = (id.clone(), notice.clone());
        let running = Running { id, cancelled: cancelled.clone(), notice: kept, parts };
        self.running.lock().insert(number, running);
        CallInFlight { calls: self.clone(), number, cancelled, notice }
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.running.lock().is_empty()
    }

    /// The answer to a call begins: it may be one document, in which no other message has a place.
    pub(crate) fn answer_begins(&self, parts: &mpsc::Sender<Part>) {
        for running in self.running.lock().values_mut() {
            if running.is_answered_by(parts) {
                running.parts = None;
            }
        }
    }

    /// Cancels the call that `notice` names; an id of no call is ignored, as the specification asks.
    pub(crate) fn cancel(&self, notice: &Message) {
        let Some(id) = &notice.routed().request_id else { return };
        for running in self.running.lock().values().filter(|running| running.id == *id) {
            let _ = running.notice.set(notice.clone());
            running.cancelled.cancel();
        }
    }

    /// Puts a message on the stream of the call that began last and can have events.
    ///
    /// # Errors
    /// There is none; the message comes back.
    pub(super) fn say(&self, message: Bytes) -> Result<(), Bytes> {
        // Locked until it is there: an answer that begins meanwhile begins after it.
        let running = self.running.lock();
        let mut streams: Vec<_> = running
            .iter()
            .filter_map(|(number, running)| Some((*number, running.parts.as_ref()?.upgrade()?)))
            .collect();
        streams.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
        for (_, parts) in streams {
            if let Ok(place) = parts.try_reserve() {
                place.send(Part::Message(message));
                return Ok(());
            }
        }
        Err(message)
    }

    /// Puts a message on the stream of this call, if it can have events still; says whether.
    pub(super) fn say_on(&self, call: &mpsc::WeakSender<Part>, message: Bytes) -> bool {
        let Some(parts) = call.upgrade() else { return false };
        let running = self.running.lock();
        running.values().any(|running| running.is_answered_by(&parts))
            && parts.try_send(Part::Message(message)).is_ok()
    }
}

impl Running {
    /// Whether these are its parts, and messages may be among them.
    fn is_answered_by(&self, parts: &mpsc::Sender<Part>) -> bool {
        let own = self.parts.as_ref().and_then(mpsc::WeakSender::upgrade);
        own.is_some_and(|own| own.same_channel(parts))
    }
}

impl CallInFlight {
    /// Resolves when the client has cancelled the call.
    pub fn cancelled(&self) -> CancellationToken {
        self.cancelled.clone()
    }

    /// Whether the client itself has cancelled it, rather than its session have ended.
    pub fn is_withdrawn(&self) -> bool {
        self.notice.get().is_some()
    }

    /// What the target is told of a call that nobody waits for: what its client has said, to the
    /// request that the target knows as `id`; else `reason`.
    pub fn withdrawal(&self, id: &Id, reason: &str) -> Bytes {
        match self.notice.get() {
            Some(notice) => notice.rewrite().request_id(id).bytes(),
            None => mcp::cancelled(id, reason),
        }
    }
}

impl Drop for CallInFlight {
    fn drop(&mut self) {
        self.calls.running.lock().remove(&self.number);
    }
}
