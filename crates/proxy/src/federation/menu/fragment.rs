//! One target's items of a list, as clients see them. Items are edited in place: only names and
//! URIs change, and a single target's items not at all.

use bytes::{Bytes, BytesMut};
use mcp::{FULL_NAME_META, Item, ListKind, Span, TargetName};

use crate::federation::menu::Menu;
use crate::federation::naming::Listed;
use crate::federation::uri::{ListedUri, qualified, qualified_link};

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

/// A target's items, separated by commas.
pub(super) fn render(menu: &Menu, target: usize, kind: ListKind) -> Bytes {
    let Some(target_now) = menu.targets.get(target) else { return Bytes::new() };
    let Some(catalog) = &target_now.catalog else { return Bytes::new() };
    let links = if menu.uris.rewrites() { Links::Qualified } else { Links::Native };
    let items = catalog.items(kind);
    let mut fragment = BytesMut::with_capacity(items.iter().map(|item| item.raw.len() + 64).sum());
    let mut add = |item: &Item, edits: Vec<(Span, Bytes)>| {
        if !fragment.is_empty() {
            fragment.extend_from_slice(b",");
        }
        if edits.is_empty() {
            fragment.extend_from_slice(&item.raw);
        } else {
            fragment.extend_from_slice(&item.edited(&edits));
        }
    };
    match forms(menu, target, kind) {
        Forms::Names(names) => {
            for (item, listed) in items.iter().zip(names) {
                add(item, name_edits(&target_now.name, item, listed, links));
            }
        }
        Forms::Uris(uris) => {
            for (item, listed) in items.iter().zip(uris) {
                add(item, uri_edits(&target_now.name, item, *listed, links));
            }
        }
    }
    fragment.freeze()
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
