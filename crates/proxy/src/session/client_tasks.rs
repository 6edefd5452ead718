//! The tasks that a client keeps for targets (2025-11-25, tasks): each is known to the one target alone
//! that asked for it.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// How many are remembered; the oldest are forgotten first.
const MOST: usize = 256;

/// Which of several targets a task of one client belongs to: the client's id, and the upstream's
/// serial.
#[derive(Debug, Default)]
pub(super) struct ClientTasks(Mutex<VecDeque<(String, u64)>>);

impl ClientTasks {
    /// The client keeps a task for an upstream.
    pub(super) fn add(&self, id: &str, upstream: u64) {
        let mut all = self.0.lock();
        if all.len() >= MOST {
            all.pop_front();
        }
        all.push_back((id.to_owned(), upstream));
    }

    /// Whose a task is, if it is known.
    pub(super) fn owner(&self, id: &str) -> Option<u64> {
        // An id that a client gives again is the newest one's.
        let all = self.0.lock();
        all.iter().rev().find(|(known, _)| known == id).map(|(_, upstream)| *upstream)
    }

    /// Forgets those of an upstream that is gone.
    pub(super) fn forget(&self, upstream: u64) {
        self.0.lock().retain(|(_, serial)| *serial != upstream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_tasks_are_forgotten_and_those_of_one_that_is_gone() {
        let tasks = ClientTasks::default();
        for number in 0..=MOST {
            tasks.add(&number.to_string(), 1);
        }
        assert_eq!((tasks.owner("0"), tasks.owner("1")), (None, Some(1)));
        tasks.add("1", 2);
        assert_eq!(tasks.owner("1"), Some(2));
        tasks.forget(2);
        assert_eq!((tasks.owner("1"), tasks.owner("2")), (None, Some(1)));
    }
}
