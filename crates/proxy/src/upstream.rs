//! The live side of a target: its connections, its catalog and how it stands. Kept across
//! reloads by its `TargetKey`; what may change meanwhile is swapped inside.

mod address;
mod ask;
mod backoff;
mod connect;
mod era;
mod error;
mod lease;
mod pool;
mod processes;
mod refresh;
mod requests;
mod transport;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use config::{Limits, TargetAddress, TargetKey};
use futures_util::future::join_all;
use mcp::ListKind;
use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::Instant;

use crate::catalog::{Catalog, Standing};
use crate::clock::Clock;
use crate::metrics::{Metrics, TargetMetrics};
use crate::tasks::Tasks;
use crate::upstream::pool::HttpPool;
use crate::upstream::processes::Processes;

pub(crate) use error::UpstreamError;
pub use lease::{Lease, Owner, Seat, Slot};
pub(crate) use requests::cancelled;
#[cfg(test)]
pub(crate) use transport::fixtures;
pub(crate) use transport::{Answer, AnswerBody, Inbound, MessageStream, Outgoing, Settings};

use lease::Leases;

/// How many unsolicited messages of one upstream may wait to be looked at.
const INBOUND_QUEUE: usize = 64;

/// What all upstreams of a gateway share.
#[derive(Clone)]
pub struct Surroundings {
    /// The gateway's one clock.
    pub clock: Clock,
    /// Where every task is spawned.
    pub tasks: Tasks,
    /// Where everything is counted.
    pub metrics: Arc<Metrics>,
    /// The bounds.
    pub limits: Arc<Limits>,
}

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
}

/// The live side of one target.
pub struct Upstream {
    serial: u64,
    key: TargetKey,
    settings: Arc<ArcSwap<Settings>>,
    http: HttpPool,
    processes: Processes,
    limits: Arc<Limits>,
    clock: Clock,
    tasks: Tasks,
    /// The catalog's task alone, which is the first to end.
    catalog_tasks: Tasks,
    metrics: Arc<TargetMetrics>,
    born: Instant,
    state: watch::Sender<State>,
    refresh: Notify,
    hints: mpsc::Sender<Inbound>,
    leases: Leases,
    catalog_seat: Mutex<Option<Arc<Seat>>>,
}

impl Upstream {
    /// Starts to fill the target's catalog; `start` itself waits for nothing.
    pub fn start(
        surroundings: &Surroundings,
        settings: Settings,
        metrics: Arc<TargetMetrics>,
    ) -> Arc<Self> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);

        let tasks = surroundings.tasks.child();
        let key = settings.target.key.clone();
        let processes = Processes::new(settings.target.settings.max_processes, metrics.clone());
        let (hints, hinted) = mpsc::channel(INBOUND_QUEUE);
        let standing = Standing::Missing {
            since: surroundings.clock.unix(),
            reason: "has not answered yet".to_owned(),
        };
        let state = State {
            catalog: None,
            standing,
            fresh_since: surroundings.clock.unix(),
            is_settled: false,
            last_error: None,
        };

        let upstream = Arc::new(Self {
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            key,
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            http: HttpPool::new(surroundings.tasks.clone(), surroundings.clock.clone()),
            limits: surroundings.limits.clone(),
            clock: surroundings.clock.clone(),
            processes,
            metrics,
            born: Instant::now(),
            state: watch::Sender::new(state),
            refresh: Notify::new(),
            hints,
            leases: Leases::new(surroundings.clock.now()),
            catalog_seat: Mutex::default(),
            catalog_tasks: tasks.child(),
            tasks,
        });
        upstream.catalog_tasks.spawn("catalog", refresh::keep_fresh(upstream.clone(), hinted));
        upstream
    }

    /// Tells upstreams of one process apart.
    pub fn serial(&self) -> u64 {
        self.serial
    }

    /// What makes it this upstream and no other.
    pub fn key(&self) -> &TargetKey {
        &self.key
    }

    /// The target as it is configured now.
    pub fn target(&self) -> Arc<config::Target> {
        self.settings.load().target.clone()
    }

    /// Swaps the settings: from now on requests carry the new headers, deadlines and endpoints.
    /// Sessions stay. The catalog is read again, because credentials may show other tools.
    pub fn reconfigure(&self, settings: Settings) {
        if **self.settings.load() == settings {
            return;
        }
        self.settings.store(Arc::new(settings));
        self.refresh.notify_one();
    }

    /// What is known, and every change of it.
    pub fn state(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Waits until the first attempt to fill the catalog has ended, but not longer than the list
    /// deadline after the upstream was started: whoever comes later waits for nothing.
    pub async fn settled(&self) {
        let deadline = self.born + self.limits.list.get();
        let mut state = self.state.subscribe();
        let settled = state.wait_for(|state| state.is_settled);
        // Past the deadline and on a closed channel alike, what is known is what there is.
        let _ = tokio::time::timeout_at(deadline, settled).await;
    }

    /// A connection for one call of `owner`, opened if there is none.
    pub async fn lease(self: &Arc<Self>, owner: &Owner) -> Result<Lease, UpstreamError> {
        lease::lease(self, owner).await
    }

    /// Learns from how a call went: one that failed on the way makes the catalog look again, one
    /// that worked ends a back-off.
    pub fn learn(&self, outcome: Result<(), &UpstreamError>) {
        let is_fresh = matches!(self.state.borrow().standing, Standing::Fresh);
        match outcome {
            Ok(()) if !is_fresh => self.refresh.notify_one(),
            Ok(()) => {}
            Err(error) => {
                self.metrics.error(error.class());
                if is_fresh && error.is_about_the_connection() {
                    self.refresh.notify_one();
                }
            }
        }
    }

    /// The bounds, as they were at start.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Connections that nobody has used for `limit` are closed.
    pub fn reap(&self, now: std::time::Instant, limit: Duration) -> Vec<Arc<Seat>> {
        self.leases.idle_since(now, limit)
    }

    /// The target was removed: nothing is opened there any more. What is open ends with
    /// [`retire`](Self::retire).
    pub fn withdraw(&self) {
        self.leases.seats.end();
    }

    /// Ends the upstream: its sessions are deleted at the target, its processes ended.
    pub async fn retire(&self) {
        self.withdraw();
        self.catalog_tasks.cancel();
        join_all(self.leases.seats.all().iter().map(|seat| seat.close())).await;
        self.tasks.cancel();
    }

    /// Gives up the catalog's session: it failed, and the next attempt opens one of its own.
    fn part_with_catalog_seat(&self) {
        let seat = self.catalog_seat.lock().take();
        if let Some(seat) = seat {
            self.leases.forget(&seat);
            self.close(seat);
        }
    }

    fn succeeded(&self, catalog: Catalog) {
        self.metrics.refreshes.inc();
        self.metrics.up.set(1);
        for kind in ListKind::ALL {
            self.metrics.set_entries(kind, catalog.items(kind).len());
        }
        let (catalog, now) = (Arc::new(catalog), self.clock.unix());
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
        });
    }

    fn failed(&self, error: &UpstreamError) {
        self.metrics.error(error.class());
        self.metrics.refresh_failures.inc();
        self.metrics.up.set(0);
        let now = self.clock.unix();
        self.state.send_modify(|state| {
            let since = failing_since(&state.standing, state.is_settled).unwrap_or(now);
            let reason = error.to_string();
            state.standing = match state.catalog {
                Some(_) => Standing::Stale { since, reason },
                None => Standing::Missing { since, reason },
            };
            state.is_settled = true;
            state.last_error = Some(error.class());
        });
    }

    fn is_process(&self) -> bool {
        matches!(self.target().address, TargetAddress::Process(_))
    }
}

fn failing_since(standing: &Standing, is_settled: bool) -> Option<SystemTime> {
    match standing {
        Standing::Stale { since, .. } => Some(*since),
        Standing::Missing { since, .. } if is_settled => Some(*since),
        Standing::Missing { .. } | Standing::Fresh => None,
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Upstream").field("key", &self.key).finish_non_exhaustive()
    }
}
