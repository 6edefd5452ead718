//! Batches of 2025-03-26: several messages in one body, answered by one array.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::{Response, StatusCode};
use mcp::{ErrorCode, Kind, Message, Method, Revision};

use crate::access_log::{AccessLog, Record};
use crate::downstream::body::ReplyBody;
use crate::downstream::era::legacy;
use crate::downstream::respond;
use crate::downstream::transport::streamable::{Post, allows_batches, call, failed, reply};
use crate::error::{CallError, RequestError};
use crate::reply::{Part, Parts, Reply, Segments};

/// Answers every request of a batch, a few at once, in the order in which they stand.
pub(super) async fn answer(
    post: &Post<'_>,
    header: Option<Revision>,
    bytes: &Bytes,
) -> Result<Response<ReplyBody>, RequestError> {
    if !allows_batches(post, header) {
        return Err(RequestError::Batch("only 2025-03-26 has them"));
    }
    let limits = &post.endpoint.context.limits;
    let elements = mcp::split_batch(bytes, limits.batch).map_err(RequestError::Message)?;
    let room = Room::new(limits.rewritten_answer);
    let answers: Vec<Option<Segments>> = stream::iter(elements)
        .map(|element| one(post, element, &room))
        .buffered(limits.batch_concurrency.max(1))
        .collect()
        .await;
    let answers: Vec<Segments> = answers.into_iter().flatten().collect();
    if answers.is_empty() {
        return Ok(respond::empty(StatusCode::ACCEPTED));
    }
    Ok(reply::local(joined(answers), post.accept))
}

/// The answer to one element: none to a notification or a response.
async fn one(post: &Post<'_>, element: Bytes, room: &Room) -> Option<Segments> {
    let context = post.endpoint.context;
    // The batch has its line in the access log; its elements have none.
    let mut record = Record::new(&AccessLog::off(), &context.clock, post.endpoint.remote);
    let message = match Message::parse(element) {
        Ok(message) => message,
        Err(error) => return Some(Segments::from(RequestError::Message(error).body())),
    };
    let id = message.id().cloned();
    let (Kind::Request, Some(id)) = (message.kind(), id) else {
        legacy::hear(post.endpoint, post.claims.as_ref(), &message).await;
        return None;
    };
    if message.method() == Some(Method::Initialize) {
        let text = "`initialize` cannot be part of a batch";
        let body = mcp::error_response(Some(&id), ErrorCode::InvalidRequest, text, None);
        return Some(Segments::from(body));
    }
    Some(match call(post, message, id.clone(), false, &mut record).await {
        Ok((Reply::Local(body), _)) if room.take(body.len()) => body,
        Ok((Reply::Local(_), _)) => Segments::from(failed(&room.error(), &id, &mut record)),
        Ok((Reply::Upstream(parts), _)) => match last(parts, room).await {
            Ok(answer) => answer,
            Err(error) => Segments::from(failed(&error, &id, &mut record)),
        },
        Err(error) => Segments::from(error.body()),
    })
}

/// The one message that answers a call, whatever comes before it.
async fn last(mut parts: Parts, room: &Room) -> Result<Segments, CallError> {
    let mut pieces: Vec<Bytes> = Vec::new();
    let mut length = 0;
    let failed = loop {
        match parts.recv().await {
            Some(Part::Message(_) | Part::Paused(_)) => {}
            Some(Part::Chunk(piece) | Part::Response(piece)) => {
                if !room.take(piece.len()) {
                    break room.error();
                }
                length += piece.len();
                pieces.push(piece);
            }
            Some(Part::Failed(error)) => break error,
            None if pieces.is_empty() => break CallError::ShuttingDown,
            None => return Ok(Segments::from(pieces)),
        }
    };
    room.give_back(length);
    Err(failed)
}

/// How long the answers of one batch may be together, since all are kept until the last is there.
struct Room {
    limit: usize,
    left: AtomicUsize,
}

impl Room {
    fn new(limit: usize) -> Self {
        Self { limit, left: AtomicUsize::new(limit) }
    }

    /// Takes so many bytes of it, if they are there.
    fn take(&self, bytes: usize) -> bool {
        let taken = |left: usize| left.checked_sub(bytes);
        self.left.fetch_update(Ordering::AcqRel, Ordering::Acquire, taken).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.left.fetch_add(bytes, Ordering::AcqRel);
    }

    /// What the answer is instead for which there was none left.
    fn error(&self) -> CallError {
        CallError::BatchTooLong { limit: self.limit }
    }
}

fn joined(answers: Vec<Segments>) -> Segments {
    let mut pieces = Vec::new();
    for answer in answers {
        pieces.push(Bytes::from_static(if pieces.is_empty() { b"[" } else { b"," }));
        pieces.extend(answer);
    }
    pieces.push(Bytes::from_static(b"]"));
    Segments::from(pieces)
}

#[cfg(test)]
mod tests;
