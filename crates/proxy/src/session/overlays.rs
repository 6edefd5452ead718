//! Lists that a target shows to one session only (DESIGN 6): some servers give a client more tools
//! when it asks for them, or when its user has logged in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mcp::ListKind;
use parking_lot::Mutex;

use crate::catalog::{Catalog, Listed};
use crate::federation::Offer;
use crate::upstream::OverlayPlace;

/// The lists that one session has of its own, and the offer that they make.
#[derive(Debug, Default)]
pub(super) struct Overlays {
    /// Whether there are any: nearly no session has some.
    is_any: AtomicBool,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// By the upstream's serial.
    own: HashMap<u64, Own>,
    /// The offer of everybody, and what the session sees instead.
    seen: Option<(Arc<Offer>, Arc<Offer>)>,
}

/// What one target shows to the session only.
#[derive(Debug)]
struct Own {
    lists: HashMap<ListKind, Listed>,
    _place: OverlayPlace,
}

impl Overlays {
    /// What the session sees where everybody sees `shared`.
    pub(super) fn over(&self, shared: Arc<Offer>) -> Arc<Offer> {
        if self.is_none() {
            return shared;
        }
        let mut known = self.known.lock();
        if let Some((below, seen)) = &known.seen
            && Arc::ptr_eq(below, &shared)
        {
            return seen.clone();
        }
        let catalogs = known.own.iter().map(|(upstream, own)| {
            let lists = own.lists.iter().map(|(kind, listed)| (*kind, listed));
            (*upstream, lists.collect())
        });
        let seen = Arc::new(shared.overlaid(&catalogs.collect()));
        known.seen = Some((shared, seen.clone()));
        seen
    }

    /// Whether the session sees what everybody does.
    pub(super) fn is_none(&self) -> bool {
        !self.is_any.load(Ordering::Acquire)
    }

    /// Whether the session sees another list of this target than everybody does.
    pub(super) fn has(&self, upstream: u64, kind: ListKind) -> bool {
        let lists = |known: &Known| {
            known.own.get(&upstream).is_some_and(|own| own.lists.contains_key(&kind))
        };
        !self.is_none() && lists(&self.known.lock())
    }

    /// Takes what a session's own connection lists where everybody's has `shared`; says whether that
    /// is something else than the session saw. `place` is asked for where the session has no list
    /// of its own at that target yet; without one it sees what everybody does.
    pub(super) fn found(
        &self,
        upstream: u64,
        shared: &Catalog,
        kind: ListKind,
        listed: Listed,
        place: impl FnOnce() -> Option<OverlayPlace>,
    ) -> bool {
        let own = shared.with_list(kind, &listed);
        if own.same_list(shared, kind) {
            return self.forget(upstream, Some(kind));
        }
        let mut known = self.known.lock();
        let before = known.own.get(&upstream).and_then(|own| own.lists.get(&kind));
        let is_known =
            before.is_some_and(|before| shared.with_list(kind, before).same_list(&own, kind));
        if is_known {
            return false;
        }
        match known.own.entry(upstream) {
            Entry::Occupied(mut own) => {
                own.get_mut().lists.insert(kind, listed);
            }
            Entry::Vacant(entry) => {
                let Some(_place) = place() else { return false };
                entry.insert(Own { lists: HashMap::from([(kind, listed)]), _place });
            }
        }
        known.seen = None;
        self.is_any.store(true, Ordering::Release);
        true
    }

    /// The session sees again what everybody does, of one list of a target or of all; says whether
    /// it did not before.
    pub(super) fn forget(&self, upstream: u64, kind: Option<ListKind>) -> bool {
        if self.is_none() {
            return false;
        }
        let mut known = self.known.lock();
        let Some(own) = known.own.get_mut(&upstream) else { return false };
        let before = own.lists.len();
        own.lists.retain(|list, _| kind.is_some_and(|kind| *list != kind));
        let (has_changed, is_over) = (own.lists.len() < before, own.lists.is_empty());
        if is_over {
            known.own.remove(&upstream);
        }
        known.seen = None;
        self.is_any.store(!known.own.is_empty(), Ordering::Release);
        has_changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::fixtures::Offer as Listing;

    #[test]
    fn a_list_that_is_cut_for_everybody_is_nobodys_own() {
        let tools = Listing::tools(&["x"]).catalog();
        let listed = |cut: &str| {
            let items = tools.items(ListKind::Tools).to_vec();
            Listed { items, cut: Some(cut.to_owned()) }
        };
        let shared = tools.with_list(ListKind::Tools, &listed("after 1"));
        let overlays = Overlays::default();
        let found = |cut| {
            let place = || panic!("no place is needed");
            overlays.found(1, &shared, ListKind::Tools, listed(cut), place)
        };
        assert!(!found("after 1"));
        assert!(overlays.is_none());
    }
}
