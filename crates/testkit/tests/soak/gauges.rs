//! What the gateway says of itself on its admin port.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use testkit::Gateway;

use crate::target::Target;

/// How long it may take until nothing is left: a call goes on for a second, a session is idle after two more, a
/// connection to a target after four more. Bounds a failure.
const LEFT: Duration = Duration::from_secs(30);

/// How often it is asked.
const AGAIN: Duration = Duration::from_millis(50);

/// The gauges that clients move.
#[derive(Debug)]
pub(crate) struct Gauges {
    pub(crate) sessions: usize,
    pub(crate) streams: usize,
    pub(crate) connections: usize,
    pub(crate) exchanges: usize,
    pub(crate) pending_requests: usize,
    /// Some of them are there without clients.
    pub(crate) tasks: usize,
    /// The bytes that the allocator has given away. That is live memory; what the system counts as resident is also
    /// what the allocator keeps for later.
    pub(crate) memory: u64,
}

impl Gauges {
    /// As they are now.
    pub(crate) async fn read(gateway: &Gateway) -> anyhow::Result<Self> {
        let text = gateway.admin("/metrics").await?;
        let lines = text.lines().filter_map(|line| line.strip_prefix("portico_")?.split_once(' '));
        let all: HashMap<_, _> = lines.collect();
        let number = |name: &str| -> anyhow::Result<u64> {
            let value = all.get(name).with_context(|| format!("no `portico_{name}` in {text}"))?;
            value.parse().with_context(|| format!("`portico_{name}` is {value}"))
        };
        let gauge = |name: &str| anyhow::Ok(usize::try_from(number(name)?)?);
        Ok(Self {
            sessions: gauge("sessions")?,
            streams: gauge("streams")?,
            connections: gauge("connections")?,
            exchanges: gauge("exchanges")?,
            pending_requests: gauge("pending_requests")?,
            tasks: gauge("tasks")?,
            memory: number("memory_allocated_bytes")?,
        })
    }

    /// Nothing of clients is there.
    pub(crate) fn are_empty(&self) -> anyhow::Result<()> {
        let Self { sessions, streams, connections, exchanges, pending_requests, .. } = self;
        let all = [sessions, streams, connections, exchanges, pending_requests];
        anyhow::ensure!(all.into_iter().all(|gauge| *gauge == 0), "{self:?}");
        Ok(())
    }

    /// The memory in use is the same within 5 %. What may grow, by 70 bytes each, are the ids of deleted sessions: they
    /// are remembered until they would have expired.
    pub(crate) fn use_as_much_as(&self, other: &Self) -> bool {
        self.memory.abs_diff(other.memory) * 20 <= other.memory
    }
}

/// The gauges as soon as the gateway has nothing open at its targets but what it reads the lists by, and `is_it` is true.
pub(crate) async fn left(
    gateway: &Gateway,
    targets: &[Arc<Target>],
    what: &str,
    is_it: impl Fn(&Gauges) -> bool,
) -> anyhow::Result<Gauges> {
    let mut ticks = tokio::time::interval(AGAIN);
    let mut last = None;
    let reading = async {
        loop {
            ticks.tick().await;
            let is_left = targets.iter().all(|target| target.is_left());
            let gauges = Gauges::read(gateway).await?;
            if is_left && is_it(&gauges) {
                return anyhow::Ok(gauges);
            }
            last = Some((is_left, gauges));
        }
    };
    match tokio::time::timeout(LEFT, reading).await {
        Ok(gauges) => gauges,
        Err(_) => anyhow::bail!("waited {LEFT:?} in vain until {what}: {last:?}"),
    }
}
