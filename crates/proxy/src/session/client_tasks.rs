//! The tasks that a client keeps for targets (2025-11-25, tasks): each is known to the one target alone
//! that asked for it.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;

/// How many are remembered for one target; its oldest are forgotten first.
const MOST: usize = 64;
/// The longest id of one, in bytes.
const LONGEST: usize = 256;

/// Which target a task of one client belongs to: the client's ids, oldest first, by the upstream's serial.
#[derive(Debug, Default)]
pub(super) struct ClientTasks(Mutex<HashMap<u64, VecDeque<String>>>);

/// The id of a task is too long to be remembered.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the id of the client's task is longer than {LONGEST} bytes")]
pub(super) struct TooLong;

impl ClientTasks {
    /// The client keeps a task for an upstream.
    ///
    /// # Errors
    /// Its id is too long.
    pub(super) fn add(&self, id: &str, upstream: u64) -> Result<(), TooLong> {
        if id.len() > LONGEST {
            return Err(TooLong);
        }
        let mut all = self.0.lock();
        // An id that a client gives again is the newest one's.
        all.values_mut().for_each(|ids| ids.retain(|known| known != id));
        let ids = all.entry(upstream).or_default();
        if ids.len() >= MOST {
            ids.pop_front();
        }
        ids.push_back(id.to_owned());
        Ok(())
    }

    /// Whose a task is, if it is known.
    pub(super) fn owner(&self, id: &str) -> Option<u64> {
        let all = self.0.lock();
        let owner = all.iter().find(|(_, ids)| ids.iter().any(|known| known == id));
        owner.map(|(upstream, _)| *upstream)
    }

    /// Forgets those of an upstream that is gone.
    pub(super) fn forget(&self, upstream: u64) {
        self.0.lock().remove(&upstream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_with_many_tasks_loses_its_oldest_and_nobody_elses() {
        let tasks = ClientTasks::default();
        tasks.add("of another", 2).unwrap();
        for number in 0..=MOST {
            tasks.add(&number.to_string(), 1).unwrap();
        }
        assert_eq!((tasks.owner("0"), tasks.owner("1")), (None, Some(1)));
        assert_eq!(tasks.owner("of another"), Some(2));
        tasks.add("1", 2).unwrap();
        assert_eq!(tasks.owner("1"), Some(2));
        tasks.forget(2);
        assert_eq!((tasks.owner("1"), tasks.owner("2")), (None, Some(1)));
        assert_eq!(tasks.add(&"x".repeat(LONGEST + 1), 1), Err(TooLong));
    }
}
