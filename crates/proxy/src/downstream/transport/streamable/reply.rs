//! The form of an answer: JSON whenever one message answers the call and the client takes JSON,
//! else events.

use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use mcp::{Accept, Id};

use crate::access_log::{Ending, Record};
use crate::downstream::body::{Events, ReplyBody};
use crate::downstream::respond;
use crate::error::CallError;
use crate::reply::{Part, Parts, Reply, Segments};

/// How long the head waits for the first part. Clients give up on a silent head after minutes,
/// on a stream with comments never.
const HEAD_WAIT: Duration = Duration::from_secs(10);

/// The response to the request `id`; what has to be collected for it is at most `limit` bytes.
pub(super) async fn respond(
    reply: Reply,
    id: Id,
    accept: Accept,
    limit: usize,
    record: &mut Record,
) -> Response<ReplyBody> {
    match reply {
        Reply::Local(body) => local(body, accept),
        Reply::Upstream(parts) if !accept.event_stream => json_only(parts, id, record).await,
        Reply::Upstream(parts) => negotiated(parts, id, accept, limit, record).await,
    }
}

/// What is ours and whole.
pub(super) fn local(body: Segments, accept: Accept) -> Response<ReplyBody> {
    if accept.json {
        respond::json(StatusCode::OK, body)
    } else {
        respond::one_event(&body.concat())
    }
}

/// The one message that answers a call, whatever comes before it.
pub(super) async fn last(mut parts: Parts, id: &Id, limit: usize, record: &mut Record) -> Segments {
    let mut pieces: Vec<Bytes> = Vec::new();
    let mut length = 0;
    while let Some(part) = parts.recv().await {
        match part {
            Part::Notification(_) => {}
            Part::Chunk(piece) | Part::Response(piece) => {
                length += piece.len();
                if length > limit {
                    let error = CallError::TooLongForAnEvent { limit };
                    return Segments::from(failed(&error, id, record));
                }
                pieces.push(piece);
            }
            Part::Failed(error) => return Segments::from(failed(&error, id, record)),
        }
    }
    if pieces.is_empty() {
        return Segments::from(failed(&CallError::ShuttingDown, id, record));
    }
    Segments::from(pieces)
}

/// For a client that takes JSON alone: notifications have no place in its answer.
async fn json_only(mut parts: Parts, id: Id, record: &mut Record) -> Response<ReplyBody> {
    loop {
        match parts.recv().await {
            Some(Part::Notification(_)) => {}
            first => return whole(first, parts, &id, record),
        }
    }
}

async fn negotiated(
    mut parts: Parts,
    id: Id,
    accept: Accept,
    limit: usize,
    record: &mut Record,
) -> Response<ReplyBody> {
    let first = match tokio::time::timeout(HEAD_WAIT, parts.recv()).await {
        Ok(Some(first)) => first,
        Ok(None) => return whole(None, parts, &id, record),
        Err(_) => return events(id, None, parts, limit),
    };
    match first {
        Part::Notification(_) => events(id, Some(first), parts, limit),
        first if accept.json => whole(Some(first), parts, &id, record),
        first => {
            if let Part::Failed(error) = &first {
                failed(error, &id, record);
            }
            events(id, Some(first), parts, limit)
        }
    }
}

/// A JSON document, of which `first` is here.
fn whole(first: Option<Part>, parts: Parts, id: &Id, record: &mut Record) -> Response<ReplyBody> {
    let ours = match first {
        Some(Part::Chunk(first)) => return respond::json_stream(ReplyBody::stream(first, parts)),
        Some(Part::Response(whole) | Part::Notification(whole)) => whole,
        Some(Part::Failed(error)) => failed(&error, id, record),
        None => failed(&CallError::ShuttingDown, id, record),
    };
    respond::json(StatusCode::OK, Segments::from(ours))
}

fn events(id: Id, first: Option<Part>, parts: Parts, limit: usize) -> Response<ReplyBody> {
    respond::events(ReplyBody::Events(Box::new(Events::new(id, first, parts, limit))))
}

fn failed(error: &CallError, id: &Id, record: &mut Record) -> Bytes {
    record.error(error.class());
    let ending = error.ending();
    if ending != Ending::Complete {
        record.ends_as(ending);
    }
    error.response(id)
}
