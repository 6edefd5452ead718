//! The one stream of a client of HTTP+SSE: where to post to, then every message there is for it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::time::Interval;
use tokio_util::sync::CancellationToken;

use crate::downstream::body::RETRY_MILLIS;
use crate::downstream::body::events::keep_alive;
use crate::downstream::hang_up::HangUp;
use crate::metrics::Counted;
use crate::session::Pipe;

/// The stream of a client of HTTP+SSE. When it is dropped, the session ends.
pub(crate) struct PipedStream(Pin<Box<dyn Stream<Item = Bytes> + Send>>);

/// What the stream is made of, and the places that it takes.
pub(crate) struct Piped {
    pub(crate) pipe: Arc<Pipe>,
    /// What is said to the client.
    pub(crate) said: mpsc::Receiver<Bytes>,
    /// The URI that the client posts to.
    pub(crate) endpoint: String,
    /// Ends it once its calls have ended, with a word on when to come back.
    pub(crate) draining: CancellationToken,
    /// Held while the stream is open, never looked at.
    pub(crate) _places: (HangUp, Counted),
}

impl PipedStream {
    /// Reads until the client leaves, the session ends, or the gateway drains.
    pub(crate) fn new(piped: Piped) -> Self {
        let first = mcp::encode_event(Some("endpoint"), None, piped.endpoint.as_bytes());
        let state = State { piped, keep_alive: keep_alive(), is_over: false };
        let rest = stream::unfold(state, |mut state| async {
            let event = state.next().await?;
            Some((event, state))
        });
        let first = stream::iter([first]);
        Self(Box::pin(first.chain(rest)))
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        self.0.as_mut().poll_next(context)
    }
}

struct State {
    piped: Piped,
    keep_alive: Interval,
    is_over: bool,
}

impl State {
    async fn next(&mut self) -> Option<Bytes> {
        if self.is_over {
            return None;
        }
        let Piped { pipe, said, draining, .. } = &mut self.piped;
        // Answers that are on their way have no other.
        let drained = async {
            draining.cancelled().await;
            pipe.settled().await;
        };
        tokio::select! {
            biased;
            message = said.recv() => {
                self.keep_alive.reset();
                Some(mcp::encode_event(Some("message"), None, &message?))
            }
            () = pipe.over().cancelled() => None,
            () = drained => {
                self.is_over = true;
                Some(mcp::encode_retry(RETRY_MILLIS))
            }
            _ = self.keep_alive.tick() => Some(mcp::encode_comment("")),
        }
    }
}
