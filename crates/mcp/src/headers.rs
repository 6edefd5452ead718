//! The headers of MCP over HTTP, and what a `Content-Type` says.

use http::{HeaderName, HeaderValue};

/// The session (2025-03-26 to 2025-11-25).
pub const MCP_SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
/// The revision that a request speaks (since 2025-06-18).
pub const MCP_PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
/// The last event that a client has seen of a stream it wants to go on with.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// The method of the body (SEP-2243).
pub const MCP_METHOD: HeaderName = HeaderName::from_static("mcp-method");
/// The tool, prompt, URI or task of the body (SEP-2243).
pub const MCP_NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Whether a body is `application/json`, with any parameters.
pub fn is_json(content_type: Option<&HeaderValue>) -> bool {
    is_type(content_type, "application/json")
}

/// Whether a body is `text/event-stream`, with any parameters.
pub fn is_event_stream(content_type: Option<&HeaderValue>) -> bool {
    is_type(content_type, "text/event-stream")
}

fn is_type(content_type: Option<&HeaderValue>, expected: &str) -> bool {
    let Some(Ok(value)) = content_type.map(HeaderValue::to_str) else { return false };
    let essence = value.split_once(';').map_or(value, |(essence, _)| essence);
    essence.trim().eq_ignore_ascii_case(expected)
}

#[cfg(test)]
mod tests;
