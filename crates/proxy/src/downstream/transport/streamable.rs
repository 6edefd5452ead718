//! Streamable HTTP: POST for messages, GET for a session's own stream, DELETE for its end.

mod batch;
mod reply;

use std::sync::Arc;

use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use hyper::body::Incoming;
use mcp::{Accept, Id, Kind, Message, Method, Revision};

use crate::access_log::Record;
use crate::dispatch::{self, Call};
use crate::downstream::body::{OwnStream, Reading, ReplyBody};
use crate::downstream::era::legacy;
use crate::downstream::{Endpoint, choice, collect, respond};
use crate::error::{CallError, RequestError};
use crate::metrics::{Limit, RequestKind};
use crate::reply::{Reply, Segments};
use crate::session::{Claims, EventId, Reader, Session};

/// A POST, once its head has been understood.
pub(super) struct Post<'a> {
    endpoint: &'a Endpoint<'a>,
    /// The backend of the session, or the one that is chosen for who has none.
    backend: String,
    claims: Option<Claims>,
    headers: Arc<http::HeaderMap>,
    accept: Accept,
}

/// A message or, in 2025-03-26, several.
pub(crate) async fn post(
    endpoint: &Endpoint<'_>,
    head: Parts,
    body: Incoming,
    record: &mut Record,
) -> Result<Response<ReplyBody>, RequestError> {
    let accept = Accept::of(&head.headers);
    if !accept.json && !accept.event_stream {
        return Err(RequestError::NotAcceptable);
    }
    let bytes = collect::collect(endpoint.context, &head.headers, body).await?;

    let revision = legacy::header_revision(&head.headers)?;
    if mcp::is_batch(&bytes) {
        record.request(RequestKind::Batch);
        let claims = legacy::session(endpoint, &head.headers, None, record)?;
        let post = Post::new(endpoint, by_address(endpoint), claims, head, accept)?;
        return batch::answer(&post, revision, &bytes, record).await;
    }

    let message = Message::parse(bytes).map_err(RequestError::Message)?;
    record.message(&message);
    let is_modern = message.routed().envelope_version.is_some()
        || revision.is_some_and(|revision| !revision.has_sessions());
    if is_modern {
        return modern(&message);
    }
    let (claims, chosen) = if message.method() == Some(Method::Initialize) {
        (None, choice::at_random(endpoint.backends))
    } else {
        let claims = legacy::session(endpoint, &head.headers, message.id(), record)?;
        (claims, by_address(endpoint))
    };
    let post = Post::new(endpoint, chosen, claims, head, accept)?;
    match (message.kind(), message.id().cloned()) {
        (Kind::Request, Some(id)) if message.method() == Some(Method::Initialize) => {
            initialize(&post, &message, &id, record).await
        }
        (Kind::Request, Some(id)) => {
            let takes_events = accept.event_stream;
            let (reply, session) = call(&post, message, id.clone(), takes_events, record).await?;
            let asked = reply::Asked { context: endpoint.context, id, accept, session };
            Ok(reply::respond(asked, reply, record).await)
        }
        _ => {
            legacy::hear(endpoint, post.claims.as_ref(), &message).await;
            Ok(respond::empty(StatusCode::ACCEPTED))
        }
    }
}

fn by_address<'a>(endpoint: &Endpoint<'a>) -> Option<&'a str> {
    choice::by_address(endpoint.backends, endpoint.remote.ip())
}

/// The stream on which a session hears what belongs to no call, or the rest of one that it lost.
pub(crate) fn get(
    endpoint: &Endpoint<'_>,
    head: &Parts,
    record: &mut Record,
) -> Result<Response<ReplyBody>, RequestError> {
    record.request(RequestKind::Stream);
    let last = head.headers.get(mcp::headers::LAST_EVENT_ID);
    let Some(claims) = legacy::session(endpoint, &head.headers, None, record)? else {
        if last.is_some() {
            return Err(RequestError::ResumeWithoutSession);
        }
        return Err(RequestError::Method("GET needs `Mcp-Session-Id`"));
    };
    legacy::header_revision(&head.headers)?;
    if !Accept::of(&head.headers).event_stream {
        return Err(RequestError::NotAcceptable);
    }
    let context = endpoint.context;
    let federation = endpoint.backend(&claims.backend)?;
    let session = legacy::record(endpoint, federation, &claims)?;
    let Some(seat) = session.stream(context.limits.streams_per_session) else {
        return Err(RequestError::Limit(Limit::Streams));
    };
    let reader = match last {
        Some(last) => resumed(&session, last)?,
        None => session.outbox().open_own_stream(),
    };
    legacy::open_connection(context, &session);
    let own = OwnStream::new(Reading {
        session,
        reader,
        draining: endpoint.closing.draining.clone(),
        _places: (seat, context.metrics.stream()),
    });
    Ok(respond::events(ReplyBody::Own(Box::new(own))))
}

/// Where a client reads on.
fn resumed(session: &Session, last: &HeaderValue) -> Result<Reader, RequestError> {
    let place = last.to_str().ok().and_then(EventId::parse);
    let reader = place.and_then(|place| session.outbox().resume(place));
    reader.ok_or(RequestError::UnknownEvent)?.map_err(|_| RequestError::Evicted)
}

/// The end of a session, for good.
pub(crate) fn delete(
    endpoint: &Endpoint<'_>,
    head: &Parts,
    record: &mut Record,
) -> Result<Response<ReplyBody>, RequestError> {
    record.request(RequestKind::End);
    let Some(claims) = legacy::session(endpoint, &head.headers, None, record)? else {
        return Err(RequestError::Method("DELETE needs `Mcp-Session-Id`"));
    };
    let context = endpoint.context;
    let slots =
        context.sessions.delete(&claims, context.limits.tombstones).map_err(legacy::refused)?;
    for slot in slots {
        context.tasks.spawn("close upstream session", async move { slot.close().await });
    }
    Ok(respond::empty(StatusCode::NO_CONTENT))
}

impl<'a> Post<'a> {
    fn new(
        endpoint: &'a Endpoint<'a>,
        chosen: Option<&str>,
        claims: Option<Claims>,
        head: Parts,
        accept: Accept,
    ) -> Result<Self, RequestError> {
        let backend = match &claims {
            Some(claims) => claims.backend.to_string(),
            None => chosen.ok_or(RequestError::NotReady)?.to_owned(),
        };
        Ok(Self { endpoint, backend, claims, headers: Arc::new(head.headers), accept })
    }
}

async fn initialize(
    post: &Post<'_>,
    message: &Message,
    id: &Id,
    record: &mut Record,
) -> Result<Response<ReplyBody>, RequestError> {
    let federation = post.endpoint.backend(&post.backend)?;
    let opened = legacy::initialize(post.endpoint, federation, &post.backend, message, id).await;
    let (body, session) = match opened {
        Ok(opened) => (opened.body, post.endpoint.context.sessions.seal(&opened.claims)),
        Err(error) => (Segments::from(reply::failed(&error, id, record)), None),
    };
    let mut response = reply::local(body, post.accept);
    if let Some(session) = session
        && let Ok(value) = HeaderValue::from_str(session.as_str())
    {
        record.session(session.as_str());
        response.headers_mut().insert(mcp::headers::MCP_SESSION_ID, value);
    }
    Ok(response)
}

/// One request on its way through. An error of the gateway's own is a reply like any other.
async fn call(
    post: &Post<'_>,
    message: Message,
    id: Id,
    takes_events: bool,
    record: &mut Record,
) -> Result<(Reply, Option<Arc<Session>>), RequestError> {
    let endpoint = post.endpoint;
    let method = message.method().unwrap_or(Method::Other);
    let federation = endpoint.backend(&post.backend)?;
    let caller = legacy::caller(endpoint, federation, post.claims.as_ref(), method)?;
    let session = caller.session().cloned();
    let view = match &session {
        Some(session) => session.view().clone(),
        None => legacy::view(endpoint, federation, post.claims.as_ref()),
    };
    let (headers, over) = (post.headers.clone(), endpoint.closing.over.clone());
    let revision = post.claims.as_ref().map(|claims| claims.revision);
    let revision = revision.unwrap_or(Revision::LATEST_LEGACY);
    let (ours, within) = (id.clone(), endpoint.within);
    let call = Call { message, id: ours, caller, revision, headers, over, takes_events, within };
    match dispatch::dispatch(endpoint.context, &view, call, record).await {
        Err(CallError::UnknownSession) => Err(RequestError::UnknownSession(Some(id))),
        Err(error) => {
            Ok((Reply::Local(Segments::from(reply::failed(&error, &id, record))), session))
        }
        Ok(reply) => Ok((reply, session)),
    }
}

/// A listener that does not speak 2026-07-28 yet says so at once, in a way that makes clients
/// fall back to `initialize`. A notification is dropped: its ids are another protocol's.
fn modern(message: &Message) -> Result<Response<ReplyBody>, RequestError> {
    match message.kind() {
        Kind::Request => Err(RequestError::Modern(message.id().cloned())),
        Kind::Notification | Kind::Response | Kind::ErrorResponse => {
            Ok(respond::empty(StatusCode::ACCEPTED))
        }
    }
}

/// Whether a batch is one: only 2025-03-26 has them (§basic/index), which is also what a request
/// without a version header speaks.
pub(super) fn allows_batches(post: &Post<'_>, header: Option<Revision>) -> bool {
    let session = post.claims.as_ref().map(|claims| claims.revision);
    session.or(header).unwrap_or(Revision::V2025_03_26).allows_batches()
}
