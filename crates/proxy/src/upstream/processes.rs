//! How many processes one target may have, and has.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::{Counted, TargetMetrics};
use crate::upstream::error::UpstreamError;

/// The bound on the processes of one target, and their count; clones share both.
#[derive(Debug, Clone)]
pub(crate) struct Processes {
    free: Arc<Semaphore>,
    metrics: Arc<TargetMetrics>,
}

/// The place of one process. Held from before it starts until it has been reaped: one that is
/// ending still runs, and one that crashed does not.
#[derive(Debug)]
pub(crate) struct ProcessPlace {
    _permit: OwnedSemaphorePermit,
    _counted: Counted,
}

impl Processes {
    /// None yet, and at most `most` at once.
    pub(crate) fn new(most: u32, metrics: Arc<TargetMetrics>) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(most)), metrics }
    }

    /// A place for one more.
    ///
    /// # Errors
    /// [`UpstreamError::Limit`] when all are taken.
    pub(crate) fn place(&self) -> Result<ProcessPlace, UpstreamError> {
        let permit = self.free.clone().try_acquire_owned();
        let _permit = permit.map_err(|_| UpstreamError::Limit("processes"))?;
        Ok(ProcessPlace { _permit, _counted: self.metrics.process() })
    }
}
