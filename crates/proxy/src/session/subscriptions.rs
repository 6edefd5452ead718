//! What the client of a session watches.

use std::collections::BTreeSet;
use std::sync::Arc;

use parking_lot::Mutex;

/// How many resources a client may watch.
const MOST: usize = 256;
/// The longest URI of one, in bytes.
const LONGEST_URI: usize = 4 << 10;

/// What one client watches: each upstream's serial with the target's own URI.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions(Mutex<BTreeSet<(u64, Arc<str>)>>);

impl Subscriptions {
    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Whether one more can be watched: what is watched has to be remembered.
    pub(crate) fn has_room(&self, upstream: u64, uri: &Arc<str>) -> bool {
        has_room(&self.0.lock(), &(upstream, uri.clone()))
    }

    /// Notes a subscription.
    pub(crate) fn add(&self, upstream: u64, uri: Arc<str>) {
        let mut all = self.0.lock();
        let subscription = (upstream, uri);
        // Whoever asked first when there was one place left has it.
        if has_room(&all, &subscription) {
            all.insert(subscription);
        }
    }

    /// Forgets a subscription.
    pub(crate) fn remove(&self, upstream: u64, uri: &str) {
        self.0.lock().retain(|(serial, known)| *serial != upstream || **known != *uri);
    }

    /// Forgets those at an upstream that is gone.
    pub(super) fn forget(&self, upstream: u64) {
        self.0.lock().retain(|(serial, _)| *serial != upstream);
    }

    /// Those at an upstream.
    pub(crate) fn at(&self, upstream: u64) -> Vec<Arc<str>> {
        let all = self.0.lock();
        all.iter().filter(|(serial, _)| *serial == upstream).map(|(_, uri)| uri.clone()).collect()
    }

    /// Whether there is any at an upstream.
    pub(super) fn is_any_at(&self, upstream: u64) -> bool {
        self.0.lock().iter().any(|(serial, _)| *serial == upstream)
    }
}

fn has_room(all: &BTreeSet<(u64, Arc<str>)>, subscription: &(u64, Arc<str>)) -> bool {
    let is_new = !all.contains(subscription);
    subscription.1.len() <= LONGEST_URI && !(is_new && all.len() >= MOST)
}
