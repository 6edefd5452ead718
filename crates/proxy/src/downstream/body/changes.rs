//! A session's own stream: tells a client which lists have changed since it last heard.

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use mcp::ListKind;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::downstream::body::events::keep_alive;
use crate::federation;
use crate::metrics::Counted;
use crate::session::StreamSeat;

/// How long a client whose stream was ended by a drain should wait before it comes back.
const RETRY_MILLIS: u64 = 1_000;

/// The stream of a GET.
pub(crate) struct Changes(Pin<Box<dyn Stream<Item = Bytes> + Send>>);

/// What a stream watches, and the places that it takes.
pub(crate) struct Watch {
    pub(crate) changes: watch::Receiver<federation::Changes>,
    pub(crate) ended: CancellationToken,
    pub(crate) draining: CancellationToken,
    /// Held while the stream is open, never looked at.
    pub(crate) _places: (StreamSeat, Counted),
}

impl Changes {
    /// Changes from now on, until the session or the backend ends, or the listener drains.
    pub(crate) fn new(watch: Watch) -> Self {
        let seen = *watch.changes.borrow();
        let state =
            State { watch, seen, keep_alive: keep_alive(), ready: VecDeque::new(), is_over: false };
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
    watch: Watch,
    seen: federation::Changes,
    keep_alive: tokio::time::Interval,
    ready: VecDeque<ListKind>,
    is_over: bool,
}

impl State {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(kind) = self.ready.pop_front() {
                self.keep_alive.reset();
                return Some(list_changed(kind));
            }
            if self.is_over {
                return None;
            }
            let watch = &mut self.watch;
            tokio::select! {
                changed = watch.changes.changed() => match changed {
                    Ok(()) => {
                        let now = *watch.changes.borrow_and_update();
                        self.ready.extend(now.since(&self.seen));
                        self.seen = now;
                    }
                    Err(_) => self.is_over = true,
                },
                () = watch.ended.cancelled() => self.is_over = true,
                () = watch.draining.cancelled() => {
                    self.is_over = true;
                    return Some(Bytes::from(format!("retry: {RETRY_MILLIS}\n\n")));
                }
                _ = self.keep_alive.tick() => return Some(mcp::encode_comment("")),
            }
        }
    }
}

fn list_changed(kind: ListKind) -> Bytes {
    let method = kind.changed().name().unwrap_or_default();
    let message = format!(r#"{{"jsonrpc":"2.0","method":"{method}"}}"#);
    mcp::encode_event(None, None, message.as_bytes())
}
