//! What the gateway itself asks of a target once a session is open, the same in every revision.

use bytes::{Bytes, BytesMut};
use mcp::{Level, Nonce};

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

/// What log lines are wanted.
pub(crate) fn set_level(nonce: Nonce, level: Level) -> Bytes {
    with_param(nonce, br#""logging/setLevel","params":{"level":"#, level.as_str())
}

/// A resource is to be watched.
pub(crate) fn subscribe(nonce: Nonce, uri: &str) -> Bytes {
    with_param(nonce, br#""resources/subscribe","params":{"uri":"#, uri)
}

fn with_param(nonce: Nonce, method: &[u8], text: &str) -> Bytes {
    let id = nonce.id();
    let head: &[u8] = br#"{"jsonrpc":"2.0","id":"#;
    joined(&[head, id.as_bytes(), br#","method":"#, method, &mcp::quoted(text), b"}}"])
}

/// One message of many pieces.
pub(super) fn joined(pieces: &[&[u8]]) -> Bytes {
    let mut whole = BytesMut::with_capacity(pieces.iter().map(|piece| piece.len()).sum());
    for piece in pieces {
        whole.extend_from_slice(piece);
    }
    whole.freeze()
}
