//! A call's answer as a stream of events: notifications as they come, the response last, and a
//! comment now and then so that nobody on the way thinks the connection dead.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mcp::Id;
use tokio::time::{Instant, Interval, interval_at};

use crate::access_log::Ending;
use crate::error::CallError;
use crate::reply::{Part, Parts};

/// How long a stream may be silent.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A call's messages, the response last.
pub(crate) struct Events {
    id: Id,
    first: Option<Part>,
    parts: Parts,
    keep_alive: Interval,
    /// The pieces of a long response, which becomes one event when it is whole.
    pieces: BytesMut,
    /// How long that may be, in bytes.
    limit: usize,
    is_over: bool,
    ending: Option<Ending>,
}

impl Events {
    /// The answer to the request `id`, of which `first` has arrived.
    pub(crate) fn new(id: Id, first: Option<Part>, parts: Parts, limit: usize) -> Self {
        let keep_alive = keep_alive();
        let pieces = BytesMut::new();
        Self { id, first, parts, keep_alive, pieces, limit, is_over: false, ending: None }
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        while !self.is_over {
            let part = match self.first.take() {
                Some(first) => Poll::Ready(Some(first)),
                None => self.parts.poll_recv(context),
            };
            let Poll::Ready(part) = part else {
                ready!(self.keep_alive.poll_tick(context));
                return Poll::Ready(Some(mcp::encode_comment("")));
            };
            if let Some(event) = self.event(part) {
                self.keep_alive.reset();
                return Poll::Ready(Some(event));
            }
        }
        Poll::Ready(None)
    }

    /// The event that `part` completes, if it completes one.
    fn event(&mut self, part: Option<Part>) -> Option<Bytes> {
        match part {
            Some(Part::Notification(message)) => Some(mcp::encode_event(None, None, &message)),
            Some(Part::Chunk(piece)) if self.pieces.len() + piece.len() <= self.limit => {
                self.pieces.extend_from_slice(&piece);
                None
            }
            Some(Part::Chunk(_)) => {
                Some(self.failed(&CallError::TooLongForAnEvent { limit: self.limit }))
            }
            Some(Part::Response(message)) => {
                self.is_over = true;
                Some(mcp::encode_event(None, None, &message))
            }
            Some(Part::Failed(error)) => Some(self.failed(&error)),
            None => {
                self.is_over = true;
                let whole = !self.pieces.is_empty();
                whole.then(|| mcp::encode_event(None, None, &self.pieces))
            }
        }
    }

    fn failed(&mut self, error: &CallError) -> Bytes {
        self.is_over = true;
        self.ending = Some(error.ending());
        mcp::encode_event(None, None, &error.response(&self.id))
    }
}

pub(super) fn keep_alive() -> Interval {
    interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE)
}
