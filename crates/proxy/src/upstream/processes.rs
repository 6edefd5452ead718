//! How many processes one target may have, and has.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::metrics::{Counted, TargetMetrics};
use crate::upstream::error::UpstreamError;

/// The bound on the processes of one target, and their count; clones share both.
#[derive(Debug, Clone)]
pub(crate) struct Processes {
    places: Arc<Places>,
    metrics: Arc<TargetMetrics>,
}

#[derive(Debug)]
struct Places {
    /// What they are for, in words.
    purpose: &'static str,
    most: AtomicUsize,
    taken: AtomicUsize,
}

/// The place of one process. Held from before it starts until it has been reaped: one that is
/// ending still runs, and one that crashed does not.
#[derive(Debug)]
pub(crate) struct ProcessPlace {
    places: Arc<Places>,
    _counted: Counted,
}

impl Processes {
    /// None yet, and at most `most` at once.
    pub(crate) fn new(purpose: &'static str, most: u32, metrics: Arc<TargetMetrics>) -> Self {
        let (most, taken) = (AtomicUsize::new(size(most)), AtomicUsize::new(0));
        let places = Places { purpose, most, taken };
        Self { places: Arc::new(places), metrics }
    }

    /// From now on at most `most` at once. Those that run go on.
    pub(crate) fn resize(&self, most: u32) {
        self.places.most.store(size(most), Ordering::Relaxed);
    }

    /// A place for one more.
    ///
    /// # Errors
    /// [`UpstreamError::Processes`] when all are taken.
    pub(crate) fn place(&self) -> Result<ProcessPlace, UpstreamError> {
        let most = self.places.most.load(Ordering::Relaxed);
        let one_more = |taken| (taken < most).then_some(taken + 1);
        let taken = self.places.taken.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more);
        let purpose = self.places.purpose;
        taken.map_err(|_| UpstreamError::Processes { purpose, most })?;
        Ok(ProcessPlace { places: self.places.clone(), _counted: self.metrics.process() })
    }
}

impl Drop for ProcessPlace {
    fn drop(&mut self) {
        self.places.taken.fetch_sub(1, Ordering::AcqRel);
    }
}

fn size(most: u32) -> usize {
    usize::try_from(most).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;
    use crate::tasks::Tasks;

    #[test]
    fn a_bound_that_changes_ends_nothing() {
        let processes = Processes::new("clients", 2, Metrics::new(&Tasks::new()).target("b", "t"));
        let (one, two) = (processes.place().unwrap(), processes.place().unwrap());
        assert!(processes.place().is_err());
        processes.resize(1);
        drop(one);
        assert_eq!(
            processes.place().unwrap_err().to_string(),
            "all processes that it may have for clients are in use, 1 (`maxProcesses`, else `limits.processes`); try again later"
        );
        processes.resize(3);
        let _three = processes.place().unwrap();
        drop(two);
        assert!(processes.place().is_ok());
    }
}
