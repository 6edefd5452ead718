//! What is remembered of a session while it is used: its calls in flight, its streams, its
//! upstream sessions, and when it was used last.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use mcp::Id;
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use crate::clock::LastUse;
use crate::metrics::Counted;
use crate::upstream::{Slot, Upstream};

/// The record of a session.
#[derive(Debug)]
pub struct Session {
    used: LastUse,
    streams: AtomicUsize,
    calls: Mutex<HashMap<Id, CancellationToken>>,
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
            slots: Mutex::default(),
            ended: CancellationToken::new(),
            _counted: counted,
        }
    }

    /// Resolves when the session has been deleted or has expired.
    pub fn ended(&self) -> CancellationToken {
        self.ended.clone()
    }

    /// The place of this session's connection to `upstream`; the same at every call.
    pub fn slot(&self, upstream: &Upstream, now: Instant) -> Arc<Slot> {
        let mut slots = self.slots.lock();
        let slot = slots.entry(upstream.serial()).or_insert_with(|| Arc::new(Slot::new(now)));
        slot.touch(now);
        slot.clone()
    }

    /// Registers a call until the guard is dropped, so that the client can cancel it by its id.
    pub fn call(self: &Arc<Self>, id: &Id) -> CallInFlight {
        let cancelled = self.ended.child_token();
        self.calls.lock().insert(id.clone(), cancelled.clone());
        CallInFlight { session: self.clone(), id: id.clone(), cancelled }
    }

    /// Cancels the one call with this id; an id of no call is ignored, as the specification asks.
    pub fn cancel(&self, id: &Id) {
        if let Some(cancelled) = self.calls.lock().get(id) {
            cancelled.cancel();
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
    id: Id,
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
        self.session.calls.lock().remove(&self.id);
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
