//! The one way to a client of HTTP+SSE or stdio, on which it hears everything. It is there before
//! the session, which begins with `initialize`, and the session is over when it is gone.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::session::record::{Session, StreamSeat};
use crate::session::sealed::Claims;

/// How many messages may wait for a client that reads slowly; then its calls wait too.
const QUEUE: usize = 64;
/// How many calls a client may have in flight; nothing else bounds them, because a message is
/// taken before it is answered.
const CALLS: u16 = 256;

/// How long a client may take to make room for a message.
const STALLED: Duration = Duration::from_secs(60);

/// The one way to a client.
#[derive(Debug)]
pub struct Pipe {
    /// Whose it is. What the client can do is not known yet and is not in them.
    claims: Claims,
    messages: mpsc::Sender<Bytes>,
    /// Present from `initialize` on, with its place among the session's streams.
    session: OnceLock<(Arc<Session>, StreamSeat)>,
    calls: Arc<Semaphore>,
    over: CancellationToken,
}

/// A call in flight, until it is dropped.
#[derive(Debug)]
pub struct PipeCall(#[expect(dead_code, reason = "held, never looked at")] OwnedSemaphorePermit);

impl Pipe {
    /// A pipe, and the end where what is said comes out.
    pub fn new(claims: Claims) -> (Arc<Self>, mpsc::Receiver<Bytes>) {
        let (messages, said) = mpsc::channel(QUEUE);
        let pipe = Self {
            claims,
            messages,
            session: OnceLock::new(),
            calls: Arc::new(Semaphore::new(usize::from(CALLS))),
            over: CancellationToken::new(),
        };
        (Arc::new(pipe), said)
    }

    /// Whose it is: serial, principal, backend and expiry.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The session, from `initialize` on.
    pub fn session(&self) -> Option<&Arc<Session>> {
        self.session.get().map(|(session, _)| session)
    }

    /// Where the session puts what belongs to no call.
    pub fn messages(&self) -> mpsc::Sender<Bytes> {
        self.messages.clone()
    }

    /// Says something as soon as there is room; nothing once the client has gone. For one that has
    /// stopped reading it is over: whatever is on its way waits here.
    pub async fn say(&self, message: Bytes) {
        self.say_within(message, STALLED).await;
    }

    pub(super) async fn say_within(&self, message: Bytes, limit: Duration) {
        tokio::select! {
            biased;
            // Whoever has gone does not miss it.
            _ = self.messages.send(message) => {}
            () = self.over.cancelled() => {}
            () = tokio::time::sleep(limit) => self.over.cancel(),
        }
    }

    /// Takes a place among the calls in flight; `None` if there are too many.
    pub fn call(&self) -> Option<PipeCall> {
        self.calls.clone().try_acquire_owned().ok().map(PipeCall)
    }

    /// Waits until no call is in flight. There can be none any more afterwards.
    pub async fn settled(&self) {
        if let Ok(all) = self.calls.acquire_many(u32::from(CALLS)).await {
            all.forget();
            self.calls.close();
        }
    }

    /// Cancelled when the client is to hear no more.
    pub fn over(&self) -> &CancellationToken {
        &self.over
    }

    /// Whether its client has gone, has stopped reading, or has had its time by `unix`.
    pub(super) fn has_ended(&self, unix: SystemTime) -> bool {
        self.over.is_cancelled() || self.claims.expires <= unix
    }

    pub(super) fn begin(&self, session: &Arc<Session>) {
        if let Some(seat) = session.stream(usize::MAX) {
            self.session.get_or_init(|| (session.clone(), seat));
        }
    }
}
