//! Heads of responses. What they carry is decided elsewhere.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use crate::downstream::body::ReplyBody;
use crate::error::RequestError;
use crate::reply::Segments;

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");

/// A JSON document that is whole.
pub(crate) fn json(status: StatusCode, segments: Segments) -> Response<ReplyBody> {
    with(status, JSON, ReplyBody::whole(segments))
}

/// A JSON document that streams.
pub(crate) fn json_stream(body: ReplyBody) -> Response<ReplyBody> {
    with(StatusCode::OK, JSON, body)
}

/// A stream of events. Proxies on the way must not collect it.
pub(crate) fn events(body: ReplyBody) -> Response<ReplyBody> {
    let mut response = with(StatusCode::OK, EVENT_STREAM, body);
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache, no-transform"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// A status that says everything.
pub(crate) fn empty(status: StatusCode) -> Response<ReplyBody> {
    let mut response = Response::new(ReplyBody::Empty);
    *response.status_mut() = status;
    response
}

/// What the gateway refuses to do, as JSON-RPC.
pub(crate) fn refusal(error: &RequestError) -> Response<ReplyBody> {
    let mut response = json(error.status(), Segments::from(error.body()));
    if matches!(error, RequestError::Method(_)) {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST, GET, DELETE"));
    }
    response
}

/// What the gateway says where no MCP is spoken.
pub(crate) fn text(status: StatusCode, text: &impl ToString) -> Response<ReplyBody> {
    with(
        status,
        TEXT,
        ReplyBody::whole(Segments::from(Bytes::from(format!("{}\n", text.to_string())))),
    )
}

fn with(status: StatusCode, content_type: HeaderValue, body: ReplyBody) -> Response<ReplyBody> {
    let mut response = empty(status);
    *response.body_mut() = body;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// One message as the only event of a stream, for clients that take nothing else.
pub(crate) fn one_event(message: &Bytes) -> Response<ReplyBody> {
    events(ReplyBody::whole(Segments::from(mcp::encode_event(None, None, message))))
}
