//! What a client knows of changed lists.

use mcp::ListKind;
use parking_lot::Mutex;

use crate::federation::Changes;

/// What one client has heard of.
#[derive(Debug)]
pub(super) struct Heard(Mutex<State>);

#[derive(Debug)]
struct State {
    changes: Changes,
    /// The kinds of which a target's own word is on its way: the client hears that, once.
    promised: Vec<ListKind>,
}

impl Heard {
    /// All changes up to now.
    pub(super) fn new(changes: Changes) -> Self {
        Self(Mutex::new(State { changes, promised: Vec::new() }))
    }

    /// A target's own word of this is on its way.
    pub(super) fn promise(&self, kind: ListKind) {
        self.0.lock().promised.push(kind);
    }

    /// That word is here.
    pub(super) fn keep_promise(&self, kind: ListKind) {
        self.0.lock().promised.retain(|promised| *promised != kind);
    }

    /// The lists that have changed since, but for what is promised; they are heard of now.
    pub(super) fn catch_up(&self, now: &Changes) -> Vec<ListKind> {
        let mut state = self.0.lock();
        let mut differs = now.since(&state.changes);
        differs.retain(|kind| {
            let is_it = |promised: &ListKind| promised.changed() == kind.changed();
            !state.promised.iter().any(is_it)
        });
        differs.iter().for_each(|kind| state.changes.hear(*kind, now));
        differs
    }
}
