//! Revisions that open a session with `initialize`: 2024-11-05 to 2025-11-25.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::HeaderMap;
use mcp::{ClientCapabilities, Kind, Message, Method, Revision};
use tracing::debug;

use crate::access_log::Record;
use crate::context::Context;
use crate::dispatch::Caller;
use crate::downstream::Endpoint;
use crate::error::{CallError, RequestError};
use crate::federation::{Federation, View};
use crate::reply::Segments;
use crate::session::{Beginning, Claims, Declared, Session, SessionError};
use crate::upstream::{Declaration, Lease, Owner, Seat, UpstreamError};

/// The most that a client says of itself that is passed on as it is; a session id has to carry it.
const DECLARED: usize = 512;

/// The answer to `initialize`, and the session that it opens.
pub(crate) struct Opened {
    pub(crate) body: Segments,
    pub(crate) claims: Claims,
}

/// Answers `initialize` from what the catalogs know. Nothing is stored, and nothing is opened
/// upstream for the session: it is all in its id.
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
    let context = endpoint.context;
    let revision = Revision::negotiate(asked.as_str());
    let text = |text: &Option<mcp::Text>| {
        text.as_ref().map(|text| text.as_str().to_owned()).unwrap_or_default()
    };
    let capabilities = routed.capabilities.clone().unwrap_or_default();
    let claims = Claims {
        serial: crate::random::serial(),
        owner: context.replica.clone(),
        revision,
        capabilities: ClientCapabilities::read(&capabilities).within(revision),
        declared: declared(capabilities, routed.client_info.clone()),
        client_name: text(&routed.client_name),
        client_version: text(&routed.client_version),
        principal: endpoint.principal.clone(),
        backend: backend.into(),
        expires: context.clock.unix() + context.limits.session_absolute.get(),
    };
    let view = federation.view(&declaration(federation, &claims), context.clock.now());
    let offer = view.known().await;
    let incomplete = offer.incomplete();
    if !incomplete.is_empty() {
        return Err(CallError::Incomplete(incomplete));
    }
    let result = offer.menu.initialize_result(revision, env!("CARGO_PKG_VERSION"));
    Ok(Opened { body: Segments::from(mcp::result_response(id, &result)), claims })
}

/// What the client says of itself, where it is short enough to be passed on as it is.
fn declared(capabilities: Bytes, client_info: Option<Bytes>) -> Option<Declared> {
    let client_info = client_info?;
    if capabilities.len() + client_info.len() > DECLARED {
        return None;
    }
    let text = |raw: &Bytes| std::str::from_utf8(raw).ok().map(str::to_owned);
    Some(Declared { capabilities: text(&capabilities)?, client_info: text(&client_info)? })
}

/// What targets are told of a session's client: the only one hears it in the client's own words;
/// of several none hears more than what the gateway can bring to the client and back.
fn declaration(federation: &Federation, claims: &Claims) -> Declaration {
    let is_single = federation.base().offer().menu.is_single();
    match &claims.declared {
        Some(declared) if is_single => Declaration::as_written(
            claims.revision,
            declared.capabilities.clone().into(),
            declared.client_info.clone().into(),
        ),
        _ => Declaration::of(
            // What one target among several is not told: to sample in the context of the others.
            claims.capabilities.without(ClientCapabilities::SAMPLING_CONTEXT),
        ),
    }
}

/// What the client of a session sees; who has none sees what clients see that can do nothing.
pub(crate) fn view(
    endpoint: &Endpoint<'_>,
    federation: &Federation,
    claims: Option<&Claims>,
) -> Arc<View> {
    match claims {
        Some(claims) => {
            federation.view(&declaration(federation, claims), endpoint.context.clock.now())
        }
        None => federation.base().clone(),
    }
}

/// The record of a session.
pub(crate) fn record(
    endpoint: &Endpoint<'_>,
    federation: &Federation,
    claims: &Claims,
) -> Result<Arc<Session>, RequestError> {
    let context = endpoint.context;
    let beginning = || Beginning {
        revision: claims.revision,
        view: view(endpoint, federation, Some(claims)),
        pipe: None,
    };
    let limit = context.limits.sessions;
    let session = context.sessions.record(claims, context.clock.now(), limit, beginning);
    session.map_err(refused)
}

/// The only target can speak to a client that listens before the client calls it.
pub(crate) fn open_connection(context: &Context, session: &Arc<Session>) {
    let Some(opening) = connecting(context, session) else { return };
    context.tasks.spawn("open upstream session", async move {
        if let Err(error) = opening.await {
            debug!(%error, "A target could not be opened for a client that listens.");
        }
    });
}

/// A session's connection to the only target, opened if there is none; `None` where there are
/// several targets, or none.
fn connecting(
    context: &Context,
    session: &Arc<Session>,
) -> Option<impl Future<Output = Result<Lease, UpstreamError>> + use<>> {
    let offer = session.view().offer();
    let [member] = offer.members.as_slice() else { return None };
    let upstream = member.upstream.clone().ok()?;
    let slot = session.slot(upstream.serial(), &context.tasks, context.clock.now())?;
    Some(async move { upstream.lease(&Owner::Session(slot)).await })
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
    federation: &Federation,
    claims: Option<&Claims>,
    method: Method,
) -> Result<Caller, RequestError> {
    let is_local = |claims| match method.list() {
        Some(kind) => view(endpoint, federation, Some(claims)).offer().menu.has_list(kind),
        None => method == Method::Ping,
    };
    match claims {
        Some(claims) if is_local(claims) => {
            // Whatever it asks, a client that speaks keeps its session.
            let session = endpoint.context.sessions.find(claims, endpoint.context.clock.now());
            Ok(match session.filter(|session| session.has_own_lists()) {
                Some(session) => Caller::Session(session),
                None => Caller::Principal(endpoint.principal.clone()),
            })
        }
        Some(claims) => record(endpoint, federation, claims).map(Caller::Session),
        None => Ok(Caller::Principal(endpoint.principal.clone())),
    }
}

/// A notification, or the answer to what a target asked: it reaches the one whom it concerns, and
/// never another client's.
pub(crate) async fn hear(endpoint: &Endpoint<'_>, claims: Option<&Claims>, message: &Message) {
    let Some(claims) = claims else { return };
    let session = endpoint.context.sessions.find(claims, endpoint.context.clock.now());
    let Some(session) = session.or_else(|| speaking(endpoint, claims, message)) else { return };
    heard(endpoint.context, &session, message).await;
}

/// The session of a client that says something to the only target before it asks anything.
fn speaking(endpoint: &Endpoint<'_>, claims: &Claims, message: &Message) -> Option<Arc<Session>> {
    let is_for_target = message.kind() == Kind::Notification
        && !matches!(message.method(), Some(Method::Initialized | Method::Cancelled));
    let federation = endpoint.backend(&claims.backend).ok().filter(|_| is_for_target)?;
    let is_single = federation.base().offer().menu.is_single();
    is_single.then(|| record(endpoint, federation, claims).ok()).flatten()
}

/// As [`hear`], of a session that is known.
pub(crate) async fn heard(context: &Context, session: &Arc<Session>, message: &Message) {
    let passed_on = match (message.kind(), message.method()) {
        (Kind::Response | Kind::ErrorResponse, _) => session.answered(message),
        (_, Some(Method::Progress)) if let Some(passed_on) = session.progressed(message) => {
            Some(passed_on)
        }
        (_, Some(Method::Cancelled)) => return session.calls().cancel(message),
        // Each hop says so by itself.
        (_, Some(Method::Initialized)) => return,
        (_, Some(Method::RootsListChanged)) => {
            return tell(context, session, message, announces_roots).await;
        }
        (_, Some(Method::TaskStatus)) if let Some(upstream) = session.task_owner(message) => {
            return tell_one(session, upstream, message).await;
        }
        // What the gateway does not know is for the only target.
        _ => return tell(context, session, message, Declaration::is_as_written).await,
    };
    let Some((replies, body)) = passed_on else { return };
    if let Ok(Err(error)) = tokio::time::timeout(PASS, replies.pass(body)).await {
        debug!(%error, "A target did not wait for its client's answer.");
    }
}

fn announces_roots(declaration: &Declaration) -> bool {
    declaration.set().contains(ClientCapabilities::ROOTS_LIST_CHANGED)
}

/// How long a target may take to accept what a client says.
const PASS: Duration = Duration::from_secs(5);

/// Tells the targets that the session has open connections to, where that makes sense to them; the
/// only target in any case, as its client would without the gateway.
async fn tell(context: &Context, session: &Arc<Session>, message: &Message, concerns: Concerns) {
    let only = match connecting(context, session).map(|opening| tokio::time::timeout(PASS, opening))
    {
        Some(opening) => opening.await.ok().and_then(Result::ok),
        None => None,
    };
    let concerned: Vec<_> = match &only {
        // A server without sessions was told nothing of its client, and hears it all the same.
        Some(lease) if concerns(session.view().declaration()) => vec![lease.seat()],
        Some(_) => Vec::new(),
        None => {
            let seats = session.slots().into_iter().filter_map(|(_, slot)| slot.seat());
            seats.filter(|seat| concerns(seat.connection().declaration())).collect()
        }
    };
    join_all(concerned.iter().map(|seat| notify(seat, message))).await;
}

/// Tells the one target that it is for.
async fn tell_one(session: &Session, upstream: u64, message: &Message) {
    let slot = session.slots().into_iter().find(|(serial, _)| *serial == upstream);
    if let Some(seat) = slot.and_then(|(_, slot)| slot.seat()) {
        notify(&seat, message).await;
    }
}

async fn notify(seat: &Seat, message: &Message) {
    if let Err(error) = seat.connection().notify(message.bytes().clone(), PASS).await {
        debug!(%error, "A target did not take a client's notification.");
    }
}

/// Whether a notification means anything to a target that was told this of its client.
type Concerns = fn(&Declaration) -> bool;

/// What a session's refusal is to its client.
pub(crate) fn refused(error: SessionError) -> RequestError {
    match error {
        SessionError::Unknown => RequestError::UnknownSession(None),
        SessionError::Limit(limit) => RequestError::Limit(limit),
    }
}
