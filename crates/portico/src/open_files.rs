//! How many files the process may have open: a connection is one, and a call may be two.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tracing::warn;

/// More than enough for the connections that a gateway takes by default, and few enough for the programs
/// of targets, which get the same number: some walk over all of them when they are started.
const WANTED: u64 = 65_536;

/// Raises the number as far as the system lets everybody do.
pub(crate) fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(WANTED).min(WANTED);
    if limit.current.is_none_or(|current| current >= most) {
        return;
    }
    let raised = Rlimit { current: Some(most), maximum: limit.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        warn!(%error, "Could not raise the number of open files.");
    }
}

/// Says so where there may be fewer than the connections that clients are promised.
pub(crate) fn check(connections: usize) {
    let current = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    if u64::try_from(connections).is_ok_and(|connections| current < connections) {
        warn!(
            "The system lets this process open {current} files (`ulimit -n`), fewer than `limits.connections`, {connections}."
        );
    }
}
