//! The legacy era (2024-11-05 to 2025-11-25): the opening of a session, and the answers to what a
//! server asks of a client that declared no capability.

use std::sync::Arc;

use bytes::Bytes;
use mcp::{ErrorCode, InitializeResult, Kind, ListKind, Message, Method, Nonce, Revision};
use serde::Deserialize;

use crate::upstream::error::UpstreamError;

/// Ends the opening of a session.
pub(crate) const INITIALIZED: Bytes =
    Bytes::from_static(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);

/// What is to be done with a message of a server.
#[derive(Debug)]
pub(crate) enum Reaction {
    /// It is a request: this goes back.
    Reply(Bytes),
    /// It concerns the whole session.
    ListChanged(ListKind),
    /// A resource that somebody subscribed to.
    ResourceUpdated,
    /// A log line: of a call if it came with one, else of the session.
    Log,
    /// It belongs to a call: its response, its progress, or what only the client understands.
    OfCall,
    /// It has no meaning for a gateway that declared nothing.
    Nothing,
}

/// The first request of a session. No client capability is declared: nobody is there to answer what
/// a server asks.
pub(crate) fn initialize(nonce: Nonce) -> Bytes {
    let id = nonce.id();
    let id = String::from_utf8_lossy(id.as_bytes());
    let revision = Revision::LATEST_LEGACY.as_str();
    let version = env!("CARGO_PKG_VERSION");
    Bytes::from(format!(
        r#"{{"jsonrpc":"2.0","id":{id},"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{{"name":"portico","version":"{version}"}}}}}}"#
    ))
}

/// What the target says of itself. Fails when it refuses, or speaks a revision that we do not.
pub(crate) fn hello(peer: &Arc<str>, answer: &Message) -> Result<InitializeResult, UpstreamError> {
    if answer.kind() == Kind::ErrorResponse {
        let error = complaint(answer);
        return Err(UpstreamError::invalid(peer, format!("it refused `initialize`: {error}")));
    }
    let hello = InitializeResult::parse(answer).map_err(|error| {
        UpstreamError::invalid(peer, format!("its answer to `initialize`: {error}"))
    })?;
    let version = hello.protocol_version.as_str();
    match Revision::parse(version) {
        Some(revision) if revision.has_sessions() => Ok(hello),
        Some(_) | None => {
            let what = format!("it answered `initialize` with revision `{version}`");
            Err(UpstreamError::invalid(peer, what))
        }
    }
}

/// What to do with a message that a server sent.
pub(crate) fn reaction(message: &Message) -> Reaction {
    match message.kind() {
        Kind::Response | Kind::ErrorResponse => Reaction::OfCall,
        Kind::Request => reply(message).map_or(Reaction::Nothing, Reaction::Reply),
        Kind::Notification => match message.method() {
            Some(Method::ToolsListChanged) => Reaction::ListChanged(ListKind::Tools),
            Some(Method::PromptsListChanged) => Reaction::ListChanged(ListKind::Prompts),
            Some(Method::ResourcesListChanged) => Reaction::ListChanged(ListKind::Resources),
            Some(Method::ResourcesUpdated) => Reaction::ResourceUpdated,
            Some(Method::LogMessage) => Reaction::Log,
            // It takes back a request that was refused at once.
            Some(Method::Cancelled) => Reaction::Nothing,
            Some(_) | None => Reaction::OfCall,
        },
    }
}

/// The code and message of an error response, for a person.
pub(crate) fn complaint(answer: &Message) -> String {
    #[derive(Deserialize)]
    struct ErrorObject {
        #[serde(default)]
        message: String,
    }
    let error = answer.error().unwrap_or_default();
    let text =
        serde_json::from_slice(&error).map_or_else(|_| String::new(), |e: ErrorObject| e.message);
    let text: String = text.chars().filter(|letter| !letter.is_control()).take(200).collect();
    match answer.error_code() {
        Some(code) => format!("{code} {text}"),
        None => text,
    }
}

fn reply(request: &Message) -> Option<Bytes> {
    let id = request.id()?;
    if request.method() == Some(Method::Ping) {
        return Some(mcp::result_response(id, b"{}"));
    }
    let refusal = "this client declared no capability for that";
    Some(mcp::error_response(Some(id), ErrorCode::MethodNotFound, refusal, None))
}

#[cfg(test)]
mod tests;
