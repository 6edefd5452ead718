//! What the gateway itself asks of a target once a session is open, the same in every revision.

use bytes::{Bytes, BytesMut};
use mcp::Nonce;

/// One page of a list.
pub(crate) fn list(nonce: Nonce, method: &str, cursor: Option<&str>) -> Bytes {
    let cursor = cursor.map(mcp::quoted);
    let (key, cursor) = match &cursor {
        Some(cursor) => (&br#""cursor":"#[..], cursor.as_ref()),
        None => (&b""[..], &b""[..]),
    };
    joined(&[
        br#"{"jsonrpc":"2.0","id":"#,
        nonce.id().as_bytes(),
        br#","method":"#,
        &mcp::quoted(method),
        br#","params":{"#,
        key,
        cursor,
        b"}}",
    ])
}

/// Nobody waits any more for the answer to the request with this nonce.
pub(crate) fn cancelled(nonce: Nonce, reason: &str) -> Bytes {
    joined(&[
        br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"#,
        nonce.id().as_bytes(),
        br#","reason":"#,
        &mcp::quoted(reason),
        b"}}",
    ])
}

fn joined(pieces: &[&[u8]]) -> Bytes {
    let mut whole = BytesMut::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
    for piece in pieces {
        whole.extend_from_slice(piece);
    }
    whole.freeze()
}
