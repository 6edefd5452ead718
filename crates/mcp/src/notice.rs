//! Notifications of the gateway's own.

use bytes::{BufMut, Bytes, BytesMut};

use crate::id::Id;
use crate::method::ListKind;
use crate::text::quoted;

/// A list changed.
pub fn list_changed(kind: ListKind) -> Bytes {
    let method = kind.changed().name().unwrap_or_default();
    Bytes::from(format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#))
}

/// Nobody waits any more for the answer to the request with this id.
pub fn cancelled(id: &Id, reason: &str) -> Bytes {
    let reason = quoted(reason);
    let mut notice = BytesMut::with_capacity(96 + id.as_bytes().len() + reason.len());
    notice.put_slice(
        br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"#,
    );
    notice.put_slice(id.as_bytes());
    notice.put_slice(br#","reason":"#);
    notice.put_slice(&reason);
    notice.put_slice(b"}}");
    notice.freeze()
}
