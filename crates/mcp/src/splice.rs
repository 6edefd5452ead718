//! Bytes with other bytes at some of their places.

use bytes::{Bytes, BytesMut};

use crate::scan::Span;

/// `bytes` with each span replaced; the edits are sorted and do not overlap. An empty span inserts.
/// An edit that lies before the end of the last one, or outside, is left out. No copy without edits.
pub fn splice(bytes: &Bytes, edits: &[(Span, Bytes)]) -> Bytes {
    if edits.is_empty() {
        return bytes.clone();
    }
    let added: usize = edits.iter().map(|(_, replacement)| replacement.len()).sum();
    let mut copy = BytesMut::with_capacity(bytes.len() + added);
    let mut copied = 0;
    for (span, replacement) in edits {
        let Some(before) = bytes.get(copied..span.start) else { continue };
        if span.end > bytes.len() || span.end < span.start {
            continue;
        }
        copy.extend_from_slice(before);
        copy.extend_from_slice(replacement);
        copied = span.end;
    }
    copy.extend_from_slice(bytes.get(copied..).unwrap_or_default());
    copy.freeze()
}
