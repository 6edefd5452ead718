//! What is remembered of a session while it is used: its calls in flight, its streams, its
//! upstream sessions, and when it was used last.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mcp::Id;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::clock::LastUse;
use crate::metrics::Counted;
use crate::upstream::Slot;

/// The record of a session.
#[derive(Debug)]
pub struct Session {
    used: LastUse,
    streams: AtomicUsize,
    /// By a number of ours: a client may use one id twice at a time, though it must not.
    calls: Mutex<HashMap<u64, (Id, CancellationToken)>>,
    next_call: AtomicU64,
    slots: Mutex<HashMap<u64, Arc<Slot>>>,
    ended: CancellationToken,
    _counted: Counted,
}

impl Session {
    pub(super) fn new(now: Instant, counted: Counted) -> Self {
        Self {
            used: LastUse::new(now),
            streams: AtomicUsize::new(0),
            calls: Mutex::default(),
            next_call: AtomicU64::new(0),
            slots: Mutex::default(),
            ended: CancellationToken::new(),
            _counted: counted,
        }
    }

    /// Resolves when the session has been deleted or has expired.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// The place of this session's connection to the upstream with this serial; the same at every
    /// call. `None` once the session has ended: nobody would close what is opened there.
    pub fn slot(&self, upstream: u64, now: Instant) -> Option<Arc<Slot>> {
        let mut slots = self.slots.lock();
        // Looked at under the lock under which `end` takes the slots, so that it takes this one.
        if self.ended.is_cancelled() {
            return None;
        }
        let slot = slots.entry(upstream).or_insert_with(|| Arc::new(Slot::new(now)));
        slot.touch(now);
        Some(slot.clone())
    }

    /// Registers a call until the guard is dropped, so that the client can cancel it by its id.
    pub fn call(self: &Arc<Self>, id: &Id) -> CallInFlight {
        let cancelled = self.ended.child_token();
        let number = self.next_call.fetch_add(1, Ordering::Relaxed);
        self.calls.lock().insert(number, (id.clone(), cancelled.clone()));
        CallInFlight { session: self.clone(), number, cancelled }
    }

    /// Cancels the call with this id, or all that a client gave it; an id of no call is ignored, as
    /// the specification asks.
    pub fn cancel(&self, id: &Id) {
        for (known, cancelled) in self.calls.lock().values() {
            if known == id {
                cancelled.cancel();
            }
        }
    }

    /// Takes one of the `limit` streams that a session may have open.
    pub fn stream(self: &Arc<Self>, limit: usize) -> Option<StreamSeat> {
        let taken = self.streams.fetch_update(Ordering::AcqRel, Ordering::Acquire, |open| {
            (open < limit).then_some(open + 1)
        });
        taken.ok().map(|_| StreamSeat(self.clone()))
    }

    pub(super) fn touch(&self, now: Instant) {
        self.used.touch(now);
    }

    /// Whether nothing has used the session for `limit`, and nothing does now.
    pub(super) fn is_idle(&self, now: Instant, limit: Duration) -> bool {
        self.streams.load(Ordering::Acquire) == 0
            && self.calls.lock().is_empty()
            && self.used.idle(now) >= limit
    }

    /// The place at an upstream that is gone.
    pub(super) fn part_with(&self, upstream: u64) -> Option<Arc<Slot>> {
        self.slots.lock().remove(&upstream)
    }

    /// Connections that have been idle for `limit` by `now` lose their place.
    pub(super) fn idle_slots(&self, now: Instant, limit: Duration) -> Vec<Arc<Slot>> {
        let mut idle = Vec::new();
        self.slots.lock().retain(|_, slot| {
            let keep = !slot.is_idle(now, limit);
            if !keep {
                idle.push(slot.clone());
            }
            keep
        });
        idle
    }

    /// Ends the session: calls and streams are told, and the connections handed over for closing.
    pub(super) fn end(&self) -> Vec<Arc<Slot>> {
        self.ended.cancel();
        self.slots.lock().drain().map(|(_, slot)| slot).collect()
    }
}

/// A call that its client can cancel; forgotten when dropped.
#[derive(Debug)]
pub struct CallInFlight {
    session: Arc<Session>,
    number: u64,
    cancelled: CancellationToken,
}

impl CallInFlight {
    /// Resolves when the client has cancelled the call.
    pub fn cancelled(&self) -> CancellationToken {
        self.cancelled.clone()
    }
}

impl Drop for CallInFlight {
    fn drop(&mut self) {
        self.session.calls.lock().remove(&self.number);
    }
}

/// One open stream of a session.
#[derive(Debug)]
pub struct StreamSeat(Arc<Session>);

impl Drop for StreamSeat {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::AcqRel);
    }
}
