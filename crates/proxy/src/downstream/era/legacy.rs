//! Revisions that open a session with `initialize`: 2024-11-05 to 2025-11-25.

use http::HeaderMap;
use mcp::{Message, Method, Revision};

use crate::access_log::Record;
use crate::dispatch::Caller;
use crate::downstream::Endpoint;
use crate::error::{CallError, RequestError};
use crate::federation::Federation;
use crate::metrics::Limit;
use crate::reply::Segments;
use crate::session::{Claims, SessionError, SessionId};

/// The answer to `initialize`, and the session that it opens.
pub(crate) struct Opened {
    pub(crate) body: Segments,
    pub(crate) session: Option<SessionId>,
}

/// Answers `initialize` from what the catalogs know. Nothing is stored, and nothing is opened
/// upstream: the session is all in its id.
pub(crate) async fn initialize(
    endpoint: &Endpoint<'_>,
    federation: &Federation,
    backend: &str,
    message: &Message,
    id: &mcp::Id,
) -> Result<Opened, CallError> {
    let routed = message.routed();
    let Some(asked) = &routed.protocol_version else {
        let (method, field) = ("initialize", "params.protocolVersion");
        return Err(CallError::MissingField { method, field });
    };
    let offer = federation.known().await;
    let incomplete = offer.incomplete();
    if !incomplete.is_empty() {
        return Err(CallError::Incomplete(incomplete));
    }

    let context = endpoint.context;
    let revision = Revision::negotiate(asked.as_str());
    let text = |text: &Option<mcp::Text>| {
        text.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default()
    };
    let claims = Claims {
        serial: crate::random::serial(),
        owner: context.replica.clone(),
        revision,
        capabilities: 0,
        client_name: text(&routed.client_name),
        client_version: text(&routed.client_version),
        principal: endpoint.principal.clone(),
        backend: backend.into(),
        expires: context.clock.unix() + context.limits.session_absolute.get(),
    };
    let result = offer.menu.initialize_result(revision, env!("CARGO_PKG_VERSION"));
    let body = Segments::from(mcp::result_response(id, &result));
    Ok(Opened { body, session: context.sessions.seal(&claims) })
}

/// The session that a request names, if it may use it.
pub(crate) fn session(
    endpoint: &Endpoint<'_>,
    headers: &HeaderMap,
    id: Option<&mcp::Id>,
    record: &mut Record,
) -> Result<Option<Claims>, RequestError> {
    let Some(header) = headers.get(mcp::headers::MCP_SESSION_ID) else { return Ok(None) };
    let unknown = || RequestError::UnknownSession(id.cloned());
    let text = header.to_str().map_err(|_| unknown())?;
    record.session(text);
    let context = endpoint.context;
    let backends = endpoint.backends.iter().map(|choice| &*choice.backend);
    let claims = context
        .sessions
        .open(text, &endpoint.principal, backends, context.clock.unix())
        .map_err(|_| unknown())?;
    Ok(Some(claims))
}

/// Checks `MCP-Protocol-Version`. Absent means 2025-03-26; a legacy one that is not the session's
/// is accepted, because it changes nothing (MCP.md 3.0).
pub(crate) fn header_revision(headers: &HeaderMap) -> Result<Option<Revision>, RequestError> {
    let Some(header) = headers.get(mcp::headers::MCP_PROTOCOL_VERSION) else { return Ok(None) };
    let text = String::from_utf8_lossy(header.as_bytes());
    let revision = Revision::parse(&text);
    revision.map(Some).ok_or_else(|| RequestError::Version(text.chars().take(64).collect()))
}

/// Who calls. What a target answers needs the session's record, where the connection and the
/// calls in flight are; what the gateway answers by itself does not.
pub(crate) fn caller(
    endpoint: &Endpoint<'_>,
    claims: Option<&Claims>,
    method: Method,
) -> Result<Caller, RequestError> {
    let is_local = method == Method::Ping || method.list().is_some();
    let context = endpoint.context;
    let now = context.clock.now();
    match claims {
        Some(claims) if is_local => {
            // Whatever it asks, a client that speaks keeps its session.
            context.sessions.find(claims, now);
            Ok(Caller::Principal(endpoint.principal.clone()))
        }
        Some(claims) => {
            let limit = context.limits.sessions;
            let session = context.sessions.record(claims, now, limit);
            session.map(Caller::Session).map_err(|error| refused(endpoint, error))
        }
        None => Ok(Caller::Principal(endpoint.principal.clone())),
    }
}

/// A notification. Only a cancellation concerns anybody yet; it reaches the one call that it
/// names, and never another client's.
pub(crate) fn notify(endpoint: &Endpoint<'_>, claims: Option<&Claims>, message: &Message) {
    let Some(claims) = claims else { return };
    let session = endpoint.context.sessions.find(claims, endpoint.context.clock.now());
    let Some(session) = session else { return };
    if let (Some(Method::Cancelled), Some(id)) = (message.method(), &message.routed().request_id) {
        session.cancel(id);
    }
}

/// What a session's refusal is to its client.
pub(crate) fn refused(endpoint: &Endpoint<'_>, error: SessionError) -> RequestError {
    match error {
        SessionError::Unknown => RequestError::UnknownSession(None),
        SessionError::Limit(name) => {
            let limit = if name == "tombstones" { Limit::Tombstones } else { Limit::Sessions };
            endpoint.context.metrics.rejected(limit);
            RequestError::Limit(name)
        }
    }
}
