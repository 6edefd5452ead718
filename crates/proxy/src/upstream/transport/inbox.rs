//! The way from a target's streams to whoever owns the connection, for what belongs to no call. It
//! never makes a stream wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use mcp::{Level, ListKind, Message};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use crate::tasks::Tasks;
use crate::upstream::error::UpstreamError;
use crate::upstream::transport::receive::Replies;

/// What a target says that belongs to no call. Goes through a bounded channel (64 is enough).
#[derive(Debug, Clone)]
pub(crate) enum Inbound {
    /// One of its lists changed, or may have changed unseen. `Resources` stands for the templates
    /// too: the protocol has one notification for both.
    ListChanged(ListKind),
    /// `notifications/resources/updated`, as it came.
    ResourceUpdated(Message),
    /// `notifications/message` that came with no call, as it came.
    Log(Message),
    /// It asks its client something; the answer goes back by [`Replies`].
    Request(Message, Replies),
    /// `notifications/cancelled`: it does not wait for the answer to a request any more.
    Withdrawn(Message, Replies),
    /// Any other notification.
    Notice(Message),
    /// The session ended, or its target cannot be reached any more. Said once.
    Closed(Arc<UpstreamError>),
}

/// Whom a connection was opened for.
pub(crate) enum Hearer {
    /// A catalog: what changes matters, and questions get the answer of somebody who is not there.
    Catalog(Sender<Inbound>),
    /// A client's session.
    Client(Arc<dyn Listener>),
}

/// A client's session, as a connection that was opened for it sees it.
pub(crate) trait Listener: Send + Sync {
    /// Hears what belongs to no call. Must not block: the stream waits meanwhile.
    fn hear(&self, inbound: Inbound);

    /// What a new connection has to be told.
    fn settings(&self) -> ClientSettings;
}

/// What a client has set at a target, for as long as its session lives.
#[derive(Debug, Default)]
pub(crate) struct ClientSettings {
    /// Which log lines it wants.
    pub(crate) level: Option<Level>,
    /// The target's own URIs of what it subscribed to.
    pub(crate) subscriptions: Vec<Arc<str>>,
}

/// Where the streams of one connection put what belongs to no call.
#[derive(Clone)]
pub(crate) struct Inbox {
    hearer: Arc<Hearer>,
    tasks: Tasks,
    /// The lists whose change waits for room: one bit each, so that a full channel costs at most one
    /// waiting task per list.
    owed: Arc<AtomicU8>,
}

/// The bit of [`Inbox::owed`] for [`Inbound::Closed`].
const CLOSED: u8 = 1 << 7;

impl From<Sender<Inbound>> for Hearer {
    fn from(sender: Sender<Inbound>) -> Self {
        Self::Catalog(sender)
    }
}

impl Inbox {
    pub(crate) fn new(hearer: Hearer, tasks: Tasks) -> Self {
        Self { hearer: Arc::new(hearer), tasks, owed: Arc::default() }
    }

    /// Whether a client is there to be asked.
    pub(crate) fn has_client(&self) -> bool {
        matches!(&*self.hearer, Hearer::Client(_))
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
        match &*self.hearer {
            Hearer::Client(listener) => listener.hear(inbound),
            Hearer::Catalog(sender) => {
                if sender.try_send(inbound).is_err() {
                    tracing::debug!("A notification was dropped: nobody takes them.");
                }
            }
        }
    }

    /// Says that the connection is of no use any more, once.
    pub(crate) fn closed(&self, error: UpstreamError) {
        if self.owed.fetch_or(CLOSED, Ordering::AcqRel) & CLOSED == 0 {
            self.send_for_sure(Inbound::Closed(Arc::new(error)), 0);
        }
    }

    fn send_for_sure(&self, inbound: Inbound, bit: u8) {
        let sender = match &*self.hearer {
            Hearer::Client(listener) => return listener.hear(inbound),
            Hearer::Catalog(sender) => sender,
        };
        let inbound = match sender.try_send(inbound) {
            Ok(()) | Err(TrySendError::Closed(_)) => return,
            Err(TrySendError::Full(inbound)) => inbound,
        };
        self.owed.fetch_or(bit, Ordering::AcqRel);
        let (sender, owed) = (sender.clone(), self.owed.clone());
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
