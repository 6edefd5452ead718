//! The legacy era (2024-11-05 to 2025-11-25): the opening of a session, and what becomes of what a
//! server says in it.

use std::sync::Arc;

use bytes::Bytes;
use mcp::{ErrorCode, Id, InitializeResult, Kind, ListKind, Message, Method, Nonce, Revision};
use serde::Deserialize;

use crate::upstream::declaration::Declaration;
use crate::upstream::error::UpstreamError;
use crate::upstream::requests::joined;

/// Ends the opening of a session.
pub(crate) const INITIALIZED: Bytes =
    Bytes::from_static(br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);

/// What is to be done with a message of a server.
#[derive(Debug)]
pub(crate) enum Reaction {
    /// It is a request: this goes back.
    Reply(Bytes),
    /// It is a request that the client answers.
    Ask,
    /// It does not wait for the answer to a request of its own any more.
    Withdrawn,
    /// It concerns the whole session.
    ListChanged(ListKind),
    /// A resource that somebody subscribed to.
    ResourceUpdated,
    /// A log line: of a call if it came with one, else of the session.
    Log,
    /// It belongs to a call: its response, or its progress.
    OfCall,
    /// What only the client understands: of a call if it came with one, else of the session.
    Notice,
}

/// The first request of a session, with what is declared of the client.
pub(crate) fn initialize(nonce: Nonce, declaration: &Declaration) -> Bytes {
    let own = concat!(r#"{"name":"portico","version":""#, env!("CARGO_PKG_VERSION"), r#""}"#);
    let own = Bytes::from_static(own.as_bytes());
    joined(&[
        br#"{"jsonrpc":"2.0","id":"#,
        nonce.id().as_bytes(),
        br#","method":"initialize","params":{"protocolVersion":""#,
        declaration.revision().as_str().as_bytes(),
        br#"","capabilities":"#,
        declaration.capabilities(),
        br#","clientInfo":"#,
        declaration.client_info().unwrap_or(&own),
        b"}}",
    ])
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

/// What to do with a message that a server sent on a connection that was opened with this
/// declaration, for a client that `is_there` or for a catalog.
pub(crate) fn reaction(
    message: &Message,
    declaration: &Declaration,
    client_is_there: bool,
) -> Reaction {
    match message.kind() {
        Kind::Response | Kind::ErrorResponse => Reaction::OfCall,
        Kind::Request => requested(message, declaration, client_is_there),
        Kind::Notification => match message.method() {
            Some(Method::ToolsListChanged) => Reaction::ListChanged(ListKind::Tools),
            Some(Method::PromptsListChanged) => Reaction::ListChanged(ListKind::Prompts),
            Some(Method::ResourcesListChanged) => Reaction::ListChanged(ListKind::Resources),
            Some(Method::ResourcesUpdated) => Reaction::ResourceUpdated,
            Some(Method::LogMessage) => Reaction::Log,
            Some(Method::Cancelled) => Reaction::Withdrawn,
            Some(Method::Progress) => Reaction::OfCall,
            Some(_) | None => Reaction::Notice,
        },
    }
}

/// The code and message of an error response, for a person.
fn complaint(answer: &Message) -> String {
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

fn requested(request: &Message, declaration: &Declaration, client_is_there: bool) -> Reaction {
    let Some(id) = request.id() else { return Reaction::Notice };
    let method = request.method().unwrap_or(Method::Other);
    if method == Method::Ping {
        return Reaction::Reply(mcp::result_response(id, b"{}"));
    }
    let may_ask = declaration.set().answers(method);
    if client_is_there && (may_ask || declaration.is_as_written()) {
        return Reaction::Ask;
    }
    Reaction::Reply(match method {
        // A session that only fills a catalog has nobody behind it.
        Method::RootsList if may_ask => mcp::result_response(id, br#"{"roots":[]}"#),
        Method::ElicitationCreate if may_ask => mcp::result_response(id, br#"{"action":"cancel"}"#),
        _ if may_ask => refusal(id, ErrorCode::InvalidRequest, "nobody is there to be asked"),
        _ => refusal(id, ErrorCode::MethodNotFound, "this client declared no capability for that"),
    })
}

fn refusal(id: &Id, code: ErrorCode, text: &str) -> Bytes {
    mcp::error_response(Some(id), code, text, None)
}

#[cfg(test)]
mod tests;
