//! A response's body that carries its request's record to the end.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};

use crate::access_log::{Ending, Record};

/// A body that knows more of its end than that it came.
pub trait TellsEnding: Body {
    /// How the request ended, where it was not simply answered.
    fn ending(&self) -> Option<Ending>;
}

/// A body that counts what it hands to the connection, and whose end, failure or drop ends the
/// record that it carries. Whatever must live as long as the answer (the world, the exchange)
/// belongs into `B`.
#[derive(Debug)]
pub struct RecordedBody<B: TellsEnding> {
    body: B,
    record: Record,
    /// Whether the body said that it is over, or failed.
    is_over: bool,
    /// What is still to come, where the body said so at the start.
    remaining: Option<u64>,
}

impl<B: TellsEnding<Data = Bytes>> RecordedBody<B> {
    /// Wraps `body`, whose head must have been told to `record`.
    pub fn new(body: B, record: Record) -> Self {
        let remaining = body.size_hint().exact();
        Self { body, record, is_over: false, remaining }
    }
}

impl<B: TellsEnding> RecordedBody<B> {
    /// The body is over: what it says of its end goes into the record.
    fn take_ending(&mut self) {
        self.is_over = true;
        if let Some(ending) = self.body.ending() {
            self.record.ends_as(ending);
        }
    }
}

impl<B: TellsEnding<Data = Bytes> + Unpin> Body for RecordedBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let polled = ready!(Pin::new(&mut this.body).poll_frame(context));
        match &polled {
            Some(Ok(frame)) => {
                let sent = frame.data_ref().map_or(0, Buf::remaining);
                this.record.sent(sent);
                let sent = u64::try_from(sent).unwrap_or(u64::MAX);
                this.remaining = this.remaining.map(|remaining| remaining.saturating_sub(sent));
            }
            Some(Err(_)) => {
                this.take_ending();
                this.record.body_failed();
            }
            None => {
                this.take_ending();
                this.record.body_ended();
            }
        }
        Poll::Ready(polled)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<B: TellsEnding> Drop for RecordedBody<B> {
    fn drop(&mut self) {
        if self.is_over {
            return;
        }
        // hyper does not ask for the end of a body whose length it knows.
        if self.remaining == Some(0) || self.body.is_end_stream() {
            self.take_ending();
            self.record.body_ended();
        } else {
            self.record.body_dropped();
        }
    }
}
