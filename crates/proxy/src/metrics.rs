//! Every number the gateway publishes. Labels come from the configuration or from closed sets in the
//! code, never from a client. Whoever counts holds a handle of atomics, made when a world is built;
//! a scrape walks the handles that are alive, so the series of what was removed go with it.

mod kind;
mod latency;
mod limit;
mod route;
mod target;

use std::fmt;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::tasks::Tasks;

pub use kind::RequestKind;
pub use limit::Limit;
pub use route::RouteMetrics;
pub use target::TargetMetrics;

use limit::Rejections;

/// Every metric of one gateway.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    sessions: Gauge,
    streams: Gauge,
    exchanges: Gauge,
    pending_requests: Gauge,
    connections: Gauge,
    access_log_lost: Counter,
    unknown_fields: Gauge,
    rejections: Arc<Rejections>,
    routes: Arc<Handles<RouteMetrics>>,
    targets: Arc<Handles<TargetMetrics>>,
}

impl Metrics {
    /// The metrics of a gateway whose tasks are `tasks`.
    pub fn new(tasks: &Tasks) -> Arc<Self> {
        Arc::new(Self::of(tasks))
    }

    /// As [`new`](Self::new), in a process whose allocator says how many bytes are in use.
    pub fn with_memory(tasks: &Tasks, allocated: Allocated) -> Arc<Self> {
        let mut metrics = Self::of(tasks);
        metrics.registry.register_collector(Box::new(Memory(allocated)));
        Arc::new(metrics)
    }

    fn of(tasks: &Tasks) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("portico"),
            sessions: Gauge::default(),
            streams: Gauge::default(),
            exchanges: Gauge::default(),
            pending_requests: Gauge::default(),
            connections: Gauge::default(),
            access_log_lost: Counter::default(),
            unknown_fields: Gauge::default(),
            rejections: Arc::default(),
            routes: Arc::default(),
            targets: Arc::default(),
        };
        metrics.register(tasks);
        metrics
    }

    fn register(&mut self, tasks: &Tasks) {
        let registry = &mut self.registry;
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "What runs", Info::new(version));
        registry.register("sessions", "Client sessions held in memory", self.sessions.clone());
        registry.register("streams", "Event streams open to clients", self.streams.clone());
        registry.register(
            "exchanges",
            "Requests on their way to targets and back",
            self.exchanges.clone(),
        );
        registry.register(
            "pending_requests",
            "Requests of targets that clients have not answered",
            self.pending_requests.clone(),
        );
        registry.register("connections", "Connections from clients", self.connections.clone());
        registry.register(
            "access_log_lost_lines",
            "Access log lines that could not be written in time",
            self.access_log_lost.clone(),
        );
        registry.register(
            "document_unknown_fields",
            "Fields that a newer controller wrote into the document in force",
            self.unknown_fields.clone(),
        );
        registry.register_collector(Box::new(RunningTasks(tasks.clone())));
        registry.register_collector(Box::new(self.rejections.clone()));
        registry.register_collector(Box::new(self.routes.clone()));
        registry.register_collector(Box::new(self.targets.clone()));
    }

    /// The handle of a route, by its configured name: the living one if there is one.
    pub fn route(&self, route: &str) -> Arc<RouteMetrics> {
        self.routes
            .find_or_add(|handle| &**handle.name() == route, || RouteMetrics::new(route.into()))
    }

    /// The handle of a target by its configured name, and by that of the backend that has it to
    /// itself (empty for a target of the document): the living one if there is one.
    pub fn target(&self, owner: &str, target: &str) -> Arc<TargetMetrics> {
        self.targets.find_or_add(
            |handle| &**handle.name() == target && &**handle.owner() == owner,
            || TargetMetrics::new(owner.into(), target.into()),
        )
    }

    /// How many fields of the document in force nobody here knows.
    pub fn unknown_fields(&self, count: usize) {
        self.unknown_fields.set(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Counts a client session for as long as the guard lives.
    pub fn session(&self) -> Counted {
        Counted::new(&self.sessions)
    }

    /// Counts an event stream to a client for as long as the guard lives.
    pub fn stream(&self) -> Counted {
        Counted::new(&self.streams)
    }

    /// Counts a client's request that a target answers for as long as the guard lives.
    pub fn exchange(&self) -> Counted {
        Counted::new(&self.exchanges)
    }

    /// Counts a target's request for as long as the guard lives, until its client has answered.
    pub fn pending_request(&self) -> Counted {
        Counted::new(&self.pending_requests)
    }

    /// Counts a client's connection for as long as the guard lives.
    pub fn connection(&self) -> Counted {
        Counted::new(&self.connections)
    }

    /// Counts work that was refused because `limit` was reached.
    pub fn rejected(&self, limit: Limit) {
        self.rejections.count(limit);
    }

    /// Everything in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::warn!(%error, "Could not render the metrics.");
        }
        text
    }

    pub(crate) fn access_log_lost(&self) -> &Counter {
        &self.access_log_lost
    }
}

/// How many bytes of memory are in use; `None` where nobody can say.
pub type Allocated = fn() -> Option<u64>;

/// Adds one to a gauge for as long as it lives.
#[derive(Debug)]
pub struct Counted(Gauge);

impl Counted {
    fn new(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The handles that are alive. Locked when a world is built and when someone scrapes, never by a
/// request.
#[derive(Debug)]
struct Handles<T>(Mutex<Vec<Weak<T>>>);

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Handles<T> {
    fn find_or_add(&self, is_it: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> Arc<T> {
        let mut handles = self.0.lock();
        handles.retain(|handle| handle.strong_count() > 0);
        if let Some(found) = handles.iter().filter_map(Weak::upgrade).find(|handle| is_it(handle)) {
            return found;
        }
        let handle = Arc::new(new());
        handles.push(Arc::downgrade(&handle));
        handle
    }

    fn alive(&self) -> Vec<Arc<T>> {
        self.0.lock().iter().filter_map(Weak::upgrade).collect()
    }
}

/// Reads how many tasks run when someone asks.
#[derive(Debug)]
struct RunningTasks(Tasks);

impl Collector for RunningTasks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let gauge = ConstGauge::new(i64::try_from(self.0.running()).unwrap_or(i64::MAX));
        let kind = gauge.metric_type();
        gauge.encode(encoder.encode_descriptor("tasks", "Tasks of the gateway.", None, kind)?)
    }
}

/// Asks the allocator when someone asks.
#[derive(Debug)]
struct Memory(Allocated);

impl Collector for Memory {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Some(bytes) = (self.0)() else { return Ok(()) };
        let gauge = ConstGauge::new(i64::try_from(bytes).unwrap_or(i64::MAX));
        let (kind, unit) = (gauge.metric_type(), Some(&Unit::Bytes));
        let help = "Memory in use, without what the allocator keeps for later.";
        gauge.encode(encoder.encode_descriptor("memory_allocated", help, unit, kind)?)
    }
}

#[cfg(test)]
mod tests;
