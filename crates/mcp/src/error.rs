//! JSON-RPC error codes, and the responses that the gateway writes itself.

use bytes::{BufMut, Bytes, BytesMut};

use crate::id::Id;
use crate::text::quoted;

/// The code of a JSON-RPC error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// -32700: not JSON.
    ParseError,
    /// -32600: not a message.
    InvalidRequest,
    /// -32601: no such method.
    MethodNotFound,
    /// -32602: no such tool, prompt or resource, or wrong parameters.
    InvalidParams,
    /// -32603: the gateway or a target failed.
    InternalError,
    /// -32002: no such resource (legacy revisions only).
    ResourceNotFound,
    /// -32800: who asked has cancelled it. The code of the Language Server Protocol, which SDKs use.
    RequestCancelled,
    /// -32042: the client's user has to visit a page first (2025-11-25).
    UrlElicitationRequired,
    /// -32020: a header says otherwise than the body (2026-07-28).
    HeaderMismatch,
    /// -32021: the client lacks a capability that the request needs (2026-07-28).
    MissingClientCapability,
    /// -32022: no such revision here (2026-07-28).
    UnsupportedProtocolVersion,
    /// Any other.
    Other(i64),
}

impl ErrorCode {
    /// The code on the wire.
    pub fn as_i64(self) -> i64 {
        match self {
            Self::ParseError => -32700,
            Self::InvalidRequest => -32600,
            Self::MethodNotFound => -32601,
            Self::InvalidParams => -32602,
            Self::InternalError => -32603,
            Self::ResourceNotFound => -32002,
            Self::RequestCancelled => -32800,
            Self::UrlElicitationRequired => -32042,
            Self::HeaderMismatch => -32020,
            Self::MissingClientCapability => -32021,
            Self::UnsupportedProtocolVersion => -32022,
            Self::Other(code) => code,
        }
    }
}

/// A JSON-RPC error response. Without an id the member is left out: TypeScript SDK 1.x rejects
/// `"id":null`. `data` is raw JSON.
pub fn error_response(
    id: Option<&Id>,
    code: ErrorCode,
    message: &str,
    data: Option<&[u8]>,
) -> Bytes {
    let mut response = BytesMut::from(&b"{\"jsonrpc\":\"2.0\""[..]);
    if let Some(id) = id {
        response.put_slice(b",\"id\":");
        response.put_slice(id.as_bytes());
    }
    response.put_slice(b",\"error\":{\"code\":");
    response.put_slice(code.as_i64().to_string().as_bytes());
    response.put_slice(b",\"message\":");
    response.put_slice(&quoted(message));
    if let Some(data) = data.filter(|data| !data.is_empty()) {
        response.put_slice(b",\"data\":");
        response.put_slice(data);
    }
    response.put_slice(b"}}");
    response.freeze()
}

/// `{"jsonrpc":"2.0","id":…,"error":…}`; `error` is raw JSON.
pub(crate) fn raw_error_response(id: &Id, error: &[u8]) -> Bytes {
    let pieces: [&[u8]; 5] =
        [b"{\"jsonrpc\":\"2.0\",\"id\":", id.as_bytes(), b",\"error\":", error, b"}"];
    pieces.concat().into()
}

/// `{"jsonrpc":"2.0","id":…,"result":…}`; `result` is raw JSON.
pub fn result_response(id: &Id, result: &[u8]) -> Bytes {
    let mut response = BytesMut::with_capacity(34 + id.as_bytes().len() + result.len());
    response.put_slice(b"{\"jsonrpc\":\"2.0\",\"id\":");
    response.put_slice(id.as_bytes());
    response.put_slice(b",\"result\":");
    response.put_slice(result);
    response.put_slice(b"}");
    response.freeze()
}

#[cfg(test)]
mod tests;
