//! What arrives for one request, piece by piece.

use std::time::Duration;

use bytes::Bytes;
use mcp::{Kind, Message};

use crate::upstream::error::UpstreamError;
use crate::upstream::pool::body::HttpBody;

/// A JSON document that streams.
pub(crate) struct AnswerBody {
    first: Option<Bytes>,
    rest: Option<Box<HttpBody>>,
}

/// What comes next for a call.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all arrivals are messages, and boxing each would cost an allocation"
)]
pub(crate) enum Arrival {
    /// A message.
    Message(Message),
    /// The target ended its stream, and goes on when the rest is asked for after this time; that
    /// is done here.
    Paused(Duration),
}

impl AnswerBody {
    pub(crate) fn whole(document: Bytes) -> Self {
        Self { first: Some(document), rest: None }
    }

    pub(crate) fn streaming(first: Bytes, rest: HttpBody) -> Self {
        Self { first: Some(first), rest: Some(Box::new(rest)) }
    }

    /// The next bytes; `None` at the end. Safe to drop and to call again.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, UpstreamError>> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        let next = self.rest.as_mut()?.next().await;
        if !matches!(next, Some(Ok(_))) {
            self.rest = None;
        }
        next
    }

    /// All of it, at most `limit` bytes.
    pub(crate) async fn whole_within(self, limit: usize) -> Result<Bytes, UpstreamError> {
        let Self { first, rest } = self;
        let Some(mut rest) = rest else { return Ok(first.unwrap_or_default()) };
        let rest = rest.collect(limit).await?;
        Ok(match first {
            Some(first) if rest.is_empty() => first,
            Some(first) => [first, rest].concat().into(),
            None => rest,
        })
    }
}

/// Whether nothing comes after it.
pub(crate) fn is_response(message: &Message) -> bool {
    matches!(message.kind(), Kind::Response | Kind::ErrorResponse)
}
