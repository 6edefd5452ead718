//! Batches of 2025-03-26: several messages in one body, answered by one array.

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::{Response, StatusCode};
use mcp::{ErrorCode, Kind, Message, Method, Revision};

use crate::access_log::{AccessLog, Record};
use crate::downstream::body::ReplyBody;
use crate::downstream::era::legacy;
use crate::downstream::respond;
use crate::downstream::transport::streamable::{Post, allows_batches, call, reply};
use crate::error::RequestError;
use crate::reply::{Reply, Segments};

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
    let answers: Vec<Option<Segments>> = stream::iter(elements)
        .map(|element| one(post, element))
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
async fn one(post: &Post<'_>, element: Bytes) -> Option<Segments> {
    let context = post.endpoint.context;
    // The batch has its line in the access log; its elements have none.
    let limit = context.limits.rewritten_answer;
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
        Ok((Reply::Local(body), _)) => body,
        Ok((Reply::Upstream(parts), _)) => reply::last(parts, &id, limit, &mut record).await,
        Err(error) => Segments::from(error.body()),
    })
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
