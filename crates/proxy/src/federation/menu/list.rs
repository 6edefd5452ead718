//! One list of a menu, ready to be sent.

use bytes::{Bytes, BytesMut};
use mcp::{Id, ListKind};

use crate::federation::menu::{Menu, fragment, report};
use crate::reply::Segments;

/// One list of a menu: a fragment per target, and what stands around them.
#[derive(Debug, Default)]
pub(super) struct List {
    /// One per target, in order: its items separated by commas, or nothing.
    fragments: Vec<Bytes>,
    /// What follows the id: `,"result":{"tools":[`.
    opening: Bytes,
    /// What follows the items, to the end of the response.
    closing: Bytes,
}

impl List {
    /// Renders a list of a menu whose names and URIs are known.
    pub(super) fn build(menu: &Menu, kind: ListKind, previous: Option<&Menu>) -> List {
        let fragments = (0..menu.targets.len())
            .map(|target| {
                previous
                    .and_then(|previous| reusable(menu, previous, target, kind))
                    .unwrap_or_else(|| fragment::render(menu, target, kind))
            })
            .collect();
        let opening = format!(r#","result":{{"{}":["#, kind.field());
        let mut closing = BytesMut::from(&b"]"[..]);
        if let Some(meta) = report::meta(&menu.targets, kind) {
            closing.extend_from_slice(br#","_meta":"#);
            closing.extend_from_slice(&meta);
        }
        closing.extend_from_slice(b"}}");
        List { fragments, opening: opening.into(), closing: closing.freeze() }
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
        let filled = self.fragments.iter().filter(|fragment| !fragment.is_empty());
        filled.enumerate().flat_map(|(position, fragment)| {
            let comma = (position > 0).then_some(&COMMA);
            comma.into_iter().chain(std::iter::once(fragment))
        })
    }
}

/// Where bytes lie in memory: those in one place are the same.
fn place(bytes: &Bytes) -> (*const u8, usize) {
    (bytes.as_ptr(), bytes.len())
}

/// The fragment of the previous menu, if it would come out the same.
fn reusable(menu: &Menu, previous: &Menu, target: usize, kind: ListKind) -> Option<Bytes> {
    let now = menu.targets.get(target)?;
    let position = previous.index.position(now.name.as_str())?;
    let before = previous.targets.get(position)?;
    let (catalog, known) = (now.catalog.as_ref()?, before.catalog.as_ref()?);
    let same = menu.uris.rewrites() == previous.uris.rewrites()
        && fragment::forms(menu, target, kind) == fragment::forms(previous, position, kind)
        && catalog.same_list(known, kind);
    if !same {
        return None;
    }
    previous.rendered(kind).fragments.get(position).cloned()
}
