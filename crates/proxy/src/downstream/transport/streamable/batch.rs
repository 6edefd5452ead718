//! Batches of 2025-03-26: several messages in one body, answered by one array, or by events of which
//! the last is that array.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use http::{HeaderMap, Response, StatusCode};
use mcp::{Accept, ErrorCode, Id, Kind, Message, MessageError, Method, Revision};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::access_log::{Ending, Origin, Record};
use crate::auth::Principal;
use crate::context::{AnswerLimit, Closing, Context};
use crate::downstream::body::ReplyBody;
use crate::downstream::era::legacy;
use crate::downstream::transport::streamable::reply::{self, Asked, failed};
use crate::downstream::transport::streamable::{Post, allows_batches, call};
use crate::downstream::{Endpoint, respond};
use crate::error::{CallError, RequestError};
use crate::reply::{PART_QUEUE, Part, Parts, Reply, Segments, orphaned};
use crate::session::Claims;
use crate::world::World;

/// Answers every request of a batch, a few at once, in the order in which they stand.
pub(super) async fn answer(
    post: &Post<'_>,
    header: Option<Revision>,
    bytes: &Bytes,
    record: &mut Record,
) -> Result<Response<ReplyBody>, RequestError> {
    if !allows_batches(post, header) {
        return Err(RequestError::Batch("only 2025-03-26 has them"));
    }
    let context = post.endpoint.context;
    let elements = mcp::split_batch(bytes, context.limits.batch).map_err(RequestError::Message)?;
    let messages: Vec<_> = elements.into_iter().map(Message::parse).collect();
    // What the whole answer is about: the first message that gets one.
    let Some(id) = messages.iter().find_map(answered_id) else {
        for message in messages.iter().flatten() {
            legacy::hear(post.endpoint, post.claims.as_ref(), message).await;
        }
        return Ok(respond::empty(StatusCode::ACCEPTED));
    };
    let session = match &post.claims {
        Some(claims) => {
            let federation = post.endpoint.backend(&post.backend)?;
            Some(legacy::record(post.endpoint, federation, claims)?)
        }
        None => None,
    };
    record.head(StatusCode::OK);
    let batch = Batch::new(post, record.origin().clone());
    let (parts, answer) = mpsc::channel(PART_QUEUE);
    let orphan = context.limits.orphan_call.get();
    let given_up = batch.given_up.clone();
    let answer = Parts::of_call(answer, given_up.clone());
    context.tasks.spawn("batch", async move {
        let mut run = pin!(batch.run(messages, &parts));
        tokio::select! {
            () = orphaned(&parts, orphan) => given_up.cancel(),
            () = given_up.cancelled() => {}
            () = &mut run => return,
        }
        // Each of its calls ends, and the targets hear of it.
        run.await;
    });
    let asked = Asked { context, id, accept: post.accept, session };
    Ok(reply::respond(asked, Reply::Upstream(answer), record).await)
}

/// The id of the answer to an element, if it gets one.
fn answered_id(element: &Result<Message, MessageError>) -> Option<Id> {
    match element {
        Ok(message) if message.kind() == Kind::Request => message.id().cloned(),
        Ok(_) => None,
        Err(error) => Some(error.id().cloned().unwrap_or_else(|| Id::from(0))),
    }
}

/// What a batch needs for as long as it is answered.
struct Batch {
    context: Arc<Context>,
    world: Arc<World>,
    backend: String,
    claims: Option<Claims>,
    headers: Arc<HeaderMap>,
    accept: Accept,
    principal: Principal,
    remote: SocketAddr,
    closing: Closing,
    within: Option<Duration>,
    /// For the records of its requests.
    origin: Origin,
    /// Cancelled when nobody waits for it any more.
    given_up: CancellationToken,
}

impl Batch {
    fn new(post: &Post<'_>, origin: Origin) -> Self {
        let endpoint = post.endpoint;
        Self {
            context: endpoint.context.clone(),
            world: endpoint.world.clone(),
            backend: post.backend.clone(),
            claims: post.claims.clone(),
            headers: post.headers.clone(),
            accept: post.accept,
            principal: endpoint.principal.clone(),
            remote: endpoint.remote,
            closing: endpoint.closing.clone(),
            within: endpoint.within,
            origin,
            given_up: CancellationToken::new(),
        }
    }

    /// Takes every message, and puts what comes of it into `parts`: the answers last, together.
    async fn run(&self, messages: Vec<Result<Message, MessageError>>, parts: &mpsc::Sender<Part>) {
        let endpoint = Endpoint {
            context: &self.context,
            world: &self.world,
            // They were chosen from already.
            backends: &[],
            principal: self.principal.clone(),
            remote: self.remote,
            closing: &self.closing,
            within: self.within,
        };
        let post = Post {
            endpoint: &endpoint,
            backend: self.backend.clone(),
            claims: self.claims.clone(),
            headers: self.headers.clone(),
            accept: self.accept,
        };
        let room = Room::new(self.context.answer_limit());
        let concurrency = self.context.limits.batch_concurrency.max(1);
        let answers: Vec<Option<Segments>> = stream::iter(messages)
            .map(|message| self.one(&post, message, &room, parts))
            .buffered(concurrency)
            .collect()
            .await;
        let answers = joined(answers.into_iter().flatten());
        let _ = parts.send(Part::Response(answers.concat())).await;
    }

    /// The answer to one element: none to a notification or a response.
    async fn one(
        &self,
        post: &Post<'_>,
        message: Result<Message, MessageError>,
        room: &Room,
        parts: &mpsc::Sender<Part>,
    ) -> Option<Segments> {
        let message = match message {
            Ok(message) => message,
            Err(error) => return Some(Segments::from(RequestError::Message(error).body())),
        };
        let id = message.id().cloned();
        let (Kind::Request, Some(id)) = (message.kind(), id) else {
            legacy::hear(post.endpoint, post.claims.as_ref(), &message).await;
            return None;
        };
        let mut record = Record::of(self.origin.clone());
        record.message(&message);
        let answer = self.request(post, message, &id, room, parts, &mut record).await;
        record.sent(answer.len());
        record.end_answered();
        Some(answer)
    }

    async fn request(
        &self,
        post: &Post<'_>,
        message: Message,
        id: &Id,
        room: &Room,
        parts: &mpsc::Sender<Part>,
        record: &mut Record,
    ) -> Segments {
        if message.method() == Some(Method::Initialize) {
            let text = "`initialize` cannot be part of a batch";
            return mcp::error_response(Some(id), ErrorCode::InvalidRequest, text, None).into();
        }
        if self.given_up.is_cancelled() {
            return failed(&CallError::Cancelled, id, record).into();
        }
        let takes_events = post.accept.event_stream;
        match call(post, message, id.clone(), takes_events, record).await {
            Ok((Reply::Local(body), _)) if room.take(body.len()) => body,
            Ok((Reply::Local(_), _)) => failed(&room.none_left(), id, record).into(),
            Ok((Reply::Upstream(answer), _)) => {
                let messages = takes_events.then_some(parts);
                match last(answer, room, messages, &self.given_up).await {
                    Ok(answer) => answer,
                    Err(error) => failed(&error, id, record).into(),
                }
            }
            Err(error) => {
                record.ends_as(Ending::Refused);
                error.response(id).into()
            }
        }
    }
}

/// The one message that answers a call; what comes before it goes to `messages`.
async fn last(
    mut parts: Parts,
    room: &Room,
    messages: Option<&mpsc::Sender<Part>>,
    given_up: &CancellationToken,
) -> Result<Segments, CallError> {
    let mut pieces: Vec<Bytes> = Vec::new();
    let mut length = 0;
    let mut is_given_up = false;
    let failed = loop {
        let part = tokio::select! {
            part = parts.recv() => part,
            () = given_up.cancelled(), if !is_given_up => {
                is_given_up = true;
                parts.cancel();
                continue;
            }
        };
        match part {
            Some(message @ Part::Message(_)) => {
                if let Some(messages) = messages {
                    let _ = messages.send(message).await;
                }
            }
            // The rest comes by itself.
            Some(Part::Paused(_)) => {}
            Some(Part::Chunk(piece) | Part::Response(piece)) => {
                if !room.take(piece.len()) {
                    break room.none_left();
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
    limit: AnswerLimit,
    left: AtomicUsize,
}

impl Room {
    fn new(limit: AnswerLimit) -> Self {
        let left = AtomicUsize::new(limit.bytes);
        Self { limit, left }
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
    fn none_left(&self) -> CallError {
        self.limit.refuse_in_batch()
    }
}

fn joined(answers: impl Iterator<Item = Segments>) -> Segments {
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
