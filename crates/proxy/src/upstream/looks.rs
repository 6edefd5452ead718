//! Turns to look at what single sessions list: many that are opened at once are no burst of lists.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use crate::tasks::Tasks;

/// The time between two turns.
const EVERY: Duration = Duration::from_secs(3);
/// How long one waits for a turn.
const PATIENCE: Duration = Duration::from_secs(60);

/// One turn after the other.
#[derive(Debug)]
pub(super) struct Looks(Arc<Semaphore>);

impl Default for Looks {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Looks {
    /// Waits for a turn; says whether it came in time.
    pub(super) async fn turn(&self, tasks: &Tasks) -> bool {
        let turn = tokio::time::timeout(PATIENCE, self.0.clone().acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return false };
        tasks.spawn("turn to look", async move {
            tokio::time::sleep(EVERY).await;
            drop(turn);
        });
        true
    }
}
