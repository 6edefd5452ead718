//! A stream that a session's client opened by GET: what belongs to no call, or the rest of a stream
//! that it lost.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use tokio_util::sync::CancellationToken;

use crate::downstream::body::RETRY_MILLIS;
use crate::downstream::body::events::keep_alive;
use crate::federation::News;
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
        let news = reading.session.view().news();
        let ended = reading.session.ended();
        // What it missed is told at once.
        let (is_due, is_over) = (true, false);
        let state = State { reading, news, is_due, ended, keep_alive: keep_alive(), is_over };
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
    news: News,
    /// Whether the client is to be told now what has changed.
    is_due: bool,
    ended: CancellationToken,
    keep_alive: tokio::time::Interval,
    is_over: bool,
}

impl State {
    async fn next(&mut self) -> Option<Bytes> {
        let session = &self.reading.session;
        while !self.is_over {
            if std::mem::take(&mut self.is_due) {
                for kind in session.unheard() {
                    session.deliver(mcp::list_changed(kind));
                }
            }
            tokio::select! {
                event = self.reading.reader.next() => {
                    // What is not kept any more ends the stream: a client that reads on with the
                    // last id that it saw is told.
                    let Some(Ok((place, message))) = event else { return None };
                    self.keep_alive.reset();
                    return Some(mcp::encode_event(None, Some(&place.to_string()), &message));
                }
                come = self.news.come(|| session.view().is_settled()) => match come {
                    Ok(()) => self.is_due = true,
                    Err(_) => self.is_over = true,
                },
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
