//! What comes off a stream, made into messages; and what is done with one on a stream of many calls.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use mcp::{Message, MessageError, Nonce, SseError};
use tokio::sync::mpsc::{Sender, channel};
use tokio::sync::watch;

use crate::upstream::era::legacy::Reaction;
use crate::upstream::error::{Oversized, UpstreamError};
use crate::upstream::transport::Common;
use crate::upstream::transport::calls::{Calls, Suspect};

/// The messages of one body, event or line: an array is split, though only 2025-03-26 allows it.
pub(crate) fn messages(data: &Bytes, batch: usize) -> Result<Vec<Message>, MessageError> {
    if mcp::is_batch(data) {
        return mcp::split_batch(data, batch)?.into_iter().map(Message::parse).collect();
    }
    Ok(vec![Message::parse(data.clone())?])
}

/// Deals with what one event or line of a shared stream holds. Gives back what the target has to be
/// told.
pub(crate) fn sort_shared(
    common: &Common,
    calls: &Calls,
    data: &Bytes,
    replies: &Replies,
) -> Vec<Bytes> {
    let messages = match messages(data, common.limits.batch) {
        Ok(messages) => messages,
        Err(error) => {
            blame(common, calls, &error);
            return Vec::new();
        }
    };
    let mut own = Vec::new();
    for message in messages {
        match common.reaction(&message) {
            Reaction::Reply(reply) => own.push(reply),
            Reaction::OfCall => {
                if calls.deliver(message).is_some() {
                    tracing::debug!(peer = %common.peer, "A message belongs to no call in flight.");
                }
            }
            // What may belong to a call belongs to the only one in flight.
            reaction @ (Reaction::Ask | Reaction::Withdrawn | Reaction::Log | Reaction::Notice) => {
                if let Some(message) = calls.deliver(message) {
                    common.hear(reaction, message, replies);
                }
            }
            reaction @ (Reaction::ListChanged(_) | Reaction::ResourceUpdated) => {
                common.hear(reaction, message, replies);
            }
        }
    }
    own
}

fn blame(common: &Common, calls: &Calls, error: &MessageError) {
    let nonce = error.id().and_then(|id| Nonce::of_id(id.as_bytes()));
    let what: Arc<str> = error.to_string().into();
    let failure = UpstreamError::Invalid { peer: common.peer.clone(), what };
    let blamed = nonce.is_some_and(|nonce| calls.fail(Suspect::Known(nonce), failure));
    if !blamed {
        tracing::debug!(peer = %common.peer, %error, "Something that is not a message was dropped.");
    }
}

/// How many replies to a target's own requests wait on one session; of the gateway's own replies, a
/// target that asks faster than it listens gets no more.
const REPLIES: usize = 8;
/// How long a target may take to accept one of them.
const REPLY_TIME: Duration = Duration::from_secs(5);

/// The way back for what a target asks; no stream waits for it.
#[derive(Debug, Clone)]
pub(crate) struct Replies {
    sender: Sender<Bytes>,
    /// How many have not been sent yet, where somebody counts them.
    unsent: watch::Sender<usize>,
    /// Whether the session has ended, which its queue may not know yet.
    is_over: Arc<AtomicBool>,
    peer: Arc<str>,
}

impl Replies {
    /// Starts the task that passes replies on, one after another, with `send`.
    pub(crate) fn start<S, F>(common: &Common, send: S) -> Self
    where
        S: Fn(Bytes) -> F + Send + 'static,
        F: Future<Output = Result<(), UpstreamError>> + Send,
    {
        let (sender, mut waiting) = channel(REPLIES);
        let unsent = watch::Sender::new(0_usize);
        let counted = unsent.clone();
        common.tasks.spawn("replies to a target", async move {
            while let Some(reply) = waiting.recv().await {
                match tokio::time::timeout(REPLY_TIME, send(reply)).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => tracing::debug!(%error, "A reply was not accepted."),
                    Err(_) => tracing::debug!("A reply was not accepted in time."),
                }
                counted.send_modify(|unsent| *unsent = unsent.saturating_sub(1));
            }
        });
        Self { sender, unsent, is_over: Arc::default(), peer: common.peer.clone() }
    }

    /// By a queue that somebody else empties.
    pub(crate) fn by(sender: Sender<Bytes>, peer: Arc<str>) -> Self {
        Self { sender, unsent: watch::Sender::new(0), is_over: Arc::default(), peer }
    }

    /// Waits until the target has what was passed on so far, for the time of one reply at most.
    /// Only for those that were started here.
    pub(crate) async fn settled(&self) {
        let mut unsent = self.unsent.subscribe();
        let settled = unsent.wait_for(|unsent| *unsent == 0);
        if tokio::time::timeout(REPLY_TIME, settled).await.is_err() {
            tracing::debug!(peer = %self.peer, "It does not take the last replies.");
        }
    }

    /// Whether both go to the same session.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.sender.same_channel(&other.sender)
    }

    /// Says that the session is over: nobody waits for a reply any more.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Whether the session is over.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_over.load(Ordering::Acquire) || self.sender.is_closed()
    }

    /// Passes a client's answer on, once there is room for it.
    ///
    /// # Errors
    /// The session is over.
    pub(crate) async fn pass(&self, reply: Bytes) -> Result<(), UpstreamError> {
        let closed = |_| UpstreamError::Closed { peer: self.peer.clone() };
        let room = self.sender.reserve().await.map_err(closed)?;
        self.unsent.send_modify(|unsent| *unsent += 1);
        room.send(reply);
        Ok(())
    }

    /// Passes them on, or drops them where the target does not take them.
    pub(crate) fn send(&self, replies: Vec<Bytes>) {
        for reply in replies {
            let Ok(room) = self.sender.try_reserve() else {
                tracing::debug!(peer = %self.peer, "It asks more than it lets us answer.");
                continue;
            };
            self.unsent.send_modify(|unsent| *unsent += 1);
            room.send(reply);
        }
    }
}

pub(crate) fn too_long(peer: &Arc<str>, error: &SseError) -> UpstreamError {
    match error {
        SseError::TooLong { limit } => {
            UpstreamError::TooLarge { peer: peer.clone(), what: Oversized::Event, limit: *limit }
        }
    }
}
