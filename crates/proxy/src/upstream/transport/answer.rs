//! What comes back for one request, in the two forms that targets choose: one document, or messages.

use bytes::Bytes;
use mcp::Message;

use crate::upstream::error::UpstreamError;
use crate::upstream::transport::arrival::{AnswerBody, Arrival, is_response};
use crate::upstream::transport::calls::Arrivals;
use crate::upstream::transport::streamable::{Events, Posted};

/// What comes back for one request.
pub(crate) enum Answer {
    /// One JSON document as it comes from the wire, with our ids in it. Not bounded here.
    Body(AnswerBody),
    /// Messages one by one, the response last.
    Messages(MessageStream),
}

/// The messages that belong to one call: pings, other requests and `list_changed` of the target have
/// been dealt with.
pub(crate) struct MessageStream {
    source: Source,
    ended: bool,
}

enum Source {
    /// The event stream that answers one POST.
    Events(Box<Events>),
    /// A share of a stream of many calls; its first message has been taken out.
    Shared(Box<(Option<Message>, Arrivals)>),
    /// The elements of an array.
    Batch(std::vec::IntoIter<Message>),
}

impl Answer {
    /// The response alone, whole: what is on the way to it is dropped. At most `limit` bytes.
    pub(crate) async fn response(self, limit: usize) -> Result<Bytes, UpstreamError> {
        match self {
            Self::Body(body) => body.whole_within(limit).await,
            Self::Messages(mut messages) => {
                let mut last = Bytes::new();
                while let Some(message) = messages.next().await {
                    last = message?.bytes().clone();
                }
                Ok(last)
            }
        }
    }

    fn batch(messages: Vec<Message>) -> Self {
        let source = Source::Batch(messages.into_iter());
        Self::Messages(MessageStream { source, ended: false })
    }

    /// Waits for the first message of a call: the response alone is a body, anything else a stream.
    pub(crate) async fn first_of(mut arrivals: Arrivals) -> Result<Self, UpstreamError> {
        let Some(first) = arrivals.next().await.transpose()? else {
            return Ok(Self::batch(Vec::new()));
        };
        if is_response(&first) {
            return Ok(Self::Body(AnswerBody::whole(first.bytes().clone())));
        }
        let source = Source::Shared(Box::new((Some(first), arrivals)));
        Ok(Self::Messages(MessageStream { source, ended: false }))
    }
}

impl From<Posted> for Answer {
    fn from(posted: Posted) -> Self {
        match posted {
            Posted::Document(body) => Self::Body(body),
            Posted::Events(events) => {
                Self::Messages(MessageStream { source: Source::Events(events), ended: false })
            }
            Posted::Batch(messages) => Self::batch(messages),
        }
    }
}

impl MessageStream {
    /// What comes next; `None` after the response, or after an error. Safe to drop and to call
    /// again.
    ///
    /// # Errors
    /// [`UpstreamError::Cut`] when the stream ends without a response.
    pub(crate) async fn arrival(&mut self) -> Option<Result<Arrival, UpstreamError>> {
        if self.ended {
            return None;
        }
        let next = match &mut self.source {
            Source::Events(events) => Some(events.next().await),
            Source::Shared(shared) => match shared.0.take() {
                Some(first) => Some(Ok(first)),
                None => shared.1.next().await,
            }
            .map(|message| message.map(Arrival::Message)),
            Source::Batch(messages) => messages.next().map(|message| Ok(Arrival::Message(message))),
        };
        self.ended = match &next {
            Some(Ok(Arrival::Message(message))) => is_response(message),
            Some(Ok(Arrival::Paused(_))) => false,
            Some(Err(_)) | None => true,
        };
        if self.ended
            && let Source::Events(events) = &mut self.source
        {
            events.finish();
        }
        next
    }
}

impl MessageStream {
    /// The next message, whatever pauses the target makes; as [`arrival`](Self::arrival).
    pub(crate) async fn next(&mut self) -> Option<Result<Message, UpstreamError>> {
        loop {
            match self.arrival().await? {
                Ok(Arrival::Message(message)) => return Some(Ok(message)),
                Ok(Arrival::Paused(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
