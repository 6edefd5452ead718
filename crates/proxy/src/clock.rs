//! The gateway's one source of time. Decisions about time are functions of `now`, which comes from
//! here; timers that merely wait for a peer are tokio's.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Monotonic and unix time, handed down by the gateway; cheap to clone.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<Manual>),
}

/// A start that never moves and the nanoseconds since then.
#[derive(Debug)]
struct Manual {
    instant: Instant,
    unix: SystemTime,
    elapsed: AtomicU64,
}

impl Clock {
    /// The clock of the machine.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until its [`ManualClock`] moves it; for tests.
    pub fn manual() -> (Self, ManualClock) {
        let manual = Arc::new(Manual {
            instant: Instant::now(),
            unix: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000),
            elapsed: AtomicU64::new(0),
        });
        (Self(Source::Manual(manual.clone())), ManualClock(manual))
    }

    /// Monotonic time: for deadlines, ages and back-off.
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System => Instant::now(),
            Source::Manual(manual) => manual.instant + manual.elapsed(),
        }
    }

    /// Calendar time: for what leaves the process (logs, sealed expiries, "since").
    pub fn unix(&self) -> SystemTime {
        match &self.0 {
            Source::System => SystemTime::now(),
            Source::Manual(manual) => manual.unix + manual.elapsed(),
        }
    }
}

/// When something was used last; set by many threads without a lock, to the millisecond.
#[derive(Debug)]
pub struct LastUse {
    born: Instant,
    millis: AtomicU64,
}

impl LastUse {
    /// Used now.
    pub fn new(now: Instant) -> Self {
        Self { born: now, millis: AtomicU64::new(0) }
    }

    /// Used now.
    pub fn touch(&self, now: Instant) {
        let millis = now.saturating_duration_since(self.born).as_millis();
        self.millis.store(u64::try_from(millis).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// For how long it has not been used.
    pub fn idle(&self, now: Instant) -> Duration {
        let used = Duration::from_millis(self.millis.load(Ordering::Relaxed));
        now.saturating_duration_since(self.born).saturating_sub(used)
    }
}

impl Manual {
    fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.elapsed.load(Ordering::Acquire))
    }
}

/// Moves the [`Clock`] that it was made with.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Manual>);

impl ManualClock {
    /// Lets `duration` pass at once, on both time scales.
    pub fn advance(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        self.0.elapsed.fetch_add(nanoseconds, Ordering::AcqRel);
    }
}

/// Calendar time as text, for what leaves the process: `2026-11-21T10:10:12.123Z`. A time that no
/// calendar has is the epoch.
pub(crate) fn rfc3339(time: SystemTime) -> impl fmt::Display {
    let timestamp = jiff::Timestamp::try_from(time).unwrap_or_default();
    timestamp.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

#[cfg(test)]
mod tests;
