//! What one target offers, and how it stands. Knows nothing of other targets or of prefixes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::SystemTime;

use mcp::{InitializeResult, Item, ListKind};

/// What one target offers: its `initialize` result and its four lists, entries as raw JSON in the
/// server's order.
#[derive(Debug, Clone)]
pub struct Catalog {
    /// What the target said when its session was opened.
    pub hello: InitializeResult,
    /// In the order of [`ListKind::ALL`]. Every item has a key, and no key stands twice in a list.
    lists: [Arc<[Item]>; 4],
    withheld: Vec<Withheld>,
    unread: Vec<Unread>,
    cuts: Vec<Cut>,
}

/// A list that the target has and did not give when it was asked last. What is offered of it is the
/// last that it gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Which list.
    pub kind: ListKind,
    /// Since when.
    pub since: SystemTime,
    /// Why, for the reader of the list.
    pub reason: String,
}

/// What a target lists of one kind.
#[derive(Debug, Clone)]
pub struct Listed {
    /// In the server's order.
    pub items: Vec<Item>,
    /// Where and why the list does not go on though the target's does, for the reader of the list.
    pub cut: Option<String>,
}

/// A list that goes on where we do not follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Which list.
    pub kind: ListKind,
    /// Where and why, for the reader of the list.
    pub reason: String,
}

/// An entry that cannot be offered because it cannot be routed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withheld {
    /// The list it stands in.
    pub kind: ListKind,
    /// Its name or URI, if it has one.
    pub key: Option<Arc<str>>,
    /// What is wrong with it.
    pub reason: WithheldReason,
}

/// Why an entry is withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WithheldReason {
    /// Its name or URI is missing, empty or not a string.
    NoKey,
    /// An earlier entry of the same list has the same name or URI; that one is offered.
    Repeated,
}

/// How one target stands in its backend's menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its catalog is what it offers now, as far as is known.
    Fresh,
    /// Its catalog is the last known good one.
    Stale {
        /// Since when it has not answered.
        since: SystemTime,
        /// Why, for the reader of a list.
        reason: String,
    },
    /// It has no catalog yet.
    Missing {
        /// Since when it is waited for.
        since: SystemTime,
        /// Why it has none, for the reader of a list.
        reason: String,
    },
}

impl Catalog {
    /// A catalog of drained lists, given in the order of [`ListKind::ALL`]; those that are `unread`
    /// are the last that are known, and those of `cuts` are not whole.
    pub fn new(
        hello: InitializeResult,
        lists: [Vec<Item>; 4],
        unread: Vec<Unread>,
        cuts: Vec<Cut>,
    ) -> Self {
        let mut withheld = Vec::new();
        let [tools, prompts, resources, templates] = lists;
        let lists = [
            routable(ListKind::Tools, tools, &mut withheld),
            routable(ListKind::Prompts, prompts, &mut withheld),
            routable(ListKind::Resources, resources, &mut withheld),
            routable(ListKind::ResourceTemplates, templates, &mut withheld),
        ];
        Self { hello, lists, withheld, unread, cuts }
    }

    /// The same with another list of one kind.
    pub(crate) fn with_list(&self, kind: ListKind, listed: &Listed) -> Self {
        let mut other = self.clone();
        other.withheld.retain(|entry| entry.kind != kind);
        other.unread.retain(|unread| unread.kind != kind);
        other.cuts.retain(|cut| cut.kind != kind);
        other.cuts.extend(listed.cut.clone().map(|reason| Cut { kind, reason }));
        let list = routable(kind, listed.items.clone(), &mut other.withheld);
        let [tools, prompts, resources, templates] = &mut other.lists;
        match kind {
            ListKind::Tools => *tools = list,
            ListKind::Prompts => *prompts = list,
            ListKind::Resources => *resources = list,
            ListKind::ResourceTemplates => *templates = list,
        }
        other
    }

    /// The entries of a list. Every one of them has a key, different from the others.
    pub fn items(&self, kind: ListKind) -> &[Item] {
        self.list(kind)
    }

    /// The entries that are not offered, list by list, in the server's order.
    pub fn withheld(&self) -> &[Withheld] {
        &self.withheld
    }

    /// Why a list is not what the target offers now, if it is not.
    pub fn unread(&self, kind: ListKind) -> Option<&Unread> {
        self.unread.iter().find(|unread| unread.kind == kind)
    }

    /// Why a list ends before the target's does, if it does.
    pub fn cut(&self, kind: ListKind) -> Option<&Cut> {
        self.cuts.iter().find(|cut| cut.kind == kind)
    }

    /// Whether every list is what the target offers now.
    pub fn is_fresh(&self) -> bool {
        self.unread.is_empty()
    }

    /// Whether a list has the same entries, byte for byte, in the same order, and the same ones
    /// withheld, and is read, whole or not as the other is. Looks at the entries only if the lists are not one and the same.
    pub fn same_list(&self, other: &Catalog, kind: ListKind) -> bool {
        let (mine, theirs) = (self.list(kind), other.list(kind));
        let same_items = Arc::ptr_eq(mine, theirs)
            || (mine.len() == theirs.len()
                && mine.iter().zip(theirs.iter()).all(|(one, two)| one.raw == two.raw));
        let withheld = self.withheld.iter().filter(|entry| entry.kind == kind);
        let same_standing =
            self.unread(kind) == other.unread(kind) && self.cut(kind) == other.cut(kind);
        same_items
            && same_standing
            && withheld.eq(other.withheld.iter().filter(|entry| entry.kind == kind))
    }

    /// Whether everything is the same, so that nothing has to be rendered again.
    pub fn is_same(&self, other: &Catalog) -> bool {
        self.hello.raw == other.hello.raw
            && ListKind::ALL.iter().all(|kind| self.same_list(other, *kind))
    }

    /// Whether its results may hold URIs that a client passes back: it has resources, or tools
    /// that come with an app.
    pub(crate) fn has_uris(&self) -> bool {
        self.hello.capabilities.resources
            || self.items(ListKind::Tools).iter().any(|tool| !tool.ui_uris.is_empty())
    }

    fn list(&self, kind: ListKind) -> &Arc<[Item]> {
        let [tools, prompts, resources, templates] = &self.lists;
        match kind {
            ListKind::Tools => tools,
            ListKind::Prompts => prompts,
            ListKind::Resources => resources,
            ListKind::ResourceTemplates => templates,
        }
    }
}

/// The entries that can be routed; the others go to `withheld`.
fn routable(kind: ListKind, items: Vec<Item>, withheld: &mut Vec<Withheld>) -> Arc<[Item]> {
    let mut seen: HashSet<Arc<str>> = HashSet::with_capacity(items.len());
    let mut kept = Vec::with_capacity(items.len());
    for item in items {
        let key: Option<Arc<str>> = item.key.as_ref().map(|key| Arc::from(key.as_str()));
        let reason = match &key {
            Some(key) if key.is_empty() => WithheldReason::NoKey,
            Some(key) if seen.insert(key.clone()) => {
                kept.push(item);
                continue;
            }
            Some(_) => WithheldReason::Repeated,
            None => WithheldReason::NoKey,
        };
        withheld.push(Withheld { kind, key, reason });
    }
    kept.into()
}

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(test)]
mod tests;
