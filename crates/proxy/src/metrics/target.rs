//! The numbers of one target.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;

use crate::metrics::kind::MethodClass;
use crate::metrics::latency::Latency;
use crate::metrics::{Counted, Handles};

/// The numbers of one target, which several backends may share.
#[derive(Debug)]
pub struct TargetMetrics {
    /// 1 while its catalog is fresh, else 0.
    pub up: Gauge,
    /// Times its catalog was fetched.
    pub refreshes: Counter,
    /// Times that failed.
    pub refresh_failures: Counter,
    /// The backend that has it to itself; empty for a target of the document.
    owner: Arc<str>,
    name: Arc<str>,
    processes: Gauge,
    entries: [Gauge; mcp::ListKind::ALL.len()],
    calls: [Latency; MethodClass::ALL.len()],
    /// Few, and locked only when something has gone wrong with this one target.
    errors: Mutex<Vec<(&'static str, Counter)>>,
}

impl TargetMetrics {
    pub(super) fn new(owner: Arc<str>, name: Arc<str>) -> Self {
        Self {
            up: Gauge::default(),
            refreshes: Counter::default(),
            refresh_failures: Counter::default(),
            owner,
            name,
            processes: Gauge::default(),
            entries: Default::default(),
            calls: Default::default(),
            errors: Mutex::default(),
        }
    }

    /// The configured name of the backend that has the target to itself; empty for a target of the
    /// document.
    pub fn owner(&self) -> &Arc<str> {
        &self.owner
    }

    /// The target's configured name.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Counts a process of the target for as long as the guard lives.
    pub fn process(&self) -> Counted {
        Counted::new(&self.processes)
    }

    /// How many entries of `kind` the last known catalog has.
    pub fn set_entries(&self, kind: mcp::ListKind, count: usize) {
        if let Some(gauge) = self.entries.get(kind as usize) {
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }

    /// Counts a request that the target answered, and how long that took.
    pub fn observe(&self, method: mcp::Method, duration: Duration) {
        if let Some(latency) = self.calls.get(MethodClass::from(method) as usize) {
            latency.observe(duration);
        }
    }

    /// Counts something that went wrong with the target. `class` is of a closed set in the code.
    pub fn error(&self, class: &'static str) {
        let mut errors = self.errors.lock();
        if let Some((_, counter)) = errors.iter().find(|(known, _)| *known == class) {
            counter.inc();
            return;
        }
        let counter = Counter::default();
        counter.inc();
        errors.push((class, counter));
    }

    /// Without a `backend` where several may share the target: what is counted is not one's alone.
    fn labels(&self) -> Vec<(&'static str, &str)> {
        let mut labels = Vec::with_capacity(3);
        if !self.owner.is_empty() {
            labels.push(("backend", &*self.owner));
        }
        labels.push(("target", &*self.name));
        labels
    }

    fn labels_and<'a>(&'a self, key: &'static str, value: &'a str) -> Vec<(&'static str, &'a str)> {
        let mut labels = self.labels();
        labels.push((key, value));
        labels
    }
}

impl Collector for Handles<TargetMetrics> {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let targets = self.alive();
        encode_one(&mut encoder, &targets, "target_up", "Whether its catalog is fresh.", |t| {
            &t.up
        })?;
        encode_one(&mut encoder, &targets, "target_processes", "Processes running for it.", |t| {
            &t.processes
        })?;
        let help = "Times its catalog was fetched.";
        encode_one(&mut encoder, &targets, "catalog_refreshes", help, |t| &t.refreshes)?;
        let help = "Times fetching its catalog failed.";
        encode_one(&mut encoder, &targets, "catalog_refresh_failures", help, |t| {
            &t.refresh_failures
        })?;
        encode_entries(&mut encoder, &targets)?;
        encode_calls(&mut encoder, &targets)?;
        encode_errors(&mut encoder, &targets)
    }
}

fn encode_one<M: EncodeMetric>(
    encoder: &mut DescriptorEncoder<'_>,
    targets: &[Arc<TargetMetrics>],
    name: &str,
    help: &str,
    field: fn(&TargetMetrics) -> &M,
) -> fmt::Result {
    let Some(first) = targets.first() else { return Ok(()) };
    let kind = field(first).metric_type();
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    for target in targets {
        field(target).encode(metric.encode_family(&target.labels())?)?;
    }
    Ok(())
}

fn encode_entries(
    encoder: &mut DescriptorEncoder<'_>,
    targets: &[Arc<TargetMetrics>],
) -> fmt::Result {
    let help = "Entries in its last known catalog.";
    let mut metric = encoder.encode_descriptor("catalog_entries", help, None, MetricType::Gauge)?;
    for target in targets {
        for (kind, gauge) in mcp::ListKind::ALL.iter().zip(&target.entries) {
            let labels = target.labels_and("kind", kind.field());
            gauge.encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn encode_calls(
    encoder: &mut DescriptorEncoder<'_>,
    targets: &[Arc<TargetMetrics>],
) -> fmt::Result {
    let (name, kind) = ("target_call_duration_seconds", MetricType::Histogram);
    let help = "Time from a request's arrival to the end of the target's answer.";
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    for target in targets {
        for (class, latency) in MethodClass::ALL.iter().zip(&target.calls) {
            if latency.is_empty() {
                continue;
            }
            let labels = target.labels_and("method", class.as_str());
            latency.encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}

fn encode_errors(
    encoder: &mut DescriptorEncoder<'_>,
    targets: &[Arc<TargetMetrics>],
) -> fmt::Result {
    let help = "What went wrong between the gateway and the target.";
    let mut metric = encoder.encode_descriptor("target_errors", help, None, MetricType::Counter)?;
    for target in targets {
        for (class, counter) in target.errors.lock().iter() {
            let labels = target.labels_and("class", class);
            counter.encode(metric.encode_family(&labels)?)?;
        }
    }
    Ok(())
}
