//! One target's items of a list, as clients of one shape see them. Items are edited in place: among
//! several targets names and URIs change, and of any target what these clients could not read.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use mcp::{FULL_NAME_META, Item, ListKind, Shape, ShapedItem, Shaper, Span, TargetName};

use crate::federation::menu::Menu;
use crate::federation::naming::Listed;
use crate::federation::uri::{ListedUri, qualified, qualified_link};

/// A target's items of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Fragment {
    /// Separated by commas, or nothing.
    pub(super) items: Bytes,
    /// Those that are left out because of them these clients would refuse the whole list.
    pub(super) withheld: Vec<Unreadable>,
    /// The tools whose output is wrapped, by the names that the target knows them by.
    pub(super) wrapped: HashSet<Arc<str>>,
}

/// An item that clients could not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable {
    /// Its name or URI, as the target knows it.
    pub(super) key: Arc<str>,
    /// What is wrong with it.
    pub(super) reason: String,
}

/// How the items of a target are listed, in the order of its catalog.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Forms<'a> {
    Names(&'a [Listed]),
    Uris(&'a [ListedUri]),
}

pub(super) fn forms(menu: &Menu, target: usize, kind: ListKind) -> Forms<'_> {
    match kind {
        ListKind::Tools => Forms::Names(menu.tools.listed(target)),
        ListKind::Prompts => Forms::Names(menu.prompts.listed(target)),
        ListKind::Resources | ListKind::ResourceTemplates => {
            Forms::Uris(menu.uris.listed(target, kind))
        }
    }
}

/// A target's items for clients of a shape.
pub(super) fn render(menu: &Menu, target: usize, kind: ListKind, shape: Shape) -> Fragment {
    let Some(target_now) = menu.targets.get(target) else { return Fragment::default() };
    let Some(catalog) = &target_now.catalog else { return Fragment::default() };
    let links = if menu.uris.rewrites() { Links::Qualified } else { Links::Native };
    let items = catalog.items(kind);
    let apps = if menu.is_single() { Apps::Native } else { Apps::Federated };
    let mut fragment = Writer::new(kind, shape, apps, items);
    match forms(menu, target, kind) {
        Forms::Names(names) => {
            for (item, listed) in items.iter().zip(names) {
                fragment.add(item, name_edits(&target_now.name, item, listed, links));
            }
        }
        Forms::Uris(uris) => {
            for (item, listed) in items.iter().zip(uris) {
                fragment.add(item, uri_edits(&target_now.name, item, *listed, links));
            }
        }
    }
    fragment.finish()
}

/// A fragment that grows.
struct Writer {
    shaper: Shaper,
    apps: Apps,
    items: BytesMut,
    fragment: Fragment,
}

/// Whether a host knows the server of an app by its own address, from which it derives the domain
/// that the app may ask for.
#[derive(Debug, Clone, Copy)]
enum Apps {
    Native,
    Federated,
}

impl Writer {
    fn new(kind: ListKind, shape: Shape, apps: Apps, items: &[Item]) -> Self {
        let length = items.iter().map(|item| item.raw.len() + 64).sum();
        let (items, fragment) = (BytesMut::with_capacity(length), Fragment::default());
        Self { shaper: Shaper::new(kind, shape), apps, items, fragment }
    }

    /// Adds an item: edited first, so that whatever it is called it is what these clients read.
    fn add(&mut self, item: &Item, mut edits: Vec<(Span, Bytes)>) {
        if let (Apps::Federated, Some(_)) = (self.apps, &item.meta) {
            let domains = mcp::item_domains(&item.raw);
            edits.extend(domains.into_iter().map(|span| (span, Bytes::new())));
            edits.sort_by_key(|(span, _)| (span.start, span.end));
        }
        let edited = if edits.is_empty() { item.raw.clone() } else { item.edited(&edits) };
        let key = || Arc::from(item.key.as_ref().map_or("", mcp::Text::as_str));
        match self.shaper.shape(&edited) {
            ShapedItem::Same => self.write(&edited),
            ShapedItem::Changed { item, wraps } => {
                if wraps {
                    self.fragment.wrapped.insert(key());
                }
                self.write(&item);
            }
            ShapedItem::Withheld(reason) => {
                self.fragment.withheld.push(Unreadable { key: key(), reason });
            }
        }
    }

    fn write(&mut self, item: &[u8]) {
        if !self.items.is_empty() {
            self.items.extend_from_slice(b",");
        }
        self.items.extend_from_slice(item);
    }

    fn finish(self) -> Fragment {
        Fragment { items: self.items.freeze(), ..self.fragment }
    }
}

/// Whether links to app resources are mapped.
#[derive(Debug, Clone, Copy)]
enum Links {
    Native,
    Qualified,
}

fn name_edits(
    target: &TargetName,
    item: &Item,
    listed: &Listed,
    links: Links,
) -> Vec<(Span, Bytes)> {
    let mut edits = link_edits(target, item, links);
    let Some(key) = &item.key else { return edits };
    match listed {
        Listed::Native(_) => {}
        Listed::Prefixed(name) => edits.push((key.span(), quoted(name).into())),
        Listed::Shortened { name, full } => {
            let full = quoted(full);
            let mut text = quoted(name);
            if item.title.is_none() {
                text.push_str(&format!(r#","title":{full}"#));
            }
            match &item.meta {
                Some(meta) => edits.push(full_name_in(item, meta, &full)),
                None => text.push_str(&format!(r#","_meta":{{"{FULL_NAME_META}":{full}}}"#)),
            }
            edits.push((key.span(), text.into()));
        }
    }
    edits.sort_by_key(|(span, _)| (span.start, span.end));
    edits
}

/// The full name as the first member of an item's own `_meta`.
fn full_name_in(item: &Item, meta: &Span, full: &str) -> (Span, Bytes) {
    let inside = meta.start + 1;
    let members = item.raw.get(inside..meta.end.saturating_sub(1)).unwrap_or_default();
    let comma = if members.trim_ascii().is_empty() { "" } else { "," };
    (inside..inside, format!(r#""{FULL_NAME_META}":{full}{comma}"#).into())
}

fn uri_edits(
    target: &TargetName,
    item: &Item,
    listed: ListedUri,
    links: Links,
) -> Vec<(Span, Bytes)> {
    let mut edits = link_edits(target, item, links);
    if let (ListedUri::Qualified, Some(key)) = (listed, &item.key) {
        edits.push((key.span(), quoted(&qualified(target, key.as_str())).into()));
        edits.sort_by_key(|(span, _)| (span.start, span.end));
    }
    edits
}

fn link_edits(target: &TargetName, item: &Item, links: Links) -> Vec<(Span, Bytes)> {
    match links {
        Links::Native => Vec::new(),
        Links::Qualified => {
            let mapped = item.ui_uris.iter().filter_map(|uri| {
                let mapped = qualified_link(target, uri.as_str())?;
                Some((uri.span(), quoted(&mapped).into()))
            });
            let mut edits: Vec<_> = mapped.collect();
            edits.sort_by_key(|(span, _): &(Span, Bytes)| span.start);
            edits
        }
    }
}

/// A JSON string.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}
