//! A stream that a session's client opened by GET: what belongs to no call, or the rest of a stream
//! that it lost.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::downstream::body::RETRY_MILLIS;
use crate::downstream::body::events::keep_alive;
use crate::federation;
use crate::metrics::Counted;
use crate::session::{Reader, Session, StreamSeat};

/// The stream of a GET.
pub(crate) struct OwnStream(Pin<Box<dyn Stream<Item = Bytes> + Send>>);

/// What a stream is made of, and the places that it takes.
pub(crate) struct Reading {
    pub(crate) session: Arc<Session>,
    /// Where it reads.
    pub(crate) reader: Reader,
    /// Ends it with a word on when to come back.
    pub(crate) draining: CancellationToken,
    /// Held while the stream is open, never looked at.
    pub(crate) _places: (StreamSeat, Counted),
}

impl OwnStream {
    /// Reads until the session, the backend or what is read ends, or the gateway drains.
    pub(crate) fn new(reading: Reading) -> Self {
        let changes = reading.session.view().changes();
        let ended = reading.session.ended();
        let state = State { reading, changes, ended, keep_alive: keep_alive(), is_over: false };
        Self(Box::pin(stream::unfold(state, |mut state| async {
            let event = state.next().await?;
            Some((event, state))
        })))
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.0.as_mut().poll_next(context)
    }
}

struct State {
    reading: Reading,
    changes: watch::Receiver<federation::Changes>,
    ended: CancellationToken,
    keep_alive: tokio::time::Interval,
    is_over: bool,
}

impl State {
    async fn next(&mut self) -> Option<Bytes> {
        let session = &self.reading.session;
        while !self.is_over {
            for kind in session.unheard() {
                session.deliver(mcp::list_changed(kind));
            }
            tokio::select! {
                event = self.reading.reader.next() => {
                    // What is not kept any more ends the stream: a client that reads on with the
                    // last id that it saw is told.
                    let Some(Ok((place, message))) = event else { return None };
                    self.keep_alive.reset();
                    return Some(mcp::encode_event(None, Some(&place.to_string()), &message));
                }
                changed = self.changes.changed() => self.is_over = changed.is_err(),
                () = self.ended.cancelled() => self.is_over = true,
                () = self.reading.draining.cancelled() => {
                    self.is_over = true;
                    return Some(mcp::encode_retry(RETRY_MILLIS));
                }
                _ = self.keep_alive.tick() => return Some(mcp::encode_comment("")),
            }
        }
        None
    }
}
