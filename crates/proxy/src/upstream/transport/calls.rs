//! The calls in flight on a stream that many calls share (HTTP+SSE, stdio): finds the call that a
//! message belongs to. The stream pushes into bounded queues and never waits: a call that does not
//! keep up fails alone.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use mcp::{Kind, Message, Method, Nonce};
use parking_lot::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::upstream::error::{Oversized, UpstreamError};

/// The messages that one call may have waiting.
const QUEUE: usize = 256;

/// The calls in flight on one stream.
pub(crate) struct Calls {
    peer: Arc<str>,
    /// The bytes that one call may have waiting, one message always allowed.
    queue_bytes: usize,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    calls: HashMap<Nonce, Waiter>,
    /// Whether the stream ended.
    ended: bool,
}

/// The side of a call that messages are handed to.
struct Waiter {
    sender: Sender<Message>,
    bytes: Arc<AtomicUsize>,
    failure: Arc<OnceLock<UpstreamError>>,
}

/// What arrives for one call. Dropping it forgets the call: what arrives later is dropped.
pub(crate) struct Arrivals {
    nonce: Nonce,
    receiver: Receiver<Message>,
    bytes: Arc<AtomicUsize>,
    failure: Arc<OnceLock<UpstreamError>>,
    calls: Arc<Calls>,
    done: bool,
}

/// Which call an unreadable message belonged to.
pub(crate) enum Suspect {
    /// It carried this id.
    Known(Nonce),
    /// Nobody can tell; only a lone call can be blamed.
    Unknown,
}

impl Calls {
    pub(crate) fn new(peer: Arc<str>, queue_bytes: usize) -> Arc<Self> {
        Arc::new(Self { peer, queue_bytes, open: Mutex::default() })
    }

    /// Expects messages for `nonce`; fails when the stream has ended.
    pub(crate) fn begin(self: &Arc<Self>, nonce: Nonce) -> Result<Arrivals, UpstreamError> {
        let (sender, receiver) = channel(QUEUE);
        let (bytes, failure) = (Arc::default(), Arc::default());
        let mut open = self.open.lock();
        if open.ended {
            return Err(UpstreamError::Closed { peer: self.peer.clone() });
        }
        let waiter = Waiter { sender, bytes: Arc::clone(&bytes), failure: Arc::clone(&failure) };
        open.calls.insert(nonce, waiter);
        Ok(Arrivals { nonce, receiver, bytes, failure, calls: self.clone(), done: false })
    }

    /// Whether the stream still brings messages.
    pub(crate) fn is_open(&self) -> bool {
        !self.open.lock().ended
    }

    /// Hands a message to its call: a response by its id, progress by its token, anything else (an
    /// error that names no request too) to the only call in flight. Gives it back when it belongs to none.
    pub(crate) fn deliver(&self, message: Message) -> Option<Message> {
        let mut open = self.open.lock();
        let is_response = matches!(message.kind(), Kind::Response | Kind::ErrorResponse);
        let is_nameless = message.kind() == Kind::ErrorResponse && message.id().is_none();
        let nonce = if is_nameless {
            open.only()
        } else if is_response {
            message.id().and_then(|id| Nonce::of_id(id.as_bytes()))
        } else if message.method() == Some(Method::Progress) {
            let token = message.routed().progress_token.as_ref();
            token.and_then(|(_, token)| Nonce::of_progress_token(token))
        } else {
            open.only()
        };
        let Some(nonce) = nonce else { return Some(message) };
        let Some(waiter) = open.calls.get(&nonce) else { return Some(message) };
        let named = is_nameless.then(|| message.error_to(&nonce.id()).ok()).flatten();
        let message = named.unwrap_or(message);
        if let Err(error) = waiter.push(&self.peer, self.queue_bytes, message) {
            let _ = waiter.failure.set(error);
            open.calls.remove(&nonce);
        } else if is_response {
            open.calls.remove(&nonce);
        }
        None
    }

    /// Fails the call that an unreadable message belonged to, if it can be told; says whether.
    pub(crate) fn fail(&self, suspect: Suspect, error: UpstreamError) -> bool {
        let mut open = self.open.lock();
        let nonce = match suspect {
            Suspect::Known(nonce) => Some(nonce),
            Suspect::Unknown => open.only(),
        };
        let Some(waiter) = nonce.and_then(|nonce| open.calls.remove(&nonce)) else { return false };
        let _ = waiter.failure.set(error);
        true
    }

    /// The stream ended: every call in flight fails with `error`, and no new one begins. They were
    /// sent: an error that says otherwise (of another request) only tells them how they were cut.
    pub(crate) fn end(&self, error: &UpstreamError) {
        let error = match error.was_not_executed() {
            true => UpstreamError::cut(&self.peer, error),
            false => error.clone(),
        };
        let mut open = self.open.lock();
        for (_, waiter) in open.calls.drain() {
            let _ = waiter.failure.set(error.clone());
        }
        open.ended = true;
    }
}

impl Open {
    fn only(&self) -> Option<Nonce> {
        let mut nonces = self.calls.keys();
        nonces.next().copied().filter(|_| nonces.next().is_none())
    }
}

impl Waiter {
    fn push(&self, peer: &Arc<str>, limit: usize, message: Message) -> Result<(), UpstreamError> {
        let length = message.bytes().len();
        let before = self.bytes.fetch_add(length, Ordering::AcqRel);
        if before > 0 && before + length > limit {
            return Err(UpstreamError::TooLarge {
                peer: peer.clone(),
                what: Oversized::Queue,
                limit,
            });
        }
        self.sender
            .try_send(message)
            .map_err(|_| UpstreamError::cut(peer, format!("{QUEUE} messages wait for its client")))
    }
}

impl Arrivals {
    /// The next message, the response last; then `None`. Safe to drop and to call again.
    pub(crate) async fn next(&mut self) -> Option<Result<Message, UpstreamError>> {
        if self.done {
            return None;
        }
        let Some(message) = self.receiver.recv().await else {
            self.done = true;
            let cut = || UpstreamError::cut(&self.calls.peer, "it was forgotten");
            return Some(Err(self.failure.get().cloned().unwrap_or_else(cut)));
        };
        self.bytes.fetch_sub(message.bytes().len(), Ordering::AcqRel);
        self.done = matches!(message.kind(), Kind::Response | Kind::ErrorResponse);
        Some(Ok(message))
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.calls.open.lock().calls.remove(&self.nonce);
    }
}

#[cfg(test)]
mod tests;
