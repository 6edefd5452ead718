//! One list of a menu, ready to be sent.

use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};
use mcp::{Id, ListKind, Shape};

use crate::federation::menu::fragment::{self, Fragment};
use crate::federation::menu::{Menu, report};
use crate::reply::Segments;

/// One list as clients of each shape see it. What most clients take is rendered with the menu, the
/// rest when it is asked for.
#[derive(Debug, Default)]
pub(super) struct Lists([OnceLock<List>; Shape::ALL.len()]);

impl Lists {
    /// Where the list of a shape is, or will be.
    pub(super) fn place(&self, shape: Shape) -> &OnceLock<List> {
        let [oldest, audio, usual, newest] = &self.0;
        match shape {
            Shape::V2024_11_05 => oldest,
            Shape::V2025_03_26 => audio,
            Shape::V2025_06_18 => usual,
            Shape::V2026_07_28 => newest,
        }
    }

    /// Renders what most clients take, and every other shape that was asked for already.
    pub(super) fn fill(&self, menu: &Menu, kind: ListKind, previous: Option<&Menu>) {
        let is_wanted = |shape| {
            previous.is_some_and(|previous| previous.of_kind(kind).place(shape).get().is_some())
        };
        self.place(Shape::USUAL).get_or_init(|| List::build(menu, kind, Shape::USUAL, previous));
        for shape in Shape::ALL.into_iter().filter(|shape| is_wanted(*shape)) {
            self.place(shape).get_or_init(|| List::build(menu, kind, shape, previous));
        }
    }
}

/// One list for clients of one shape: a fragment per target, and what stands around them.
#[derive(Debug)]
pub(super) struct List {
    /// One per target, in order.
    fragments: Vec<Arc<Fragment>>,
    /// What follows the id: `,"result":{"tools":[`.
    opening: Bytes,
    /// What follows the items, to the end of the response.
    closing: Bytes,
}

impl List {
    /// Renders a list of a menu whose names and URIs are known.
    pub(super) fn build(
        menu: &Menu,
        kind: ListKind,
        shape: Shape,
        previous: Option<&Menu>,
    ) -> List {
        let usual = menu.of_kind(kind).place(Shape::USUAL).get();
        let fragments: Vec<_> = (0..menu.targets.len())
            .map(|target| {
                let known =
                    previous.and_then(|previous| reusable(menu, previous, target, kind, shape));
                known.unwrap_or_else(|| {
                    let fragment = fragment::render(menu, target, kind, shape);
                    let usual = usual.and_then(|usual| usual.fragments.get(target));
                    match usual {
                        Some(usual) if **usual == fragment => usual.clone(),
                        Some(_) | None => Arc::new(fragment),
                    }
                })
            })
            .collect();
        let opening = format!(r#","result":{{"{}":["#, kind.field());
        let mut closing = BytesMut::from(&b"]"[..]);
        if let Some(meta) = report::meta(&menu.targets, &fragments, kind) {
            closing.extend_from_slice(br#","_meta":"#);
            closing.extend_from_slice(&meta);
        }
        closing.extend_from_slice(b"}}");
        List { fragments, opening: opening.into(), closing: closing.freeze() }
    }

    /// Whether a tool of a target is listed with its output wrapped.
    pub(super) fn wraps_output(&self, target: usize, native_name: &str) -> bool {
        self.fragments.get(target).is_some_and(|fragment| fragment.wrapped.contains(native_name))
    }

    /// The whole response, from shared pieces.
    pub(super) fn response(&self, id: &Id) -> Segments {
        let mut parts = Vec::with_capacity(4 + 2 * self.fragments.len());
        parts.push(Bytes::from_static(br#"{"jsonrpc":"2.0","id":"#));
        parts.push(id.as_bytes().clone());
        parts.push(self.opening.clone());
        parts.extend(self.items().cloned());
        parts.push(self.closing.clone());
        Segments::from(parts)
    }

    /// Whether two lists have the same items, byte for byte and in the same order.
    pub(super) fn same_items(&self, other: &List) -> bool {
        if self.items().map(place).eq(other.items().map(place)) {
            return true;
        }
        let length = |list: &List| list.items().map(Bytes::len).sum::<usize>();
        length(self) == length(other) && self.items().flatten().eq(other.items().flatten())
    }

    /// The fragments with the commas between them.
    fn items(&self) -> impl Iterator<Item = &Bytes> {
        static COMMA: Bytes = Bytes::from_static(b",");
        let items = self.fragments.iter().map(|fragment| &fragment.items);
        let filled = items.filter(|items| !items.is_empty());
        filled.enumerate().flat_map(|(position, items)| {
            let comma = (position > 0).then_some(&COMMA);
            comma.into_iter().chain(std::iter::once(items))
        })
    }
}

/// Where bytes lie in memory: those in one place are the same.
fn place(bytes: &Bytes) -> (*const u8, usize) {
    (bytes.as_ptr(), bytes.len())
}

/// The fragment of the previous menu, if it would come out the same.
fn reusable(
    menu: &Menu,
    previous: &Menu,
    target: usize,
    kind: ListKind,
    shape: Shape,
) -> Option<Arc<Fragment>> {
    let now = menu.targets.get(target)?;
    let position = previous.index.position(now.name.as_str())?;
    let before = previous.targets.get(position)?;
    let (catalog, known) = (now.catalog.as_ref()?, before.catalog.as_ref()?);
    let same = menu.uris.rewrites() == previous.uris.rewrites()
        && menu.is_single() == previous.is_single()
        && fragment::forms(menu, target, kind) == fragment::forms(previous, position, kind)
        && catalog.same_list(known, kind);
    if !same {
        return None;
    }
    previous.of_kind(kind).place(shape).get()?.fragments.get(position).cloned()
}
