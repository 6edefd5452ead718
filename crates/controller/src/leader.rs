//! Which replica of the controller writes. A Lease is held and renewed; whoever wants it looks whether its
//! holder still renews it, by the watcher's own clock, so that clocks need not agree.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Client;
use kube::api::{Api, PostParams};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::metrics::Metrics;

/// How long a Lease that is not renewed is respected.
const DURATION: Duration = Duration::from_secs(15);
/// After which time without a renewal the holder itself stops writing.
const STOP_AFTER: Duration = Duration::from_secs(10);
/// How long a write may take that is begun while this replica leads: it ends before another one leads.
pub(crate) const LONGEST_WRITE: Duration = Duration::from_secs(4);
/// How often it is renewed, or looked at.
const EVERY: Duration = Duration::from_secs(2);

/// Whether this replica may write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Leadership(Arc<State>);

#[derive(Debug, Default)]
struct State {
    /// Until when, in the process' own time.
    until: parking_lot::Mutex<Option<Instant>>,
    was_leading: AtomicBool,
    changed: Notify,
    metrics: Arc<Metrics>,
}

impl Leadership {
    fn new(metrics: Arc<Metrics>) -> Self {
        Self(Arc::new(State { metrics, ..State::default() }))
    }

    /// Whether this replica may write at this moment.
    pub(crate) fn is_held(&self) -> bool {
        self.0.until.lock().is_some_and(|until| Instant::now() < until)
    }

    /// Waits until this replica has begun to lead.
    pub(crate) async fn begun(&self) {
        loop {
            let changed = self.0.changed.notified();
            if self.is_held() {
                return;
            }
            changed.await;
        }
    }

    fn set(&self, until: Option<Instant>) {
        *self.0.until.lock() = until;
        let leads = until.is_some();
        self.0.metrics.leader.set(i64::from(leads));
        if self.0.was_leading.swap(leads, Ordering::AcqRel) != leads {
            info!(leads, "Leadership has changed.");
            self.0.changed.notify_waiters();
        }
    }
}

/// A Lease, and who wants it.
pub(crate) struct Candidate {
    leases: Api<Lease>,
    name: String,
    identity: String,
    leadership: Leadership,
    /// What was last seen of the holder, and since when it is so.
    seen: Option<(String, Instant)>,
}

impl Candidate {
    /// `identity` wants the Lease `name` of `namespace`.
    pub(crate) fn new(
        client: Client,
        namespace: &str,
        name: &str,
        identity: &str,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            leases: Api::namespaced(client, namespace),
            name: name.to_owned(),
            identity: identity.to_owned(),
            leadership: Leadership::new(metrics),
            seen: None,
        }
    }

    /// Who can be asked whether it leads.
    pub(crate) fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    async fn hold(&mut self) {
        loop {
            // A renewal counts from before it was asked for.
            let now = Instant::now();
            match tokio::time::timeout(EVERY * 2, self.attempt(now)).await {
                Ok(Ok(true)) => self.leadership.set(Some(now + STOP_AFTER)),
                Ok(Ok(false)) => self.leadership.set(None),
                Ok(Err(error)) => warn!(%error, lease = self.name, "Cannot renew the Lease."),
                Err(_) => warn!(lease = self.name, "The API server does not answer for the Lease."),
            }
            if !self.leadership.is_held() {
                self.leadership.set(None);
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    /// Wants, holds and renews it until `stop`; then gives it back, so that another replica need not wait.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        tokio::select! {
            () = self.hold() => {}
            () = stop.cancelled() => {}
        }
        self.leadership.set(None);
        let Ok(Some(mut lease)) = self.leases.get_opt(&self.name).await else { return };
        if let Some(spec) = lease.spec.as_mut().filter(|spec| holder(spec) == self.identity) {
            spec.holder_identity = None;
            // If that fails it runs out by itself.
            let _ = self.leases.replace(&self.name, &PostParams::default(), &lease).await;
        }
    }

    /// Renews or takes it; whether it is ours now. Two that take it at once send the same
    /// `resourceVersion`, of which one is refused.
    async fn attempt(&mut self, now: Instant) -> kube::Result<bool> {
        let Some(mut lease) = self.leases.get_opt(&self.name).await? else {
            let lease = Lease {
                metadata: ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
                spec: Some(self.spec(None)),
            };
            return conflict_is_lost(self.leases.create(&PostParams::default(), &lease).await);
        };
        let spec = lease.spec.clone().unwrap_or_default();
        if holder(&spec) != self.identity && !self.has_run_out(&lease, &spec, now) {
            return Ok(false);
        }
        lease.spec = Some(self.spec(Some(&spec)));
        conflict_is_lost(self.leases.replace(&self.name, &PostParams::default(), &lease).await)
    }

    fn has_run_out(&mut self, lease: &Lease, spec: &LeaseSpec, now: Instant) -> bool {
        if holder(spec).is_empty() {
            return true;
        }
        let version = lease.metadata.resource_version.clone().unwrap_or_default();
        match &self.seen {
            Some((seen, since)) if *seen == version => now.duration_since(*since) >= DURATION,
            _ => {
                self.seen = Some((version, now));
                false
            }
        }
    }

    fn spec(&self, last: Option<&LeaseSpec>) -> LeaseSpec {
        let now = MicroTime(Timestamp::now());
        let is_ours = last.is_some_and(|last| holder(last) == self.identity);
        let transitions = last.and_then(|last| last.lease_transitions).unwrap_or_default();
        LeaseSpec {
            holder_identity: Some(self.identity.clone()),
            lease_duration_seconds: i32::try_from(DURATION.as_secs()).ok(),
            renew_time: Some(now.clone()),
            acquire_time: match last {
                Some(last) if is_ours => last.acquire_time.clone(),
                _ => Some(now),
            },
            lease_transitions: Some(transitions + i32::from(!is_ours)),
            ..LeaseSpec::default()
        }
    }
}

fn holder(spec: &LeaseSpec) -> &str {
    spec.holder_identity.as_deref().unwrap_or_default()
}

fn conflict_is_lost(result: kube::Result<Lease>) -> kube::Result<bool> {
    match result {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 409 => Ok(false),
        Err(error) => Err(error),
    }
}
