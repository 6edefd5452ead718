//! The clients that share one connection to a server that keeps a session: what it says outside of
//! calls reaches those whom it concerns, and what it is told suits all of them.

use std::fmt;
use std::sync::{Arc, Weak};

use mcp::Level;
use parking_lot::Mutex;

use crate::upstream::transport::{Inbound, Listener};

/// The clients that share a connection. Locked when one joins, when the server speaks outside of
/// calls, and when a client watches something or sets its level.
#[derive(Default)]
pub(in crate::upstream) struct Sharers(Mutex<Vec<Weak<dyn Listener>>>);

impl Sharers {
    /// One more client, which has not joined before.
    pub(super) fn join(&self, listener: &Arc<dyn Listener>) {
        let mut all = self.0.lock();
        all.retain(|known| known.strong_count() > 0);
        all.push(Arc::downgrade(listener));
    }

    /// Something that the server said to its client: an update for those who watch the resource or
    /// one above it, anything else for everybody. What it asks has no one to answer.
    pub(in crate::upstream) fn hear(&self, said: &Inbound) {
        for listener in self.all() {
            let concerns = match said {
                Inbound::ResourceUpdated(notice) => {
                    let uri = notice.routed().uri.as_ref().map(mcp::Text::as_str);
                    uri.is_some_and(|uri| watches(&*listener, |watched| is_within(uri, watched)))
                }
                Inbound::Log(_) | Inbound::Notice(_) => true,
                Inbound::ListChanged(_)
                | Inbound::Request(..)
                | Inbound::Withdrawn(..)
                | Inbound::Closed(_) => false,
            };
            if concerns {
                listener.hear(said.clone());
            }
        }
    }

    /// How many clients watch a resource.
    pub(in crate::upstream) fn watching(&self, uri: &str) -> usize {
        self.all().iter().filter(|listener| watches(&***listener, |known| known == uri)).count()
    }

    /// The most verbose level that any client wants.
    pub(in crate::upstream) fn level(&self) -> Option<Level> {
        self.all().iter().filter_map(|listener| listener.settings().level).min()
    }

    fn all(&self) -> Vec<Arc<dyn Listener>> {
        self.0.lock().iter().filter_map(Weak::upgrade).collect()
    }
}

fn watches(listener: &dyn Listener, is_it: impl Fn(&str) -> bool) -> bool {
    listener.settings().subscriptions.iter().any(|watched| is_it(watched))
}

/// Whether a resource is the one that is watched, or below it: a server may report what is inside.
fn is_within(uri: &str, watched: &str) -> bool {
    let rest = uri.strip_prefix(watched);
    rest.is_some_and(|rest| {
        rest.is_empty() || watched.ends_with('/') || rest.starts_with(['/', '?', '#'])
    })
}

impl fmt::Debug for Sharers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sharers").field("count", &self.0.lock().len()).finish()
    }
}

#[cfg(test)]
mod tests;
