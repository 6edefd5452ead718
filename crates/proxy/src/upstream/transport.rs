//! Connections to targets: one [`Connection`] is one MCP session, whatever the transport. Who holds
//! how many of them, and for whom, is the upstream's.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ::http::HeaderMap;
use arc_swap::ArcSwap;
use bytes::Bytes;
use config::{Limits, Target, TargetAddress};
use mcp::{InitializeResult, Message, Nonce};

use crate::tasks::Tasks;
use crate::upstream::declaration::Declaration;
use crate::upstream::era::legacy::{self, Reaction};
use crate::upstream::error::UpstreamError;
use crate::upstream::pool::HttpPool;
use crate::upstream::processes::Processes;

mod answer;
mod arrival;
mod calls;
#[cfg(test)]
pub(crate) mod fixtures;

mod inbox;
mod opening;
mod over_http;
mod receive;
mod sse;
mod stdio;
mod streamable;

pub(crate) use answer::{Answer, MessageStream};
pub(crate) use arrival::{AnswerBody, Arrival};
use inbox::Inbox;
pub(crate) use inbox::{ClientSettings, Hearer, Inbound, Listener};
pub(crate) use receive::Replies;
use sse::Sse;
use stdio::Stdio;
use streamable::Streamable;

/// Fills 16 bytes with randomness that nobody can guess.
pub(crate) type Random = fn(&mut [u8; 16]);

/// What a connection needs to be opened.
#[derive(Clone)]
pub(crate) struct Dial {
    /// Whom to connect to, and how to treat it: read at open and at every request, so that what
    /// is swapped in it holds for living sessions.
    pub(crate) settings: Arc<ArcSwap<Settings>>,
    /// The upstream's HTTP connections; not used for processes.
    pub(crate) http: HttpPool,
    /// The bound on the upstream's processes; not used for URLs.
    pub(crate) processes: Processes,
    /// What bounds messages and heads.
    pub(crate) limits: Arc<Limits>,
    /// The scope that the connection's own scope is made in.
    pub(crate) tasks: Tasks,
    /// Where the ids of our own requests come from.
    pub(crate) random: Random,
    /// What is said of the client.
    pub(crate) declaration: Declaration,
    /// Whether the target was found to speak HTTP+SSE, where nobody says what it speaks.
    pub(crate) speaks_sse: Arc<AtomicBool>,
    /// What the connection is for, for logs: `catalog`, `session`, `call`.
    pub(crate) purpose: &'static str,
}

/// Who may use a connection at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionKind {
    /// The target gave no session id: one connection serves everybody.
    Stateless,
    /// The target keeps something for this connection.
    Stateful,
}

/// A request on its way to a target.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    /// What finds the answer: the `id` in the body, and the progress token where there is one.
    pub(crate) nonce: Nonce,
    /// The message.
    pub(crate) body: Bytes,
    /// The client's headers that the operator lets through; empty for processes.
    pub(crate) headers: HeaderMap,
}

/// One MCP session with one target. Dropping it ends its streams and, in the background, its
/// process; only [`close`](Self::close) also deletes the session at an HTTP target.
pub(crate) struct Connection {
    wire: Wire,
    common: Arc<Common>,
    hello: InitializeResult,
    _scope: Scope,
}

/// Ends the tasks of a connection when it is dropped, or not opened to the end.
struct Scope(Tasks);

/// What every transport needs: the settings as they are now, and the scope of its tasks.
pub(crate) struct Common {
    /// For messages: the host with its port, or the command.
    peer: Arc<str>,
    settings: Arc<ArcSwap<Settings>>,
    limits: Arc<Limits>,
    /// Ends with the connection.
    tasks: Tasks,
    inbox: Inbox,
    declaration: Declaration,
    purpose: &'static str,
}

/// What may change while a connection lives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Settings {
    /// The target as configured.
    pub(crate) target: Arc<Target>,
    /// Where to connect instead of what the URL's host resolves to; empty for that.
    pub(crate) endpoints: Arc<[SocketAddr]>,
}

enum Wire {
    Streamable(Arc<Streamable>),
    Sse(Sse),
    Stdio(Stdio),
}

impl Connection {
    /// Opens a session: declares the client, checks the answer, ends the opening, and has the target's own stream open where it offers one, because
    /// servers drop what they want to say while there is none.
    ///
    /// `deadline` bounds all of it. Dropping the future leaves nothing behind.
    ///
    /// # Errors
    /// Whatever goes wrong before the target has said hello.
    pub(crate) async fn open(
        dial: &Dial,
        hearer: impl Into<Hearer>,
        deadline: Duration,
    ) -> Result<Self, UpstreamError> {
        let tasks = dial.tasks.child();
        let target = dial.settings.load().target.clone();
        let common = Arc::new(Common {
            peer: peer(&target.address),
            settings: dial.settings.clone(),
            limits: dial.limits.clone(),
            inbox: Inbox::new(hearer.into(), tasks.clone()),
            declaration: dial.declaration.clone(),
            tasks,
            purpose: dial.purpose,
        });
        // Boxed: whatever an opening may lead to is in it.
        let opened = Box::pin(Self::opened(dial, &target, common.clone()));
        match tokio::time::timeout(deadline, opened).await {
            Ok(connection) => connection,
            Err(_) => Err(UpstreamError::Timeout { peer: common.peer.clone(), after: deadline }),
        }
    }

    async fn opened(
        dial: &Dial,
        target: &Target,
        common: Arc<Common>,
    ) -> Result<Self, UpstreamError> {
        let peer = common.peer.clone();
        let scope = Scope(common.tasks.clone());
        let (wire, hello) = opening::open(dial, target, &common).await?;
        if let Wire::Streamable(streamable) = &wire {
            streamable.agreed(&hello);
        }
        wire.notify(legacy::INITIALIZED).await?;
        if let Wire::Streamable(streamable) = &wire {
            streamable.listen(&hello).await;
        }
        tracing::debug!(
            %peer, purpose = common.purpose, revision = hello.protocol_version.as_str(),
            "Opened an upstream session."
        );
        Ok(Self { wire, common, hello, _scope: scope })
    }

    /// What the target says of itself.
    pub(crate) fn hello(&self) -> &InitializeResult {
        &self.hello
    }

    /// Whether it may be shared by everybody.
    pub(crate) fn kind(&self) -> SessionKind {
        match &self.wire {
            Wire::Streamable(streamable) => streamable.kind(),
            Wire::Sse(_) | Wire::Stdio(_) => SessionKind::Stateful,
        }
    }

    /// Sends a request. Returns when the head of its answer is there (streamable HTTP), or its first
    /// message (HTTP+SSE, stdio): the deadline is the caller's. Dropping the future drops the answer;
    /// it cancels nothing at the target.
    ///
    /// # Errors
    /// See [`UpstreamError`]; an error that the target answers in JSON-RPC is an answer.
    pub(crate) async fn request(&self, request: Outgoing) -> Result<Answer, UpstreamError> {
        self.wire.request(request).await
    }

    /// Sends a notification, or a response to a target's request.
    ///
    /// # Errors
    /// When it was not accepted within `deadline`.
    pub(crate) async fn notify(
        &self,
        body: Bytes,
        deadline: Duration,
    ) -> Result<(), UpstreamError> {
        let peer = self.common.peer.clone();
        let timeout = |_| UpstreamError::Timeout { peer, after: deadline };
        tokio::time::timeout(deadline, self.wire.notify(body)).await.map_err(timeout)?
    }

    /// Whether it is a process of ours.
    pub(crate) fn is_process(&self) -> bool {
        matches!(self.wire, Wire::Stdio(_))
    }

    /// What was said of the client.
    pub(crate) fn declaration(&self) -> &Declaration {
        &self.common.declaration
    }

    /// The way back for what the target asks on this connection.
    pub(crate) fn replies(&self) -> Replies {
        match &self.wire {
            Wire::Streamable(streamable) => streamable.replies().clone(),
            Wire::Sse(sse) => sse.replies().clone(),
            Wire::Stdio(stdio) => stdio.replies().clone(),
        }
    }

    /// Whether requests still have a chance.
    pub(crate) fn is_open(&self) -> bool {
        !self.common.tasks.is_cancelled()
            && match &self.wire {
                Wire::Streamable(streamable) => streamable.is_open(),
                Wire::Sse(sse) => sse.is_open(),
                Wire::Stdio(stdio) => stdio.is_open(),
            }
    }

    /// The error for an answer of this target that is not what was asked for.
    pub(crate) fn invalid(&self, what: impl ToString) -> UpstreamError {
        UpstreamError::invalid(&self.common.peer, what)
    }

    /// The error for an answer that took longer than the caller waits.
    pub(crate) fn timed_out(&self, after: Duration) -> UpstreamError {
        UpstreamError::Timeout { peer: self.common.peer.clone(), after }
    }

    /// The error for a connection that has ended without saying why.
    pub(crate) fn closed(&self) -> UpstreamError {
        UpstreamError::Closed { peer: self.common.peer.clone() }
    }

    /// Tells whoever hears it that it is of no use any more: what the target has asked on it needs no
    /// answer.
    pub(crate) fn give_up(&self) {
        self.replies().end();
        self.common.inbox.closed(self.closed());
    }

    /// Ends the session in the target's own way, within 6 s (and 5 s more for answers that it is slow to take): its HTTP session is deleted; its process
    /// sees the end of its input, then (2 s) SIGTERM, then (3 s) SIGKILL. Calls in flight fail. May
    /// be called again.
    pub(crate) async fn close(&self) {
        match &self.wire {
            Wire::Streamable(streamable) => streamable.close().await,
            Wire::Sse(sse) => sse.close().await,
            Wire::Stdio(stdio) => stdio.close().await,
        }
        self.common.tasks.cancel();
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Connection({}, for {})", self.common.peer, self.common.purpose)
    }
}

impl Common {
    /// What is to be done with a message of the target.
    fn reaction(&self, message: &Message) -> Reaction {
        legacy::reaction(message, &self.declaration, self.inbox.has_client())
    }

    /// Passes on what belongs to no call.
    fn hear(&self, reaction: Reaction, message: Message, replies: &Replies) {
        match reaction {
            Reaction::ListChanged(kind) => self.inbox.list_changed(kind),
            Reaction::ResourceUpdated => self.inbox.offer(Inbound::ResourceUpdated(message)),
            Reaction::Log => self.inbox.offer(Inbound::Log(message)),
            Reaction::Ask => self.inbox.offer(Inbound::Request(message, replies.clone())),
            Reaction::Withdrawn => {
                self.inbox.offer(Inbound::Withdrawn(message, replies.clone()));
            }
            Reaction::Notice => self.inbox.offer(Inbound::Notice(message)),
            Reaction::Reply(_) | Reaction::OfCall => {}
        }
    }
}

impl Drop for Scope {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Wire {
    async fn request(&self, request: Outgoing) -> Result<Answer, UpstreamError> {
        match self {
            Self::Streamable(streamable) => streamable.request(request).await.map(Answer::from),
            Self::Sse(sse) => sse.request(request).await,
            Self::Stdio(stdio) => stdio.request(request).await,
        }
    }

    async fn notify(&self, body: Bytes) -> Result<(), UpstreamError> {
        match self {
            Self::Streamable(streamable) => streamable.notify(body).await,
            Self::Sse(sse) => sse.notify(body).await,
            Self::Stdio(stdio) => stdio.notify(body).await,
        }
    }
}

fn peer(address: &TargetAddress) -> Arc<str> {
    match address {
        TargetAddress::Http(address) => match address.url.authority() {
            // A userinfo is refused by `config`; here it must not even be shown.
            Some(authority) => authority.as_str().rsplit('@').next().unwrap_or_default().into(),
            None => "a URL without a host".into(),
        },
        TargetAddress::Process(address) => address.command.as_str().into(),
    }
}
