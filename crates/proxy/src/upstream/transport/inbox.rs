//! The way from a target's streams to whoever owns the connection, for what belongs to no call. It
//! never makes a stream wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use bytes::Bytes;
use mcp::ListKind;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::tasks::Tasks;
use crate::upstream::error::UpstreamError;

/// What a target says that belongs to no call. Goes through a bounded channel (64 is enough).
#[derive(Debug, Clone)]
#[allow(dead_code, reason = "log levels and subscriptions will forward what is only noticed today")]
pub(crate) enum Inbound {
    /// One of its lists changed, or may have changed unseen. `Resources` stands for the templates
    /// too: the protocol has one notification for both.
    ListChanged(ListKind),
    /// `notifications/resources/updated`, as it came.
    ResourceUpdated(Bytes),
    /// `notifications/message` that came with no call, as it came.
    Log(Bytes),
    /// The session ended, or its target cannot be reached any more. Said once.
    Closed(Arc<UpstreamError>),
}

/// Where the streams of one connection put what belongs to no call.
#[derive(Clone)]
pub(crate) struct Inbox {
    sender: Sender<Inbound>,
    tasks: Tasks,
    /// The lists whose change waits for room: one bit each, so that a full channel costs at most one
    /// waiting task per list.
    owed: Arc<AtomicU8>,
}

/// The bit of [`Inbox::owed`] for [`Inbound::Closed`].
const CLOSED: u8 = 1 << 7;

impl Inbox {
    pub(crate) fn new(sender: Sender<Inbound>, tasks: Tasks) -> Self {
        Self { sender, tasks, owed: Arc::default() }
    }

    /// Says that a list changed; said once however often it is called while the channel is full.
    pub(crate) fn list_changed(&self, kind: ListKind) {
        let bit = match kind {
            ListKind::Tools => 1,
            ListKind::Prompts => 1 << 1,
            ListKind::Resources => 1 << 2,
            ListKind::ResourceTemplates => 1 << 3,
        };
        if self.owed.load(Ordering::Acquire) & bit == 0 {
            self.send_for_sure(Inbound::ListChanged(kind), bit);
        }
    }

    /// Passes on what may be lost when nobody keeps up.
    pub(crate) fn offer(&self, inbound: Inbound) {
        if self.sender.try_send(inbound).is_err() {
            tracing::debug!("A notification was dropped: nobody takes them.");
        }
    }

    /// Says that the connection is of no use any more, once.
    pub(crate) fn closed(&self, error: UpstreamError) {
        if self.owed.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED == 0 {
            self.send_for_sure(Inbound::Closed(Arc::new(error)), 0);
        }
    }

    fn send_for_sure(&self, inbound: Inbound, bit: u8) {
        let inbound = match self.sender.try_send(inbound) {
            Ok(()) | Err(TrySendError::Closed(_)) => return,
            Err(TrySendError::Full(inbound)) => inbound,
        };
        self.owed.fetch_or(bit, Ordering::AcqRel);
        let (sender, owed) = (self.sender.clone(), self.owed.clone());
        self.tasks.spawn("late upstream notification", async move {
            if let Ok(room) = sender.reserve().await {
                owed.fetch_and(!bit, Ordering::AcqRel);
                room.send(inbound);
            }
        });
    }
}

#[cfg(test)]
mod tests;
