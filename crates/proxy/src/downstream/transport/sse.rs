//! HTTP+SSE (2024-11-05): one GET stream on which the client hears everything, and POSTs to the
//! URI that is its first event.

use std::sync::Arc;

use http::request::Parts;
use http::{Response, StatusCode};
use hyper::body::Incoming;
use mcp::Accept;
use mcp::headers::{LAST_EVENT_ID, MCP_PROTOCOL_VERSION, MCP_SESSION_ID};

use crate::access_log::Record;
use crate::downstream::body::{Piped, PipedStream, ReplyBody};
use crate::downstream::era::legacy;
use crate::downstream::hang_up::HangUp;
use crate::downstream::transport::conversation::{self, Conversation};
use crate::downstream::{Endpoint, choice, collect, respond};
use crate::error::RequestError;
use crate::metrics::RequestKind;
use crate::session::Pipe;

/// The parameter that names the client's stream.
const SESSION: &str = "sessionId";

/// Whether a GET is the beginning of HTTP+SSE: nothing in it is of streamable HTTP, and it names
/// events as what it takes (MCP.md 3.0).
pub(crate) fn begins(head: &Parts) -> bool {
    let is_streamable = [MCP_SESSION_ID, LAST_EVENT_ID, MCP_PROTOCOL_VERSION]
        .iter()
        .any(|name| head.headers.contains_key(name));
    head.method == http::Method::GET && !is_streamable && Accept::of(&head.headers).event_stream
}

/// The stream that a POST belongs to, if it is one of HTTP+SSE.
pub(crate) fn session(head: &Parts) -> Option<&str> {
    if head.headers.contains_key(MCP_SESSION_ID) {
        return None;
    }
    let mut parameters = head.uri.query()?.split('&').filter_map(|pair| pair.split_once('='));
    parameters.find_map(|(name, value)| (name == SESSION).then_some(value))
}

/// The path of the endpoint whose stream is opened here: what is below it as `sse` is it.
pub(crate) fn endpoint_path(path: &str) -> Option<&str> {
    path.strip_suffix("/sse").filter(|path| !path.is_empty())
}

/// Opens the stream. `path` is where the endpoint takes POSTs.
pub(crate) fn get(
    endpoint: &Endpoint<'_>,
    path: &str,
    head: &Parts,
    record: &mut Record,
) -> Result<Response<ReplyBody>, RequestError> {
    record.request(RequestKind::Stream);
    let context = endpoint.context;
    let backend = choice::at_random(endpoint.backends).ok_or(RequestError::NotReady)?;
    endpoint.backend(backend)?;
    let (pipe, said) = Pipe::new(conversation::claims(endpoint, backend));
    let sealed = context
        .sessions
        .open_pipe(pipe.clone(), context.limits.sessions)
        .map_err(legacy::refused)?;
    record.session(sealed.as_str());
    let hang_up = HangUp::new(context, &pipe);
    let stream = PipedStream::new(Piped {
        pipe,
        said,
        endpoint: posted_to(path, head.uri.query(), sealed.as_str()),
        draining: endpoint.closing.draining.clone(),
        _places: (hang_up, context.metrics.stream()),
    });
    Ok(respond::events(ReplyBody::Piped(Box::new(stream))))
}

/// A message of the client whose stream is `session`. What comes of it is on the stream.
pub(crate) async fn post(
    endpoint: &Endpoint<'_>,
    session: &str,
    head: &Parts,
    body: Incoming,
    record: &mut Record,
) -> Result<Response<ReplyBody>, RequestError> {
    let context = endpoint.context;
    let bytes = collect::collect(context, &head.headers, body).await?;
    legacy::header_revision(&head.headers)?;
    record.session(session);
    let backends = endpoint.backends.iter().map(|choice| &*choice.backend);
    let pipe = context
        .sessions
        .pipe(session, &endpoint.principal, backends, context.clock.unix())
        .map_err(legacy::refused)?;
    let headers = Arc::new(head.headers.clone());
    record.head(StatusCode::ACCEPTED);
    Conversation { endpoint, pipe: &pipe, headers }.take(bytes, record).await?;
    Ok(respond::empty(StatusCode::ACCEPTED))
}

/// The URI of the first event: the client's own parameters, and then its stream.
fn posted_to(path: &str, query: Option<&str>, session: &str) -> String {
    let own = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let own = own.filter(|pair| pair.split_once('=').is_none_or(|(name, _)| name != SESSION));
    let mut uri = format!("{path}?");
    for pair in own {
        uri.push_str(pair);
        uri.push('&');
    }
    uri + SESSION + "=" + session
}

#[cfg(test)]
mod tests;
