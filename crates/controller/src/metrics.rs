//! Every number that the controller publishes. Labels come from closed sets in the code.

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::kind::Kind;
use crate::outcome::Outcome;

/// Upper bounds of the buckets of a translation, in seconds.
const BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

type Label = (&'static str, &'static str);

/// How it went with a status that was to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is there.
    Done,
    /// Its object is newer or gone.
    Conflict,
    /// The API server did not take it, or did not answer in time.
    Failed,
}

/// The metrics of one controller.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    objects: Family<[Label; 1], Gauge>,
    broken_watches: Family<[Label; 1], Counter>,
    translation: Histogram,
    pub(crate) documents: Gauge,
    pub(crate) publications: Counter,
    pub(crate) proxies: Gauge,
    pub(crate) proxies_refusing: Gauge,
    status_writes: Family<[Label; 2], Counter>,
    applies: Family<[Label; 1], Counter>,
    pub(crate) leader: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("portico_controller"),
            objects: Family::default(),
            broken_watches: Family::default(),
            translation: Histogram::new(BOUNDS),
            documents: Gauge::default(),
            publications: Counter::default(),
            proxies: Gauge::default(),
            proxies_refusing: Gauge::default(),
            status_writes: Family::default(),
            applies: Family::default(),
            leader: Gauge::default(),
        };
        metrics.register();
        metrics.begin();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let version = vec![("version", env!("CARGO_PKG_VERSION"))];
        registry.register("build", "What runs", Info::new(version));
        registry.register("objects", "Objects that are watched, by kind", self.objects.clone());
        registry.register(
            "broken_watches",
            "Watches that broke and were begun again, by kind",
            self.broken_watches.clone(),
        );
        registry.register_with_unit(
            "translation_duration",
            "How long it took to find out what all objects mean",
            Unit::Seconds,
            self.translation.clone(),
        );
        registry.register(
            "documents",
            "Gateways for whose proxies something is published",
            self.documents.clone(),
        );
        registry.register(
            "publications",
            "How often something new was published",
            self.publications.clone(),
        );
        registry.register("proxies", "Proxies that are connected", self.proxies.clone());
        registry.register(
            "proxies_refusing",
            "Proxies that cannot read what they were told last",
            self.proxies_refusing.clone(),
        );
        registry.register(
            "status_writes",
            "Statuses that were to be written, by kind and result: done, conflict (tried again with the newer \
             object) or failed",
            self.status_writes.clone(),
        );
        registry.register(
            "applies",
            "How often what runs a Gateway was to be applied, by result: applied, foreign or failed",
            self.applies.clone(),
        );
        registry.register("leader", "1 where this replica writes, else 0", self.leader.clone());
    }

    /// What has not happened yet is 0, so that the first time is seen as one.
    fn begin(&self) {
        for kind in Kind::ALL {
            self.broken_watches.get_or_create(&[("kind", kind.name())]).inc_by(0);
        }
        for result in ["applied", "foreign", "failed"] {
            self.applies.get_or_create(&[("result", result)]).inc_by(0);
        }
    }

    pub(crate) fn objects(&self, kind: Kind, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.objects.get_or_create(&[("kind", kind.name())]).set(count);
    }

    pub(crate) fn watch_broke(&self, kind: Kind) {
        self.broken_watches.get_or_create(&[("kind", kind.name())]).inc();
    }

    pub(crate) fn translated(&self, took: Duration) {
        self.translation.observe(took.as_secs_f64());
    }

    pub(crate) fn wrote(&self, kind: Kind, written: Written) {
        let result = match written {
            Written::Done => "done",
            Written::Conflict => "conflict",
            Written::Failed => "failed",
        };
        self.status_writes.get_or_create(&[("kind", kind.name()), ("result", result)]).inc();
    }

    pub(crate) fn applied(&self, outcome: &Outcome) {
        let result = match outcome {
            Outcome::Applied => "applied",
            Outcome::Foreign(_) => "foreign",
            Outcome::Failed(_) => "failed",
            Outcome::Unheard(_) => "unheard",
            // Nothing was tried.
            Outcome::NotLeading => return,
        };
        self.applies.get_or_create(&[("result", result)]).inc();
    }

    /// Everything in the OpenMetrics text format.
    pub fn encode(&self) -> String {
        let mut text = String::new();
        if let Err(error) = encode(&mut text, &self.registry) {
            tracing::warn!(%error, "Could not render the metrics.");
        }
        text
    }
}
