//! A call's answer as a stream of events: notifications and questions as they come, the response
//! last, and a comment now and then so that nobody on the way thinks the connection dead. Where the
//! client has a session, it can read on where it lost the stream.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mcp::Id;
use tokio::time::{Instant, Interval, interval_at};

use crate::access_log::Ending;
use crate::context::AnswerLimit;
use crate::downstream::body::RETRY_MILLIS;
use crate::error::CallError;
use crate::reply::{Part, Parts};
use crate::session::{Session, Stream};
use crate::tasks::Tasks;

/// How long a stream may be silent.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A call's messages, the response last.
pub(crate) struct Events {
    answer: Option<Answer>,
    keep_alive: Interval,
    /// What is to be sent before anything else.
    ready: VecDeque<Bytes>,
    is_over: bool,
    ending: Option<Ending>,
}

/// The answer to one request as it arrives.
struct Answer {
    id: Id,
    first: Option<Part>,
    parts: Parts,
    /// The pieces of a long response, which becomes one event when it is whole.
    pieces: BytesMut,
    /// How long that may be.
    limit: AnswerLimit,
    kept: Option<Kept>,
}

/// Where events are kept, so that a client that loses the stream reads on.
pub(crate) struct Kept {
    pub(crate) session: Arc<Session>,
    pub(crate) tasks: Tasks,
    /// How long a call goes on that nobody reads.
    pub(crate) orphan: Duration,
    stream: Arc<Stream>,
}

/// What a part is to a client.
enum Said {
    /// A message; the last if so marked.
    Message { message: Bytes, is_last: bool },
    /// The same, in place of what the target did not say.
    Failed { message: Bytes, ending: Ending },
    /// The stream ends for now.
    Paused(Duration),
    /// Nothing yet.
    Nothing,
    /// Nothing any more.
    Over,
}

impl Kept {
    /// A stream of the session for one answer.
    pub(crate) fn new(session: Arc<Session>, tasks: Tasks, orphan: Duration) -> Self {
        let stream = session.outbox().open_call_stream();
        Self { session, tasks, orphan, stream }
    }

    fn event(&self, message: Bytes) -> Bytes {
        let place = self.stream.push(message.clone());
        mcp::encode_event(None, Some(&place.to_string()), &message)
    }
}

impl Events {
    /// The answer to the request `id`, of which `first` has arrived; `overdue` goes before it.
    pub(crate) fn new(
        id: Id,
        overdue: Vec<Bytes>,
        first: Option<Part>,
        parts: Parts,
        limit: AnswerLimit,
        kept: Option<Kept>,
    ) -> Self {
        let mut ready = VecDeque::new();
        if let Some(kept) = &kept {
            let session = &kept.session;
            if session.revision().primes_streams() {
                let start = kept.stream.start().to_string();
                ready.push_back(mcp::encode_event(None, Some(&start), b""));
                // Where the target says it otherwise, its word comes later and counts.
                ready.push_back(mcp::encode_retry(RETRY_MILLIS));
            }
        }
        let answer = Answer { id, first, parts, pieces: BytesMut::new(), limit, kept };
        ready.extend(overdue.into_iter().map(|message| answer.event(message)));
        let keep_alive = keep_alive();
        Self { answer: Some(answer), keep_alive, ready, is_over: false, ending: None }
    }

    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending
    }

    pub(super) fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        loop {
            if self.is_resumed() {
                // Each message is for one connection alone (2025-11-25, transports, "Multiple
                // Connections").
                self.ready.clear();
                self.ending = Some(Ending::ClientLeftMidStream);
                self.keep();
            }
            if let Some(event) = self.ready.pop_front() {
                self.keep_alive.reset();
                return Poll::Ready(Some(event));
            }
            let Some(answer) = self.answer.as_mut().filter(|_| !self.is_over) else {
                return Poll::Ready(None);
            };
            let part = match answer.first.take() {
                Some(first) => Poll::Ready(Some(first)),
                None => answer.parts.poll_recv(context),
            };
            let Poll::Ready(part) = part else {
                ready!(self.keep_alive.poll_tick(context));
                return Poll::Ready(Some(mcp::encode_comment("")));
            };
            match answer.say(part) {
                Said::Message { message, is_last } => {
                    self.ready.push_back(answer.event(message));
                    self.is_over = is_last;
                }
                Said::Failed { message, ending } => {
                    self.ready.push_back(answer.event(message));
                    (self.is_over, self.ending) = (true, Some(ending));
                }
                Said::Paused(retry) => self.pause(retry),
                Said::Nothing => {}
                Said::Over => self.is_over = true,
            }
        }
    }

    /// Whether its client reads on elsewhere.
    fn is_resumed(&self) -> bool {
        let kept = self.answer.as_ref().and_then(|answer| answer.kept.as_ref());
        kept.is_some_and(|kept| kept.stream.is_resumed())
    }

    /// The client is told to come back for the rest, if it knows how to; meanwhile that is kept.
    fn pause(&mut self, retry: Duration) {
        let is_kept = |answer: &Answer| {
            answer.kept.as_ref().is_some_and(|kept| kept.session.revision().primes_streams())
        };
        if self.answer.as_ref().is_some_and(is_kept) {
            let milliseconds = u64::try_from(retry.as_millis()).unwrap_or(u64::MAX);
            self.ready.push_back(mcp::encode_retry(milliseconds));
            self.keep();
        }
    }

    /// Goes on without a client, for the one that comes back.
    fn keep(&mut self) {
        if let Some(answer) = self.answer.take()
            && let Some(tasks) = answer.kept.as_ref().map(|kept| kept.tasks.clone())
        {
            tasks.spawn("kept answer", answer.keep());
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        if self.is_over {
            if let Some(kept) = self.answer.as_ref().and_then(|answer| answer.kept.as_ref()) {
                kept.stream.end_given();
            }
        } else {
            // The client left in mid-stream, which cancels nothing.
            self.keep();
        }
    }
}

impl Answer {
    fn say(&mut self, part: Option<Part>) -> Said {
        match part {
            Some(Part::Message(message)) => Said::Message { message, is_last: false },
            Some(Part::Response(message)) => Said::Message { message, is_last: true },
            Some(Part::Paused(retry)) => Said::Paused(retry),
            Some(Part::Chunk(piece)) if self.pieces.len() + piece.len() <= self.limit.bytes => {
                self.pieces.extend_from_slice(&piece);
                Said::Nothing
            }
            Some(Part::Chunk(_)) => self.failed(&self.limit.refuse_event()),
            Some(Part::Failed(error)) => self.failed(&error),
            None if self.pieces.is_empty() => Said::Over,
            None => Said::Message { message: self.pieces.split().freeze(), is_last: true },
        }
    }

    fn failed(&self, error: &CallError) -> Said {
        Said::Failed { message: error.response(&self.id), ending: error.ending() }
    }

    fn event(&self, message: Bytes) -> Bytes {
        match &self.kept {
            Some(kept) => kept.event(message),
            None => mcp::encode_event(None, None, &message),
        }
    }

    /// Keeps what still comes until it is all there, or nobody has come back for it in time.
    async fn keep(mut self) {
        let Some(kept) = self.kept.take() else { return };
        // Its client has just left, whom the stream does not count among its readers.
        let left = Instant::now();
        let mut patience = left + kept.orphan;
        loop {
            let part = tokio::select! {
                part = next(&mut self.first, &mut self.parts) => part,
                () = tokio::time::sleep_until(patience) => {
                    let now = Instant::now();
                    patience = kept.stream.unread_since().unwrap_or(now).max(left) + kept.orphan;
                    if patience <= now {
                        self.parts.cancel();
                        break;
                    }
                    continue;
                }
            };
            match self.say(part) {
                Said::Message { message, is_last } => {
                    kept.stream.push(message);
                    if is_last {
                        break;
                    }
                }
                Said::Failed { message, .. } => {
                    kept.stream.push(message);
                    break;
                }
                Said::Paused(_) | Said::Nothing => {}
                Said::Over => break,
            }
        }
        kept.stream.end();
    }
}

async fn next(first: &mut Option<Part>, parts: &mut Parts) -> Option<Part> {
    match first.take() {
        Some(first) => Some(first),
        None => parts.recv().await,
    }
}

pub(super) fn keep_alive() -> Interval {
    interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE)
}
