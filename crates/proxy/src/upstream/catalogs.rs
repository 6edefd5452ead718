//! Which catalogs of a target there are: one for each kind of client, as far as the bounds allow.

use std::sync::Arc;

use crate::metrics::Limit;
use crate::upstream::Upstream;
use crate::upstream::declaration::Declaration;
use crate::upstream::feed::Feed;
use crate::upstream::lease::Seat;

impl Upstream {
    /// The catalog for clients of this kind, started if there is none. A server that keeps no
    /// session cannot tell clients apart, so that everybody gets the same; so does who comes when
    /// there are `limits.catalogsPerTarget`. Catalogs of a process have a process each, a
    /// quarter as many as clients may have, and one at least.
    pub fn feed(self: &Arc<Self>, declaration: &Declaration) -> Arc<Feed> {
        let is_base = declaration == self.base.declaration();
        if is_base || self.base.seat().is_some_and(|seat| seat.is_stateless()) {
            return self.base.clone();
        }
        let mut others = self.others.lock();
        if let Some(known) = others.iter().find(|feed| feed.declaration() == declaration) {
            return known.clone();
        }
        if others.len() + 1 >= self.most_catalogs() {
            self.rejected(Limit::Catalogs);
            return largest_within(&others, declaration).unwrap_or(&self.base).clone();
        }
        let feed = Feed::new(
            declaration.clone(),
            self.limits.list.get(),
            self.clock.unix(),
            self.tasks.child(),
        );
        self.follow(&feed);
        others.push(feed.clone());
        feed
    }

    /// Takes out the catalogs that no backend shows any more; their sessions are the caller's to
    /// close.
    pub fn unwanted(&self) -> Vec<Arc<Seat>> {
        let mut seats = Vec::new();
        self.others.lock().retain(|feed| {
            let stays = Feed::is_wanted(feed);
            if !stays {
                feed.tasks.cancel();
                seats.extend(feed.take_seat());
            }
            stays
        });
        seats
    }

    fn most_catalogs(&self) -> usize {
        let most = self.limits.catalogs_per_target;
        if !self.is_process() {
            return most;
        }
        let processes = catalog_processes(self.target().settings.max_processes);
        most.min(usize::try_from(processes).unwrap_or(usize::MAX))
    }
}

/// How many processes catalogs may have besides those of clients.
fn catalog_processes(most: u32) -> u32 {
    (most / 4).max(1)
}

/// How many processes catalogs may have in fact: one whose last session is still ending has two for
/// a moment.
pub(super) fn running_catalogs(most: u32) -> u32 {
    catalog_processes(most).saturating_mul(2)
}

/// Of the catalogs for clients that can do no more than this one, the one for those that can most.
fn largest_within<'a>(feeds: &'a [Arc<Feed>], declaration: &Declaration) -> Option<&'a Arc<Feed>> {
    let set = declaration.set();
    let smaller = feeds.iter().filter(|feed| set.contains(feed.declaration().set()));
    smaller.max_by_key(|feed| feed.declaration().set().len())
}
