//! Every task of the gateway: named, counted, ended on shutdown, and awaited by whoever closes the
//! scope that it belongs to.

use std::future::Future;
use std::sync::Arc;

use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// A scope of tasks; clones are the same scope. Tasks of a child are also counted in its ancestors,
/// so that closing a scope waits for everything below it.
#[derive(Debug, Clone)]
pub struct Tasks {
    token: CancellationToken,
    tracker: TaskTracker,
    ancestors: Arc<[TaskTracker]>,
}

impl Default for Tasks {
    fn default() -> Self {
        Self::new()
    }
}

impl Tasks {
    /// A scope without a parent.
    pub fn new() -> Self {
        Self {
            token: CancellationToken::new(),
            tracker: TaskTracker::new(),
            ancestors: Arc::new([]),
        }
    }

    /// A scope within this one: it ends with this one, or earlier by its own
    /// [`cancel`](Self::cancel).
    pub fn child(&self) -> Self {
        let ancestors = self.ancestors.iter().chain([&self.tracker]).cloned().collect();
        Self { token: self.token.child_token(), tracker: TaskTracker::new(), ancestors }
    }

    /// Runs `future` until it is done or this scope is cancelled, whichever is first; then it is
    /// dropped at its next `.await`. In a cancelled scope it never starts. `name` appears in the
    /// log lines of the task.
    pub fn spawn<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let cancelled = self.cancelled();
        let tokens: Vec<_> = self.ancestors.iter().map(TaskTracker::token).collect();
        let task = async move {
            tokio::select! {
                biased;
                () = cancelled => {}
                () = future => {}
            }
            drop(tokens);
        };
        self.tracker.spawn(task.instrument(tracing::debug_span!("task", name)));
    }

    /// Runs `future` to its end even if this scope is cancelled; [`close`](Self::close) waits for
    /// it. For what must be finished on the way out, within a deadline of its own: deleting upstream
    /// sessions, ending processes, writing the last log lines.
    pub fn spawn_to_end<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let tokens: Vec<_> = self.ancestors.iter().map(TaskTracker::token).collect();
        let task = async move {
            future.await;
            drop(tokens);
        };
        self.tracker.spawn(task.instrument(tracing::debug_span!("task", name)));
    }

    /// Completes when this scope or one above it is cancelled. Borrows nothing.
    pub fn cancelled(&self) -> WaitForCancellationFutureOwned {
        self.token.clone().cancelled_owned()
    }

    /// Whether this scope or one above it has been cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.token.is_cancelled()
    }

    /// Ends the tasks of this scope and below, without waiting for them.
    pub fn cancel(&self) {
        self.token.cancel();
    }

    /// Cancels, then waits until every task of this scope and below has ended.
    pub async fn close(&self) {
        self.token.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }

    /// How many tasks run in this scope and below.
    pub fn running(&self) -> usize {
        self.tracker.len()
    }
}

#[cfg(test)]
mod tests;
