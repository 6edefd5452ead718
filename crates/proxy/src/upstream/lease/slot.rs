//! The place of one owner's connection to one upstream.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::{Notify, OnceCell};

use crate::clock::LastUse;
use crate::upstream::Upstream;
use crate::upstream::declaration::Declaration;
use crate::upstream::error::UpstreamError;
use crate::upstream::lease::Seat;
use crate::upstream::transport::Listener;

/// How long calls that are being cancelled may take to tell their target.
pub(in crate::upstream) const CALLS_END: Duration = Duration::from_secs(3);

/// The place of one owner's connection to one upstream. At most one is opened at a time.
#[derive(Debug)]
pub struct Slot {
    /// Whose it is, where it is one client's.
    client: Option<Client>,
    pub(super) cell: ArcSwap<OnceCell<Arc<Seat>>>,
    leases: AtomicUsize,
    /// Whether its client hears what is said on the connection that everybody shares.
    has_joined: AtomicBool,
    /// Whether its owner is gone; then nothing is opened here any more.
    is_closed: AtomicBool,
    /// Told whenever the last lease is given back.
    released: Notify,
    pub(super) used: LastUse,
}

/// A client's session, as a connection is opened for it.
#[derive(Clone)]
pub(crate) struct Client {
    /// What is said of it.
    pub(crate) declaration: Declaration,
    /// Who hears what belongs to no call.
    pub(crate) listener: Arc<dyn Listener>,
}

impl Slot {
    /// A place without a connection yet, which is nobody's own.
    pub(super) fn shared(now: Instant) -> Self {
        Self::new(None, now)
    }

    /// A client's place without a connection yet.
    pub(crate) fn of_client(client: Client, now: Instant) -> Self {
        Self::new(Some(client), now)
    }

    fn new(client: Option<Client>, now: Instant) -> Self {
        Self {
            client,
            cell: ArcSwap::default(),
            leases: AtomicUsize::new(0),
            has_joined: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            released: Notify::new(),
            used: LastUse::new(now),
        }
    }

    /// Whether no call uses it, and none has for `limit`.
    pub fn is_idle(&self, now: Instant, limit: Duration) -> bool {
        self.leases.load(Ordering::Acquire) == 0 && self.used.idle(now) >= limit
    }

    /// Used now: not to be reaped before the call that is about to come.
    pub fn touch(&self, now: Instant) {
        self.used.touch(now);
    }

    /// Ends the upstream session, if one was opened, once its calls have ended: they are being
    /// cancelled, and the target is to hear of that first. From here on none is opened.
    pub async fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        // A call that does not end in time loses its connection.
        let _ = tokio::time::timeout(CALLS_END, self.unused()).await;
        let cell = self.cell.swap(Arc::default());
        if let Some(seat) = cell.get() {
            seat.connection().give_up();
            seat.close().await;
        }
    }

    /// The client's listener, the first time that it is asked for.
    pub(super) fn join(&self) -> Option<&Arc<dyn Listener>> {
        let client = self.client.as_ref()?;
        // Read first: nearly always it has.
        let is_first = !self.has_joined.load(Ordering::Relaxed)
            && !self.has_joined.swap(true, Ordering::Relaxed);
        is_first.then_some(&client.listener)
    }

    async fn unused(&self) {
        loop {
            let released = self.released.notified();
            if self.leases.load(Ordering::SeqCst) == 0 {
                return;
            }
            released.await;
        }
    }

    /// Counts a lease. Whoever closes the place either waits for it or has it refused.
    pub(super) fn count(&self) {
        self.leases.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn release(&self) {
        if self.leases.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.released.notify_waiters();
        }
    }

    /// The open connection, or a new one. Safe to drop: whoever waits then opens it.
    pub(super) async fn open(&self, upstream: &Upstream) -> Result<Arc<Seat>, UpstreamError> {
        self.check()?;
        let cell = self.cell.load_full();
        let client = self.client.as_ref();
        let mut seat = cell.get_or_try_init(|| upstream.connect(client)).await?.clone();
        if !seat.connection.is_open() {
            let fresh = self.replace(&cell);
            seat = fresh.get_or_try_init(|| upstream.connect(client)).await?.clone();
        }
        // Who closed the place meanwhile may not have seen what was opened.
        self.check().inspect_err(|_| upstream.close(seat.clone()))?;
        Ok(seat)
    }

    /// The connection, if one is open.
    pub fn seat(&self) -> Option<Arc<Seat>> {
        let cell = self.cell.load();
        cell.get().filter(|seat| seat.connection.is_open()).cloned()
    }

    /// Whether it holds a process.
    pub fn is_process(&self) -> bool {
        self.seat().is_some_and(|seat| seat.connection.is_process())
    }

    fn check(&self) -> Result<(), UpstreamError> {
        match self.is_closed.load(Ordering::SeqCst) {
            true => Err(UpstreamError::Withdrawn("the client's session has ended")),
            false => Ok(()),
        }
    }

    /// Forgets `seat`, unless another has taken its place; says whether it was here. Of several
    /// who try, one takes it out.
    pub(super) fn forget(&self, seat: &Arc<Seat>) -> bool {
        let cell = self.cell.load_full();
        if !cell.get().is_some_and(|known| Arc::ptr_eq(known, seat)) {
            return false;
        }
        let previous = self.cell.compare_and_swap(&cell, Arc::default());
        Arc::ptr_eq(&previous, &cell)
    }

    fn replace(&self, stale: &Arc<OnceCell<Arc<Seat>>>) -> Arc<OnceCell<Arc<Seat>>> {
        let previous = self.cell.compare_and_swap(stale, Arc::default());
        drop(previous);
        self.cell.load_full()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Client").finish_non_exhaustive()
    }
}
