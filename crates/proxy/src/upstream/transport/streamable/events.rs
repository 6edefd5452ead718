//! The event stream that answers one POST: gives the messages of its call, deals with the rest, and
//! reads on elsewhere when a server ends the stream early and said how to go on (SEP-1699).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use mcp::headers::is_event_stream;
use mcp::{Decoder, Event, Kind, Message, Method, Nonce};

use super::{Sorted, Streamable};
use crate::upstream::era::legacy::Reaction;
use crate::upstream::error::UpstreamError;
use crate::upstream::pool::body::HttpBody;
use crate::upstream::transport::arrival::Arrival;
use crate::upstream::transport::receive::{messages, too_long};

/// How long to wait before reading on, where the server does not say, and the longest it may say.
pub(crate) const RETRY: Duration = Duration::from_secs(1);
pub(crate) const LONGEST_RETRY: Duration = Duration::from_secs(30);
/// How often a stream is taken up again without anything new on it.
const RESUMES: u32 = 5;

/// The events that answer one request.
pub(crate) struct Events {
    streamable: Arc<Streamable>,
    nonce: Nonce,
    /// `None` when it broke or ended.
    body: Option<HttpBody>,
    broken: Option<UpstreamError>,
    decoder: Decoder,
    waiting: VecDeque<Message>,
    position: Position,
    resumes: u32,
    /// Whether the caller knows that the stream has ended for now.
    told_pause: bool,
}

/// How far a stream has been read, in the server's words.
#[derive(Default)]
pub(crate) struct Position {
    pub(crate) last: Option<Bytes>,
    retry: Option<Duration>,
}

impl Position {
    /// Notes what an event says about the stream; gives what it says to us.
    pub(crate) fn advance(&mut self, event: Event) -> Option<Bytes> {
        if let Some(id) = event.id {
            self.last = Some(id).filter(|id| !id.is_empty());
        }
        if let Some(milliseconds) = event.retry {
            self.retry = Some(Duration::from_millis(milliseconds).min(LONGEST_RETRY));
        }
        let is_message = event.event.is_none_or(|name| &name[..] == b"message");
        (is_message && !event.data.is_empty()).then_some(event.data)
    }

    pub(crate) fn retry(&self) -> Duration {
        self.retry.unwrap_or(RETRY)
    }
}

impl Events {
    pub(crate) fn new(streamable: Arc<Streamable>, nonce: Nonce, body: HttpBody) -> Self {
        let decoder = Decoder::new(streamable.common.limits.sse_event);
        Self {
            streamable,
            nonce,
            body: Some(body),
            broken: None,
            decoder,
            waiting: VecDeque::new(),
            position: Position::default(),
            resumes: 0,
            told_pause: false,
        }
    }

    /// What comes next for the call; the caller stops after the response. Safe to drop and to
    /// call again.
    pub(crate) async fn next(&mut self) -> Result<Arrival, UpstreamError> {
        loop {
            if let Some(message) = self.buffered()? {
                return Ok(Arrival::Message(message));
            }
            let Some(body) = &mut self.body else {
                if self.is_paused() {
                    self.told_pause = true;
                    return Ok(Arrival::Paused(self.position.retry()));
                }
                self.resume().await?;
                continue;
            };
            match body.next().await {
                Some(Ok(chunk)) => self.decoder.push(chunk),
                Some(Err(error)) => {
                    self.broken = Some(error);
                    self.body = None;
                }
                None => self.body = None,
            }
        }
    }

    /// The response was seen: what follows is only the end of the stream.
    pub(crate) fn finish(&mut self) {
        if let Some(body) = self.body.take() {
            body.finish();
        }
    }

    fn buffered(&mut self) -> Sorted {
        loop {
            while let Some(message) = self.waiting.pop_front() {
                if let Some(message) = sort(&self.streamable, self.nonce, message)? {
                    return Ok(Some(message));
                }
            }
            let common = &self.streamable.common;
            let event = self.decoder.next_event();
            let Some(event) = event.map_err(|error| too_long(&common.peer, &error))? else {
                return Ok(None);
            };
            self.resumes = 0;
            let Some(data) = self.position.advance(event) else { continue };
            let all = messages(&data, common.limits.batch);
            self.waiting.extend(all.map_err(|error| UpstreamError::invalid(&common.peer, error))?);
        }
    }

    /// Whether the server ended the stream itself, said how to go on, and nobody was told yet.
    fn is_paused(&self) -> bool {
        self.broken.is_none() && self.position.last.is_some() && !self.told_pause
    }

    async fn resume(&mut self) -> Result<(), UpstreamError> {
        let peer = &self.streamable.common.peer;
        let cut = || UpstreamError::cut(peer, "its event stream ended without an answer");
        let broken = self.broken.clone().unwrap_or_else(cut);
        if self.position.last.is_none() || self.resumes >= RESUMES {
            return Err(broken);
        }
        tokio::time::sleep(self.position.retry()).await;
        let Ok(answer) = self.streamable.get(self.position.last.as_ref()).await else {
            return Err(broken);
        };
        let head = &answer.head;
        if head.status != StatusCode::OK || !is_event_stream(head.headers.get(CONTENT_TYPE)) {
            return Err(broken);
        }
        // What the old stream left half said is said again.
        self.decoder = Decoder::new(self.streamable.common.limits.sse_event);
        self.body = Some(answer.body);
        self.broken = None;
        self.resumes += 1;
        self.told_pause = false;
        Ok(())
    }
}

/// Deals with a message on the stream of the call `nonce`; gives it back if it is the call's.
pub(crate) fn sort(streamable: &Arc<Streamable>, nonce: Nonce, message: Message) -> Sorted {
    let common = &streamable.common;
    match common.reaction(&message) {
        Reaction::Reply(reply) => streamable.replies().send(vec![reply]),
        Reaction::Ask | Reaction::Withdrawn | Reaction::Log | Reaction::Notice => {
            return Ok(Some(message));
        }
        Reaction::OfCall => return of_call(streamable, nonce, message),
        reaction @ (Reaction::ListChanged(_) | Reaction::ResourceUpdated) => {
            common.hear(reaction, message, streamable.replies());
        }
    }
    Ok(None)
}

fn of_call(streamable: &Streamable, nonce: Nonce, message: Message) -> Sorted {
    let own = match message.kind() {
        // Some servers answer what they refuse with `"id":null`; on this stream it is this request.
        Kind::ErrorResponse if message.id().is_none() => {
            let named = message.error_to(&nonce.id());
            let named =
                named.map_err(|error| UpstreamError::invalid(&streamable.common.peer, error));
            return named.map(Some);
        }
        Kind::Response | Kind::ErrorResponse => message.id() == Some(&nonce.id()),
        Kind::Request | Kind::Notification if message.method() == Some(Method::Progress) => {
            let token = message.routed().progress_token.as_ref();
            token.is_some_and(|(_, token)| *token == nonce.progress_token())
        }
        Kind::Request | Kind::Notification => true,
    };
    Ok(own.then_some(message))
}
