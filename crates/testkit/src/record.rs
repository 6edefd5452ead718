//! Waiting without sleeping: what is seen is recorded, and a test awaits a record, never a time.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::sync::watch;

/// The longest that the harness waits for anything. It bounds a failure; nothing that passes depends on it.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Awaits `future` for at most [`DEADLINE`]; the error says what was awaited.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> anyhow::Result<T> {
    tokio::time::timeout(DEADLINE, future)
        .await
        .with_context(|| format!("waited {DEADLINE:?} in vain for {what}"))
}

/// Says something that a reader of a passing run shall see too: past what the test harness keeps to itself.
pub fn say(line: &str) {
    // Nobody to tell is no reason to fail.
    let _ = writeln!(io::stderr(), "{line}");
}

/// What was seen so far, in order; cheap to clone, and all clones are one record.
#[derive(Debug, Clone)]
pub struct Record<T> {
    entries: Arc<watch::Sender<Vec<T>>>,
}

impl<T> Default for Record<T> {
    fn default() -> Self {
        Self { entries: Arc::new(watch::Sender::new(Vec::new())) }
    }
}

impl<T: Clone> Record<T> {
    /// Adds what was seen.
    pub fn push(&self, entry: T) {
        self.entries.send_modify(|entries| entries.push(entry));
    }

    /// Changes what was seen, for records that grow inside an entry.
    pub fn change(&self, change: impl FnOnce(&mut Vec<T>)) {
        self.entries.send_modify(change);
    }

    /// Everything that was seen so far.
    pub fn all(&self) -> Vec<T> {
        self.entries.borrow().clone()
    }

    /// The first entry of which `is_it` is true, if there is one already.
    pub fn find(&self, is_it: impl Fn(&T) -> bool) -> Option<T> {
        self.entries.borrow().iter().find(|entry| is_it(entry)).cloned()
    }

    /// Awaits the entry at `place`, however long it takes.
    pub(crate) async fn at(&self, place: usize) -> Option<T> {
        let mut entries = self.entries.subscribe();
        let seen = entries.wait_for(|entries| entries.len() > place).await.ok()?;
        seen.get(place).cloned()
    }

    /// Awaits the first entry of which `is_it` is true, present or coming.
    pub async fn first(&self, what: &str, is_it: impl Fn(&T) -> bool) -> anyhow::Result<T> {
        self.until(what, |entries| entries.iter().find(|entry| is_it(entry)).cloned()).await
    }

    /// Awaits what comes after the first `count` entries; at least one.
    pub async fn after(&self, count: usize) -> anyhow::Result<Vec<T>> {
        let what = format!("entry {count} of a record");
        let more =
            |entries: &[T]| entries.get(count..).filter(|more| !more.is_empty()).map(<[T]>::to_vec);
        self.until(&what, more).await
    }

    /// Awaits the moment when `answer` finds what it looks for in all entries.
    pub async fn until<R>(
        &self,
        what: &str,
        answer: impl Fn(&[T]) -> Option<R>,
    ) -> anyhow::Result<R> {
        let mut entries = self.entries.subscribe();
        let mut found = None;
        within(
            what,
            entries.wait_for(|entries| {
                found = answer(entries);
                found.is_some()
            }),
        )
        .await?
        .context("the record is gone")?;
        found.context("the record forgot")
    }
}
