//! How long to wait before a target is tried again: doubling, bounded, and spread so that many
//! targets that failed together do not come back together.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(250);

/// The waits between attempts.
#[derive(Debug)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(super) fn new(longest: Duration) -> Self {
        Self { next: FIRST, longest }
    }

    /// Starts over after a success.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// The next wait: between half and the whole of it, by `random`.
    pub(super) fn wait(&mut self, random: u8) -> Duration {
        let whole = self.next;
        self.next = (whole * 2).min(self.longest);
        whole / 2 + whole / 2 * u32::from(random) / u32::from(u8::MAX)
    }
}
