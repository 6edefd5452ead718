//! When clients are told that lists have changed: changes that come together are told as one.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::federation::Changes;

/// How long after a change it is waited for the next: as long as a busy API server takes for one object of many.
const QUIET: Duration = Duration::from_millis(250);
/// How long after a change it is waited for targets that have not answered yet: what one lists comes with what another
/// listed whose place it takes.
const SETTLING: Duration = Duration::from_millis(800);
/// How long a client waits at most while changes go on.
const LONGEST: Duration = Duration::from_secs(2);

/// What one client has not been told yet.
#[derive(Debug)]
pub struct News {
    changes: watch::Receiver<Changes>,
    /// Whenever a menu was built: a target may have answered.
    built: watch::Receiver<()>,
    waiting: Option<Waiting>,
}

/// Changes that nobody has been told of.
#[derive(Debug, Clone, Copy)]
struct Waiting {
    first: Instant,
    last: Instant,
}

impl Waiting {
    /// When they are told.
    fn due(self, is_settled: bool) -> Instant {
        let rest = if is_settled { QUIET } else { SETTLING };
        (self.last + rest).min(self.first + LONGEST)
    }
}

impl News {
    /// What comes from now on.
    pub(super) fn new(changes: watch::Receiver<Changes>, built: watch::Receiver<()>) -> Self {
        Self { changes, built, waiting: None }
    }

    /// Awaits that there is something to tell. May be dropped and called again at any time.
    /// `is_settled` says whether every target has answered or failed once.
    ///
    /// # Errors
    /// The backend is gone.
    pub async fn come(
        &mut self,
        is_settled: impl Fn() -> bool,
    ) -> Result<(), watch::error::RecvError> {
        loop {
            let Some(waiting) = self.waiting else {
                self.changes.changed().await?;
                let now = Instant::now();
                self.waiting = Some(Waiting { first: now, last: now });
                continue;
            };
            self.built.mark_unchanged();
            let due = waiting.due(is_settled());
            tokio::select! {
                biased;
                changed = self.changes.changed() => {
                    changed?;
                    self.waiting = Some(Waiting { last: Instant::now(), ..waiting });
                }
                built = self.built.changed() => built?,
                () = tokio::time::sleep_until(due) => {
                    self.waiting = None;
                    return Ok(());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After how many milliseconds is told what changed first at 0 and last at `last`.
    fn told(last: u64, is_settled: bool) -> u128 {
        let first = Instant::now();
        let waiting = Waiting { first, last: first + Duration::from_millis(last) };
        (waiting.due(is_settled) - first).as_millis()
    }

    #[test]
    fn changes_that_come_together_are_told_as_one_and_soon() {
        assert_eq!(told(0, true), 250);
        assert_eq!(told(200, true), 450);
        // A target that is new is awaited, but not for long.
        assert_eq!(told(0, false), 800);
        assert_eq!(told(200, false), 1000);
        // Changes without an end keep nobody waiting.
        assert_eq!(told(1990, true), 2000);
        assert_eq!(told(1990, false), 2000);
    }
}
