//! The body of a response: ours in one go, or an answer as its parts arrive.

mod events;
mod forwarded;
mod own;
mod piped;

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::vec;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::access_log::{Ending, TellsEnding};
use crate::error::{CallError, ForwardError};
use crate::reply::{Part, Parts, Segments};

pub(crate) use events::{Events, Kept};
pub(crate) use forwarded::{Deadline, Forwarded};
pub(crate) use own::{OwnStream, Reading};
pub(crate) use piped::{Piped, PipedStream};

/// How long a client whose stream ended before its time should wait before it comes back.
const RETRY_MILLIS: u64 = 1_000;

/// An answer that streams broke off: the connection is cut, because the head is sent already.
#[derive(Debug, thiserror::Error)]
pub enum BrokenOff {
    /// That of a call.
    #[error("the answer broke off: {0}")]
    Call(CallError),
    /// That of an ordinary HTTP server.
    #[error("the answer broke off: {0}")]
    Forward(ForwardError),
}

/// The body of a response.
pub enum ReplyBody {
    /// Nothing.
    Empty,
    /// What is whole already, and how many bytes are left of it.
    Whole(vec::IntoIter<Bytes>, u64),
    /// A JSON document as its parts arrive.
    Stream(JsonStream),
    /// A call's messages, the response last.
    Events(Box<Events>),
    /// A stream that a session's client opened by GET.
    Own(Box<OwnStream>),
    /// The one stream of a client of HTTP+SSE.
    Piped(Box<PipedStream>),
    /// The answer of an ordinary HTTP server.
    Forwarded(Box<Forwarded>),
}

/// A JSON document as its parts arrive.
pub struct JsonStream {
    first: Option<Bytes>,
    parts: Parts,
    ending: Option<Ending>,
}

impl ReplyBody {
    /// What is whole already.
    pub(crate) fn whole(segments: Segments) -> Self {
        let length = u64::try_from(segments.len()).unwrap_or(u64::MAX);
        Self::Whole(segments.into_iter(), length)
    }

    /// A JSON document of which the first bytes are here.
    pub(crate) fn stream(first: Bytes, parts: Parts) -> Self {
        Self::Stream(JsonStream { first: Some(first), parts, ending: None })
    }
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let data = |bytes: Bytes| Some(Ok(Frame::data(bytes)));
        Poll::Ready(match self.get_mut() {
            Self::Empty => None,
            Self::Whole(segments, left) => segments.next().and_then(|bytes| {
                *left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                data(bytes)
            }),
            Self::Stream(stream) => match ready!(stream.poll_next(context)) {
                Some(Ok(bytes)) => data(bytes),
                Some(Err(error)) => Some(Err(error)),
                None => None,
            },
            Self::Events(events) => ready!(events.poll_next(context)).and_then(data),
            Self::Own(own) => ready!(own.poll_next(context)).and_then(data),
            Self::Piped(piped) => ready!(piped.poll_next(context)).and_then(data),
            Self::Forwarded(forwarded) => {
                ready!(forwarded.poll_frame(context)).map(|frame| frame.map_err(BrokenOff::Forward))
            }
        })
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Empty | Self::Whole(_, 0) => true,
            Self::Forwarded(forwarded) => forwarded.is_end_stream(),
            Self::Whole(..) | Self::Stream(_) | Self::Events(_) | Self::Own(_) | Self::Piped(_) => {
                false
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Empty => SizeHint::with_exact(0),
            Self::Whole(_, left) => SizeHint::with_exact(*left),
            Self::Stream(_) | Self::Events(_) | Self::Own(_) | Self::Piped(_) => {
                SizeHint::default()
            }
            Self::Forwarded(forwarded) => forwarded.size_hint(),
        }
    }
}

impl TellsEnding for ReplyBody {
    fn ending(&self) -> Option<Ending> {
        match self {
            Self::Empty | Self::Whole(..) | Self::Own(_) | Self::Piped(_) => None,
            Self::Stream(stream) => stream.ending,
            Self::Events(events) => events.ending(),
            Self::Forwarded(forwarded) => forwarded.ending(),
        }
    }
}

impl JsonStream {
    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokenOff>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        Poll::Ready(match ready!(self.parts.poll_recv(context)) {
            Some(Part::Chunk(bytes) | Part::Response(bytes)) => Some(Ok(bytes)),
            // No exchange mixes the forms; what cannot be shown in one document is left out.
            Some(Part::Message(_) | Part::Paused(_)) => Some(Ok(Bytes::new())),
            Some(Part::Failed(error)) => {
                self.ending = Some(error.ending());
                Some(Err(BrokenOff::Call(error)))
            }
            None => None,
        })
    }
}

#[cfg(test)]
mod tests;
