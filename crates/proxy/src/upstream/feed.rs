//! One catalog of a target, kept for the clients that can do the same: servers offer other tools to
//! clients that can be asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use crate::catalog::{Catalog, Standing};
use crate::tasks::Tasks;
use crate::upstream::declaration::Declaration;
use crate::upstream::lease::Seat;

/// The handles of a feed that are its own: its place at the upstream, and its task's.
const OWN_HANDLES: usize = 2;

/// What is known of a target at this moment.
#[derive(Debug, Clone)]
pub struct State {
    /// What it offers: the last known good, until the target is removed.
    pub catalog: Option<Arc<Catalog>>,
    /// Whether that is fresh, and if not, why.
    pub standing: Standing,
    /// Since when it is fresh, where it is.
    pub fresh_since: SystemTime,
    /// Whether the first attempt to fill the catalog has ended, well or not.
    pub is_settled: bool,
    /// The class of the last error, for status and metrics.
    pub last_error: Option<&'static str>,
    /// How many readings have ended, well or not.
    readings: u64,
}

/// A catalog and how it stands. Its task is in `refresh`.
#[derive(Debug)]
pub struct Feed {
    declaration: Declaration,
    born: Instant,
    /// How long whoever comes first waits.
    patience: Duration,
    state: watch::Sender<State>,
    refresh: Notify,
    /// How many readings have begun.
    begun: AtomicU64,
    seat: Mutex<Option<Arc<Seat>>>,
    /// Its task alone.
    pub(super) tasks: Tasks,
}

impl Feed {
    pub(super) fn new(
        declaration: Declaration,
        patience: Duration,
        now: SystemTime,
        tasks: Tasks,
    ) -> Arc<Self> {
        let standing = Standing::Missing { since: now, reason: "has not answered yet".to_owned() };
        let state = State {
            catalog: None,
            standing,
            fresh_since: now,
            is_settled: false,
            last_error: None,
            readings: 0,
        };
        Arc::new(Self {
            declaration,
            born: Instant::now(),
            patience,
            state: watch::Sender::new(state),
            refresh: Notify::new(),
            begun: AtomicU64::new(0),
            seat: Mutex::default(),
            tasks,
        })
    }

    /// What its own session declares.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// What is known, and every change of it.
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Waits until the first attempt to fill the catalog has ended, but not longer than the list
    /// deadline after the feed was started: whoever comes later waits for nothing.
    pub async fn settled(&self) {
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| state.is_settled);
        // Past the deadline and on a closed channel alike, what is known is what there is.
        let _ = tokio::time::timeout_at(self.born + self.patience, settled).await;
    }

    /// Has the lists read again.
    pub fn look_again(&self) {
        self.refresh.notify_one();
    }

    /// Has the lists read again, and waits until a reading that began after now has ended.
    pub async fn reread(&self) {
        let begun = self.begun.load(Ordering::Acquire);
        self.refresh.notify_one();
        let mut state = self.state.subscribe();
        // On a closed channel nothing is read any more.
        let _ = state.wait_for(|state| state.readings > begun).await;
    }

    /// How many readings have ended.
    pub fn readings(&self) -> u64 {
        self.state.borrow().readings
    }

    /// Whether anybody but its upstream and its task has it.
    pub(super) fn is_wanted(feed: &Arc<Self>) -> bool {
        Arc::strong_count(feed) > OWN_HANDLES
    }

    pub(super) fn is_fresh(&self) -> bool {
        matches!(self.state.borrow().standing, Standing::Fresh)
    }

    /// Told when somebody wants the lists read again.
    pub(super) async fn asked(&self) {
        self.refresh.notified().await;
    }

    pub(super) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn seat(&self) -> Option<Arc<Seat>> {
        self.seat.lock().clone()
    }

    pub(super) fn take_seat(&self) -> Option<Arc<Seat>> {
        self.seat.lock().take()
    }

    pub(super) fn set_seat(&self, seat: Arc<Seat>) {
        *self.seat.lock() = Some(seat);
    }

    /// What is known.
    pub(crate) fn catalog(&self) -> Option<Arc<Catalog>> {
        self.state.borrow().catalog.clone()
    }

    pub(super) fn succeeded(&self, catalog: Catalog, now: SystemTime) {
        let catalog = Arc::new(catalog);
        self.state.send_modify(|state| {
            // The same lists keep their `Arc`, so that a menu is not rendered again.
            let is_same = state.catalog.as_ref().is_some_and(|known| known.is_same(&catalog));
            if !is_same {
                state.catalog = Some(catalog);
            }
            if state.standing != Standing::Fresh {
                state.standing = Standing::Fresh;
                state.fresh_since = now;
            }
            state.is_settled = true;
            state.readings = self.begun.load(Ordering::Acquire);
        });
    }

    pub(super) fn failed(&self, class: &'static str, reason: String, now: SystemTime) {
        self.state.send_modify(|state| {
            let since = failing_since(&state.standing, state.is_settled).unwrap_or(now);
            state.standing = match state.catalog {
                Some(_) => Standing::Stale { since, reason },
                None => Standing::Missing { since, reason },
            };
            state.is_settled = true;
            state.last_error = Some(class);
            state.readings = self.begun.load(Ordering::Acquire);
        });
    }
}

fn failing_since(standing: &Standing, is_settled: bool) -> Option<SystemTime> {
    match standing {
        Standing::Stale { since, .. } => Some(*since),
        Standing::Missing { since, .. } if is_settled => Some(*since),
        Standing::Missing { .. } | Standing::Fresh => None,
    }
}
