//! A call's answer as a stream of events: notifications as they come, the response last, and a
//! comment now and then so that nobody on the way thinks the connection dead.

use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use mcp::Id;
use tokio::time::{Instant, Interval, interval_at};

use crate::access_log::Ending;
use crate::reply::{Part, Parts};

/// How long a stream may be silent.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A call's messages, the response last.
pub(crate) struct Events {
    id: Id,
    first: Option<Part>,
    parts: Parts,
    keep_alive: Interval,
    is_over: bool,
    ending: Option<Ending>,
}

impl Events {
    /// The answer to the request `id`, of which `first` has arrived.
    pub(crate) fn new(id: Id, first: Option<Part>, parts: Parts) -> Self {
        let keep_alive = keep_alive();
        Self { id, first, parts, keep_alive, is_over: false, ending: None }
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.is_over {
            return Poll::Ready(None);
        }
        let part = match self.first.take() {
            Some(first) => Poll::Ready(Some(first)),
            None => self.parts.poll_recv(context),
        };
        let Poll::Ready(part) = part else {
            ready!(self.keep_alive.poll_tick(context));
            return Poll::Ready(Some(mcp::encode_comment("")));
        };
        self.keep_alive.reset();
        Poll::Ready(part.map(|part| self.event(part)))
    }

    fn event(&mut self, part: Part) -> Bytes {
        match part {
            Part::Notification(message) => mcp::encode_event(None, None, &message),
            Part::Response(message) | Part::Chunk(message) => {
                self.is_over = true;
                mcp::encode_event(None, None, &message)
            }
            Part::Failed(error) => {
                self.is_over = true;
                self.ending = Some(error.ending());
                mcp::encode_event(None, None, &error.response(&self.id))
            }
        }
    }
}

pub(super) fn keep_alive() -> Interval {
    interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE)
}
