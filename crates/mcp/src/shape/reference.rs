//! Whether the references of a schema lead somewhere: clients that compile schemas refuse the whole list for one that
//! does not.

use std::collections::BTreeSet;

use crate::scan::{Cursor, Span};

/// So many references of a schema are followed; a schema with more is taken at its word.
const FOLLOWED: usize = 128;

/// What a schema refers to, and what of it can be referred to by a name of its own.
#[derive(Default)]
pub(super) struct References {
    /// As they are written, without a second of the same.
    pub(super) targets: BTreeSet<String>,
    /// `$anchor` and `$dynamicAnchor`.
    pub(super) anchors: BTreeSet<String>,
    /// Whether a part of it has an `$id`, by which others may refer to it.
    pub(super) has_ids: bool,
}

impl References {
    /// Whether each leads to a part of the schema at `span`. Another document is nowhere: no client should fetch one for
    /// a server.
    pub(super) fn lead_somewhere(&self, bytes: &[u8], span: &Span) -> bool {
        self.has_ids
            || self.targets.iter().take(FOLLOWED).all(|target| match target.strip_prefix('#') {
                None => false,
                Some(path) if path.is_empty() || path.contains('%') => true,
                Some(path) if path.starts_with('/') => has(bytes, span, path),
                Some(anchor) => self.anchors.contains(anchor),
            })
    }
}

/// Whether a JSON pointer (RFC 6901) leads to something in the value at `span`.
fn has(bytes: &[u8], span: &Span, pointer: &str) -> bool {
    let mut place = span.clone();
    for token in pointer.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        match member(bytes, &place, &token) {
            Some(inside) => place = inside,
            None => return false,
        }
    }
    true
}

/// The member or element of that name; the last of those alike.
fn member(bytes: &[u8], span: &Span, name: &str) -> Option<Span> {
    let mut cursor = Cursor::within(bytes, span);
    let mut found = None;
    match cursor.peek()? {
        b'{' => {
            let mut walk = cursor.object().ok()?;
            while let Some(key) = cursor.member(&mut walk).ok()? {
                let value = cursor.value().ok()?;
                if key.lossy(bytes) == name {
                    found = Some(value);
                }
            }
        }
        b'[' => {
            let mut walk = cursor.array().ok()?;
            let mut place = 0_usize;
            while cursor.element(&mut walk).ok()? {
                let value = cursor.value().ok()?;
                if place.to_string() == name {
                    found = Some(value);
                }
                place += 1;
            }
        }
        _ => {}
    }
    found
}
