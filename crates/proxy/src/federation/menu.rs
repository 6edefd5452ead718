//! What one backend offers: an index of names and URIs, and each list ready to be sent.
//!
//! A menu never changes; a new one is built when a target's catalog or standing does, and takes
//! over from the previous one what stays the same.

use std::borrow::Cow;
use std::sync::Arc;

use bytes::Bytes;
use mcp::{Id, ListKind, Revision, Shape, TargetName};

use crate::catalog::{Catalog, Standing};
use crate::federation::naming::{NameKind, Names, Naming};
use crate::federation::resolution::{Resolved, TargetIndex, Unresolved};
use crate::federation::uri::Uris;
use crate::reply::Segments;

mod fragment;
mod hello;
mod list;
mod report;

use list::{List, Lists};

/// A target of a menu.
#[derive(Debug, Clone)]
pub struct MenuTarget {
    /// Its name, which no other target of the menu has.
    pub name: TargetName,
    /// What it offers, if that was ever known.
    pub catalog: Option<Arc<Catalog>>,
    /// What the lists say about it.
    pub standing: Standing,
}

/// What one backend offers.
#[derive(Debug)]
pub struct Menu {
    targets: Vec<MenuTarget>,
    index: TargetIndex,
    tools: Names,
    prompts: Names,
    uris: Uris,
    /// In the order of [`ListKind::ALL`].
    lists: [Lists; 4],
}

impl Menu {
    /// Names and renders what the targets offer, in their order, as most clients take it; for
    /// clients of other revisions too, if `previous` was asked for that. What is the same as in
    /// `previous` is not rendered again.
    pub fn build(targets: Vec<MenuTarget>, naming: &Naming, previous: Option<&Menu>) -> Menu {
        let index = TargetIndex::new(targets.iter().map(|target| target.name.clone()).collect());
        let catalogs: Vec<_> = targets.iter().map(|target| target.catalog.clone()).collect();
        let menu = Menu {
            tools: Names::build(NameKind::Tool, naming, &index, &catalogs),
            prompts: Names::build(NameKind::Prompt, naming, &index, &catalogs),
            uris: Uris::build(naming, &index, &catalogs),
            lists: Default::default(),
            index,
            targets,
        };
        for kind in ListKind::ALL {
            menu.of_kind(kind).fill(&menu, kind, previous);
        }
        menu
    }

    /// The answer to a list request: prepared pieces around the id, nothing copied but the id.
    /// `_meta` tells which targets are missing or stale and which entries are withheld. The first
    /// client of a shape waits until it is rendered.
    pub fn list(&self, kind: ListKind, shape: Shape, id: &Id) -> Segments {
        self.rendered(kind, shape).response(id)
    }

    /// Whether a list request is answered from here. The only target answers it itself where it
    /// does not say that it has such a list, since it may have one all the same, and where it has
    /// never given it: why is its own to say.
    pub fn has_list(&self, kind: ListKind) -> bool {
        let [MenuTarget { catalog: Some(catalog), .. }] = self.targets.as_slice() else {
            return true;
        };
        let was_given = catalog.unread(kind).is_none() || !catalog.items(kind).is_empty();
        catalog.hello.capabilities.offers(kind) && was_given
    }

    /// Whether clients of `shape` see a tool's output wrapped, so that its results have to be.
    pub fn wraps_output(&self, target: usize, native_name: &str, shape: Shape) -> bool {
        self.rendered(ListKind::Tools, shape).wraps_output(target, native_name)
    }

    /// Which entry a client's tool or prompt name means.
    ///
    /// # Errors
    /// No target has it, or several do.
    pub fn resolve_name(&self, kind: NameKind, name: &str) -> Result<Resolved, Unresolved> {
        self.names(kind).resolve(&self.index, name)
    }

    /// Which target a client's resource URI (or template, for completion) belongs to.
    ///
    /// # Errors
    /// No target offers it, or several may.
    pub fn resolve_uri(&self, uri: &str) -> Result<Resolved, Unresolved> {
        self.uris.resolve(&self.index, uri)
    }

    /// Whose a task is among several targets, by the name that clients have for it, and its own
    /// name. It needs no memory, so that every replica knows it.
    pub fn resolve_task(&self, id: &str) -> Option<Resolved> {
        let (name, native) = id.split_once('+')?;
        let target = self.index.position(name)?;
        Some(Resolved { target, native: native.into(), listed: true })
    }

    /// Whether a target keeps tasks for its clients, as far as is known.
    pub fn has_tasks(&self, target: usize) -> bool {
        let catalog = self.targets.get(target).and_then(|target| target.catalog.as_ref());
        catalog.is_some_and(|catalog| catalog.hello.capabilities.tasks)
    }

    /// The name of a target, where it is one among several.
    pub fn name_among_several(&self, target: usize) -> Option<&TargetName> {
        if self.is_single() { None } else { self.index.name(target) }
    }

    /// The lists whose entries differ from those of `previous`, for most clients; templates count
    /// as resources. What the lists say of targets in `_meta` does not count.
    pub fn changed_from(&self, previous: &Menu) -> Vec<ListKind> {
        let usual = Shape::USUAL;
        let changed = |kind| !self.rendered(kind, usual).same_items(previous.rendered(kind, usual));
        let mut kinds = Vec::new();
        for kind in [ListKind::Tools, ListKind::Prompts] {
            if changed(kind) {
                kinds.push(kind);
            }
        }
        if changed(ListKind::Resources) || changed(ListKind::ResourceTemplates) {
            kinds.push(ListKind::Resources);
        }
        kinds
    }

    /// The targets, in configuration order.
    pub(crate) fn targets(&self) -> &[MenuTarget] {
        &self.targets
    }

    /// Whether there is exactly one target, which is then passed through.
    pub fn is_single(&self) -> bool {
        self.targets.len() == 1
    }

    /// Whether URIs in a target's results have to be mapped: clients see other ones, and the
    /// target has resources or apps, or is not known yet.
    pub fn rewrites_uris(&self, target: usize) -> bool {
        let catalog = self.targets.get(target).and_then(|target| target.catalog.as_ref());
        self.uris.rewrites() && catalog.is_none_or(|catalog| catalog.has_uris())
    }

    /// Whether a target completes arguments, as far as is known.
    pub fn has_completions(&self, target: usize) -> bool {
        let catalog = self.targets.get(target).and_then(|target| target.catalog.as_ref());
        catalog.is_none_or(|catalog| catalog.hello.capabilities.completions)
    }

    /// What clients see for a URI of a target.
    pub fn client_uri<'a>(&self, target: usize, native_uri: &'a str) -> Cow<'a, str> {
        self.uris.client_uri(&self.index, target, native_uri)
    }

    /// The `result` of `initialize`: a single target's own with the revision replaced; else the
    /// gateway's, with the same capabilities whatever the targets have, because a session cannot
    /// gain one later; tasks only if a target has them, because they change how clients call.
    pub fn initialize_result(&self, revision: Revision, gateway_version: &str) -> Bytes {
        hello::initialize_result(self, revision, gateway_version)
    }

    fn names(&self, kind: NameKind) -> &Names {
        match kind {
            NameKind::Tool => &self.tools,
            NameKind::Prompt => &self.prompts,
        }
    }

    fn rendered(&self, kind: ListKind, shape: Shape) -> &List {
        let place = self.of_kind(kind).place(shape);
        place.get_or_init(|| List::build(self, kind, shape, None))
    }

    fn of_kind(&self, kind: ListKind) -> &Lists {
        let [tools, prompts, resources, templates] = &self.lists;
        match kind {
            ListKind::Tools => tools,
            ListKind::Prompts => prompts,
            ListKind::Resources => resources,
            ListKind::ResourceTemplates => templates,
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_types, reason = "a test reads whole answers as a client does")]
mod tests;
