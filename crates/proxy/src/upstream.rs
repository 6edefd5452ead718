//! The live side of a target: its connections, its catalog and how it stands. Kept across
//! reloads by its `TargetKey`; what may change meanwhile is swapped inside.

mod address;
mod ask;
mod backoff;
mod catalogs;
mod connect;
mod declaration;
mod era;
mod error;
mod feed;
mod lease;
mod looks;
mod names;
mod overlay_places;
mod pool;
mod processes;
mod refresh;
mod requests;
mod server;
mod transport;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use config::{Limits, TargetAddress, TargetKey};
use futures_util::future::join_all;
use mcp::{Level, ListKind, Message, TaskPage};
use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::catalog::{Catalog, Listed};
use crate::clock::Clock;
use crate::metrics::{Limit, Metrics, TargetMetrics};
use crate::random;
use crate::tasks::Tasks;
use crate::upstream::ask::ask;
use crate::upstream::catalogs::running_catalogs;
use crate::upstream::looks::Looks;
use crate::upstream::overlay_places::OverlayPlaces;
use crate::upstream::pool::HttpPool;
use crate::upstream::processes::Processes;
use crate::upstream::refresh::Drained;

pub(crate) use connect::body::RequestBody;
pub use declaration::Declaration;
pub(crate) use error::UpstreamError;
pub use feed::Feed;
pub(crate) use lease::Client;
pub use lease::{Lease, Owner, Seat, Slot};
pub use names::Names;
pub(crate) use overlay_places::OverlayPlace;
pub(crate) use pool::HttpAnswer;
pub(crate) use pool::body::HttpBody;
pub(crate) use server::Server;
#[cfg(test)]
pub(crate) use transport::fixtures;
pub(crate) use transport::{
    Answer, AnswerBody, Arrival, ClientSettings, Inbound, Listener, MessageStream, Outgoing,
    Replies, Settings,
};

use lease::{CALLS_END, Leases};

/// How many unsolicited messages of one upstream may wait to be looked at.
const INBOUND_QUEUE: usize = 64;
/// What a catalog's own connection is for.
const CATALOG: &str = "catalog";

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
    /// The addresses behind names.
    pub names: Names,
}

/// The live side of one target.
pub struct Upstream {
    serial: u64,
    key: TargetKey,
    settings: Arc<ArcSwap<Settings>>,
    http: HttpPool,
    processes: Processes,
    /// Those of catalogs, which take no place from clients.
    catalog_processes: Processes,
    limits: Arc<Limits>,
    clock: Clock,
    tasks: Tasks,
    metrics: Arc<TargetMetrics>,
    gateway_metrics: Arc<Metrics>,
    /// The calls that are on their way.
    calls: TaskTracker,
    /// Cancelled when the target is removed.
    removed: CancellationToken,
    /// One look at a time at what sessions list that were opened a moment ago.
    looks: Looks,
    leases: Leases,
    overlays: OverlayPlaces,
    /// Whether the target was found to speak HTTP+SSE, where nobody says what it speaks.
    speaks_sse: Arc<AtomicBool>,
    /// The catalog for clients that can do nothing.
    base: Arc<Feed>,
    /// The catalogs for the others; only [`feed`](Self::feed) and the sweep write here.
    others: Mutex<Vec<Arc<Feed>>>,
}

impl Upstream {
    /// Starts to fill the target's catalog; `start` itself waits for nothing.
    pub fn start(
        surroundings: &Surroundings,
        settings: Settings,
        metrics: Arc<TargetMetrics>,
    ) -> Arc<Self> {
        static SERIAL: AtomicU64 = AtomicU64::new(0);

        let all = surroundings.clone();
        let tasks = all.tasks.child();
        let most = settings.target.settings.max_processes;
        let processes = Processes::new("clients", most, metrics.clone());
        let catalog_processes =
            Processes::new("its lists", running_catalogs(most), metrics.clone());
        let (list, now) = (all.limits.list.get(), all.clock.unix());
        let base = Feed::new(Declaration::default(), list, now, tasks.child());

        let upstream = Arc::new(Self {
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            key: settings.target.key.clone(),
            settings: Arc::new(ArcSwap::from_pointee(settings)),
            http: HttpPool::new(all.tasks, all.clock.clone(), all.names),
            processes,
            catalog_processes,
            overlays: OverlayPlaces::new(all.limits.overlays_per_target),
            speaks_sse: Arc::default(),
            metrics,
            gateway_metrics: all.metrics,
            calls: TaskTracker::new(),
            removed: CancellationToken::new(),
            looks: Looks::default(),
            leases: Leases::new(all.clock.now()),
            limits: all.limits,
            clock: all.clock,
            base,
            others: Mutex::default(),
            tasks,
        });
        upstream.follow(&upstream.base);
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

    /// Swaps the settings: from now on requests carry the new headers, deadlines and endpoints, and
    /// as many processes may run as they say.
    /// Sessions stay. The catalog is read again, because credentials may show other tools.
    pub fn reconfigure(&self, settings: Settings) {
        if **self.settings.load() == settings {
            return;
        }
        let most = settings.target.settings.max_processes;
        self.processes.resize(most);
        self.catalog_processes.resize(running_catalogs(most));
        self.settings.store(Arc::new(settings));
        self.base.look_again();
        for feed in self.others.lock().iter() {
            feed.look_again();
        }
    }

    /// The catalog for clients that can do nothing.
    pub fn base(&self) -> &Arc<Feed> {
        &self.base
    }

    fn follow(self: &Arc<Self>, feed: &Arc<Feed>) {
        feed.tasks.spawn("catalog", refresh::keep_fresh(self.clone(), feed.clone()));
    }

    /// A connection for one call of `owner`, opened if there is none.
    pub async fn lease(self: &Arc<Self>, owner: &Owner) -> Result<Lease, UpstreamError> {
        lease::lease(self, owner).await
    }

    /// Tells a session what log lines its client wants.
    ///
    /// # Errors
    /// The target did not answer within the deadline of a list.
    pub(crate) async fn set_level(&self, seat: &Seat, level: Level) -> Result<(), UpstreamError> {
        let nonce = random::nonce();
        let body = requests::set_level(nonce, level);
        let deadline = self.target().settings.timeouts.list;
        ask(seat.connection(), nonce, body, self.limits.rewritten_answer, deadline).await.map(drop)
    }

    /// The tasks that the target keeps for a session: the answers to `tasks/list`, page by page,
    /// within `limits.pagesPerDrain` and the deadline of a list.
    ///
    /// # Errors
    /// The target did not answer with a list of tasks.
    pub(crate) async fn tasks(&self, seat: &Seat) -> Result<Vec<Message>, UpstreamError> {
        let connection = seat.connection();
        let deadline = self.target().settings.timeouts.list;
        let drained = async {
            let (mut pages, mut cursor) = (Vec::new(), None::<String>);
            for _ in 0..self.limits.pages_per_drain {
                let nonce = random::nonce();
                let body = requests::list(nonce, "tasks/list", cursor.as_deref());
                let limit = self.limits.rewritten_answer;
                let answer = ask(connection, nonce, body, limit, deadline).await?;
                let page = TaskPage::parse(&answer).map_err(|error| connection.invalid(error))?;
                pages.push(answer);
                // A cursor that comes back would never end.
                if page.next_cursor.is_none() || page.next_cursor == cursor {
                    break;
                }
                cursor = page.next_cursor;
            }
            Ok(pages)
        };
        let drained = tokio::time::timeout(deadline, drained).await;
        drained.unwrap_or_else(|_| Err(connection.timed_out(deadline)))
    }

    /// All pages of one list as one session is given it, within the bounds of a catalog; `None`
    /// where it is refused.
    ///
    /// # Errors
    /// The target did not answer with a list.
    pub(crate) async fn list(
        &self,
        seat: &Seat,
        kind: ListKind,
    ) -> Result<Option<Listed>, UpstreamError> {
        match refresh::drain(self, seat.connection(), kind).await? {
            Drained::List(listed) => Ok(Some(listed)),
            Drained::Refused(_) => Ok(None),
        }
    }

    /// Waits for a turn to look at what a session lists that was opened a moment ago. Says whether
    /// it came in time.
    pub(crate) async fn turn_to_look(&self) -> bool {
        self.looks.turn(&self.tasks).await
    }

    /// A place for a session that has lists of its own here; `None` when all are taken.
    pub(crate) fn overlay_place(&self) -> Option<OverlayPlace> {
        let place = self.overlays.take();
        if place.is_none() {
            self.rejected(Limit::Overlays);
        }
        place
    }

    /// Learns from how a call went: one that failed on the way makes the catalog look again, one
    /// that worked ends a back-off.
    pub fn learn(&self, outcome: Result<(), &UpstreamError>) {
        let is_fresh = self.base.is_fresh();
        match outcome {
            Ok(()) if !is_fresh => self.base.look_again(),
            Ok(()) => {}
            Err(error) => {
                self.count(error);
                if is_fresh && error.is_about_the_connection() {
                    self.base.look_again();
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
        self.leases.seats.give_back();
        self.leases.idle_since(now, limit)
    }

    /// A call begins, until the guard is dropped: what it tells the target of its end arrives before
    /// its connection is closed.
    pub(crate) fn begin_call(&self) -> TaskTrackerToken {
        self.calls.token()
    }

    /// Cancelled when the target has been removed: its calls are given up.
    pub(crate) fn removed(&self) -> &CancellationToken {
        &self.removed
    }

    /// The target was removed: nothing is opened there any more, and its calls end. What is open
    /// ends with [`retire`](Self::retire).
    pub fn withdraw(&self) {
        self.leases.seats.end();
        self.removed.cancel();
    }

    /// Ends the upstream: its sessions are deleted at the target, its processes ended.
    pub async fn retire(&self) {
        self.withdraw();
        for feed in self.others.lock().drain(..).chain([self.base.clone()]) {
            feed.tasks.cancel();
        }
        self.calls.close();
        // A call that does not end in time loses its connection.
        let _ = tokio::time::timeout(CALLS_END, self.calls.wait()).await;
        let seats = self.leases.seats.all();
        let shared = self.leases.shared_seat();
        let others = seats
            .iter()
            .filter(|seat| !shared.as_ref().is_some_and(|shared| Arc::ptr_eq(shared, seat)));
        // What is shared ends once its calls have told the target that they are cancelled.
        let closing = join_all(others.map(|seat| seat.close()));
        futures_util::future::join(self.leases.close_shared(), closing).await;
        self.tasks.cancel();
    }

    /// Gives up the catalog's session: it failed, and the next attempt opens one of its own.
    fn part_with_catalog_seat(&self, feed: &Feed) {
        if let Some(seat) = feed.take_seat() {
            self.leases.forget(&seat);
            self.close(seat);
        }
    }

    fn succeeded(&self, feed: &Feed, catalog: Catalog) {
        self.metrics.refreshes.inc();
        // The numbers are of what everybody sees.
        if self.is_base(feed) {
            self.metrics.up.set(1);
            for kind in ListKind::ALL {
                self.metrics.set_entries(kind, catalog.items(kind).len());
            }
        }
        feed.succeeded(catalog, self.clock.unix());
    }

    fn failed(&self, feed: &Feed, error: &UpstreamError) {
        self.count(error);
        self.metrics.refresh_failures.inc();
        if self.is_base(feed) {
            self.metrics.up.set(0);
        }
        feed.failed(error.class(), error.to_string(), self.clock.unix());
    }

    /// Counts what went wrong.
    fn count(&self, error: &UpstreamError) {
        self.metrics.error(error.class());
        if let Some(limit) = error.limit() {
            self.rejected(limit);
        }
    }

    /// Counts what a bound kept from the target or from its clients.
    pub(crate) fn rejected(&self, limit: Limit) {
        self.gateway_metrics.rejected(limit);
    }

    fn is_base(&self, feed: &Feed) -> bool {
        std::ptr::eq(feed, &raw const *self.base)
    }

    fn is_process(&self) -> bool {
        matches!(self.target().address, TargetAddress::Process(_))
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Upstream").field("key", &self.key).finish_non_exhaustive()
    }
}
