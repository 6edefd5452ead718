//! The requests of one route.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use http::StatusCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use crate::metrics::Handles;
use crate::metrics::kind::{RequestKind, StatusClass};

/// Counts the requests of one route, by what they asked and how they were answered.
#[derive(Debug)]
pub struct RouteMetrics {
    name: Arc<str>,
    /// A cell for every kind and class; empty until something is counted in it.
    counts: Box<[OnceLock<Count>]>,
}

/// How many requests of one kind were answered in one way.
#[derive(Debug)]
struct Count {
    kind: RequestKind,
    status: StatusClass,
    requests: AtomicU64,
}

impl RouteMetrics {
    pub(super) fn new(name: Arc<str>) -> Self {
        let cells = RequestKind::COUNT * StatusClass::ALL.len();
        Self { name, counts: (0..cells).map(|_| OnceLock::new()).collect() }
    }

    /// The route's configured name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Counts a request that was answered with `status`.
    pub fn answered(&self, kind: RequestKind, status: StatusCode) {
        self.count(kind, status.into());
    }

    /// Counts a request whose client left before it was answered.
    pub fn unanswered(&self, kind: RequestKind) {
        self.count(kind, StatusClass::None);
    }

    fn count(&self, kind: RequestKind, status: StatusClass) {
        let index = kind.index() * StatusClass::ALL.len() + status as usize;
        let Some(cell) = self.counts.get(index) else { return };
        let count = cell.get_or_init(|| Count { kind, status, requests: AtomicU64::new(0) });
        count.requests.fetch_add(1, Ordering::Relaxed);
    }
}

impl Collector for Handles<RouteMetrics> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Requests by route, method and class of status; none: the client left first.";
        let mut metric = encoder.encode_descriptor("requests", help, None, MetricType::Counter)?;
        for route in self.alive() {
            for count in route.counts.iter().filter_map(OnceLock::get) {
                let labels = [
                    ("route", &*route.name),
                    ("method", count.kind.as_str()),
                    ("status", count.status.as_str()),
                ];
                let counter = ConstCounter::new(count.requests.load(Ordering::Relaxed));
                counter.encode(metric.encode_family(&labels)?)?;
            }
        }
        Ok(())
    }
}
