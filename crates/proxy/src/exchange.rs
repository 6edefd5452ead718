//! One call on its way to a target and back. A task of its own: a client of a legacy revision
//! that leaves has not cancelled, so the exchange goes on until it is done, cancelled, or nobody
//! has waited for `limits.orphanCall`.

mod relay;

pub(crate) use relay::map_tasks;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use config::Timeouts;
use http::HeaderMap;
use mcp::{Id, Level, Message, Nonce, ResultKind, Shape, TargetName};
use parking_lot::Mutex;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::error::CallError;
use crate::federation::Offer;
use crate::metrics::Counted;
use crate::random;
use crate::reply::{PART_QUEUE, Part, Parts, orphaned};
use crate::session::{CallInFlight, Session, Speaker};
use crate::tasks::Tasks;
use crate::upstream::{Lease, Outgoing, Owner, Upstream, UpstreamError};

/// How long a cancelled target has to hear of it.
const CANCEL_NOTICE: Duration = Duration::from_secs(2);

/// What a request says instead of its client's name or URI.
#[derive(Debug, Clone)]
pub enum Rename {
    /// It goes as it came.
    Nothing,
    /// A tool or prompt as the target knows it.
    Name(Arc<str>),
    /// A resource as the target knows it.
    Uri(Arc<str>),
    /// A task as the target knows it.
    Task(Arc<str>),
}

/// How a result has to look to its client, where it may not pass as it is.
#[derive(Debug, Clone, Copy)]
pub struct ResultView {
    /// Whose result it is.
    pub kind: ResultKind,
    /// What the client can take.
    pub shape: Shape,
    /// Whether the client knows the tool with its output wrapped.
    pub wraps: bool,
    /// Whether the client sees other URIs than the target does.
    pub maps_uris: bool,
    /// Whether it is about tasks, which the client knows by other ids than the target does.
    pub maps_tasks: bool,
}

impl ResultView {
    /// `None` where a well-formed result needs no change, so that it is not held back.
    pub fn new(
        offer: &Offer,
        target: usize,
        kind: ResultKind,
        tool: &str,
        shape: Shape,
    ) -> Option<Self> {
        let maps_uris = offer.menu.rewrites_uris(target);
        let wraps = kind == ResultKind::ToolCall && offer.menu.wraps_output(target, tool, shape);
        let needed = maps_uris || wraps || shape.narrows(kind);
        needed.then_some(Self { kind, shape, wraps, maps_uris, maps_tasks: false })
    }

    /// The same of what is about tasks of one target among several.
    pub fn of_tasks(offer: &Offer, target: usize, kind: ResultKind, shape: Shape) -> Self {
        let maps_uris = offer.menu.rewrites_uris(target);
        Self { kind, shape, wraps: false, maps_uris, maps_tasks: true }
    }
}

/// One call, ready to go.
pub struct Exchange {
    /// The target's name, for errors.
    pub target: TargetName,
    /// Its live side.
    pub upstream: Arc<Upstream>,
    /// Whose connection is used.
    pub owner: Owner,
    /// The client's request.
    pub message: Message,
    /// Its id, which goes back into the answer.
    pub id: Id,
    /// What is edited on the way there.
    pub rename: Rename,
    /// Client headers that the operator lets through.
    pub headers: HeaderMap,
    /// What is edited on the way back, where anything is.
    pub result: Option<ResultView>,
    /// The target as the client knows it.
    pub speaker: Speaker,
    /// The client's session, where it has one.
    pub session: Option<Arc<Session>>,
    /// Whether the answer can be events, so that the target can ask something meanwhile.
    pub takes_events: bool,
    /// How long it may take besides what the target's deadlines say.
    pub within: Option<Duration>,
    /// What the session remembers if the target agrees.
    pub effect: Option<Effect>,
    /// Held until it has ended, never looked at.
    pub _counted: Counted,
}

/// What a session remembers of a call to which the target said yes.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Which log lines the client wants.
    Level(Level),
    /// It watches a resource, by the target's own URI.
    Subscribed(Arc<str>),
    /// It does not watch it any more.
    Unsubscribed(Arc<str>),
}

/// The call as the target knows it, for telling it that nobody waits any more.
struct Sent {
    lease: Lease,
    nonce: Nonce,
}

impl Exchange {
    /// Starts the exchange; its answer comes in parts.
    /// `over` ends it when its listener or the gateway does.
    pub fn start(self, tasks: &Tasks, orphan: Duration, over: CancellationToken) -> Parts {
        let (parts, answer) = mpsc::channel(PART_QUEUE);
        // Known before the caller has the answer, so that a cancellation finds it.
        let stream = self.takes_events.then_some(&parts);
        let in_flight = self.session.as_ref().map(|session| session.call(&self.id, stream));
        let cancelled = match &in_flight {
            Some(in_flight) => in_flight.cancelled(),
            None => CancellationToken::new(),
        };
        let answer = Parts::of_call(answer, cancelled.clone());
        tasks.spawn("exchange", self.run(parts, in_flight, cancelled, orphan, over));
        answer
    }

    async fn run(
        self,
        parts: mpsc::Sender<Part>,
        in_flight: Option<CallInFlight>,
        cancelled: CancellationToken,
        orphan: Duration,
        over: CancellationToken,
    ) {
        let _begun = self.upstream.begin_call();
        let sent = Mutex::new(None);
        let ended = tokio::select! {
            // Nothing is begun for whom it is over already.
            biased;
            () = cancelled.cancelled() => Err(match &in_flight {
                Some(in_flight) if in_flight.is_withdrawn() => CallError::Withdrawn,
                _ => CallError::Cancelled,
            }),
            () = over.cancelled() => Err(CallError::ShuttingDown),
            () = self.upstream.removed().cancelled() => Err(self.failed(UpstreamError::REMOVED)),
            () = orphaned(&parts, orphan) => Err(CallError::Cancelled),
            ended = self.carry(&sent, &parts) => ended,
        };
        let Err(error) = ended else { return };

        debug!(target_name = %self.target, %error, "A call failed.");
        let is_given_up = matches!(
            error,
            CallError::Withdrawn
                | CallError::Cancelled
                | CallError::ShuttingDown
                | CallError::Timeout { .. }
                | CallError::Target { source: UpstreamError::Withdrawn(_), .. }
        );
        if let Some(session) = self.session.as_ref().filter(|_| is_given_up) {
            session.give_up(&parts);
        }
        let sent = sent.lock().take().filter(|_| is_given_up);
        let withdrawn = sent.map(|sent| {
            let (id, reason) = (sent.nonce.id(), error.to_string());
            let body = match &in_flight {
                Some(in_flight) => in_flight.withdrawal(&id, &reason),
                None => mcp::cancelled(&id, &reason),
            };
            (sent.lease, body)
        });
        // Who is slow to hear how it ended holds neither the connection nor its session.
        drop(in_flight);
        let told = async {
            if let Some((lease, body)) = withdrawn {
                tell(&lease, body).await;
                lease.abandon();
            }
        };
        // A client that left does not hear of it; the access log does.
        let failed = parts.send(Part::Failed(error.clone()));
        let _ = futures_util::future::join(failed, told).await;
    }

    /// Carries the call to its end, within what a call may take at most: a client that does not
    /// read its answer holds the connection no longer than that.
    async fn carry(
        &self,
        sent: &Mutex<Option<Sent>>,
        parts: &mpsc::Sender<Part>,
    ) -> Result<(), CallError> {
        self.check()?;
        let timeouts = self.timeouts();
        let after = timeouts.progress.max(timeouts.call);
        let carried = tokio::time::timeout(after, self.send(sent, parts)).await;
        carried.unwrap_or_else(|_| Err(CallError::Timeout { target: self.target.clone(), after }))
    }

    /// Sends the request, again on a new connection if the first provably did not execute it,
    /// and relays the answer.
    async fn send(
        &self,
        sent: &Mutex<Option<Sent>>,
        parts: &mpsc::Sender<Part>,
    ) -> Result<(), CallError> {
        let first = self.attempt(sent, parts).await;
        let outcome = match first {
            Err(Failure::Upstream(error)) if error.was_not_executed() => {
                let stale = sent.lock().take();
                match stale {
                    // Only a session that is gone is given up; a connection that could not be
                    // made says nothing of it.
                    Some(stale) if error.ends_the_session() => {
                        stale.lease.discard();
                        self.attempt(sent, parts).await
                    }
                    Some(_) => self.attempt(sent, parts).await,
                    None => Err(Failure::Upstream(error)),
                }
            }
            other => other,
        };
        match outcome {
            Ok(()) => {
                self.upstream.learn(Ok(()));
                Ok(())
            }
            Err(Failure::Call(error)) => Err(error),
            Err(Failure::Upstream(source)) => {
                self.upstream.learn(Err(&source));
                Err(self.failed(source))
            }
        }
    }

    async fn attempt(
        &self,
        sent: &Mutex<Option<Sent>>,
        parts: &mpsc::Sender<Part>,
    ) -> Result<(), Failure> {
        let deadline = self.timeouts().call;
        let nonce = random::nonce();
        let answered = async {
            let lease = self.upstream.lease(&self.owner).await?;
            let seat = lease.seat();
            *sent.lock() = Some(Sent { lease, nonce });
            let outgoing =
                Outgoing { nonce, body: self.request(nonce), headers: self.headers.clone() };
            let answer = seat.connection().request(outgoing).await?;
            Ok::<_, UpstreamError>((seat, answer))
        };
        let (seat, answer) = tokio::time::timeout(deadline, answered)
            .await
            .map_err(|_| self.timed_out(deadline))??;
        let replies = seat.connection().replies();
        relay::relay(self, nonce, answer, &replies, parts).await
    }

    /// The target's deadlines, within what the route allows.
    fn timeouts(&self) -> Timeouts {
        let timeouts = self.upstream.target().settings.timeouts;
        let within = self.within.unwrap_or(Duration::MAX);
        let (call, progress) = (timeouts.call.min(within), timeouts.progress.min(within));
        Timeouts { call, progress, ..timeouts }
    }

    /// The client's request with our id and token in it: one copy, every other byte as it came.
    fn request(&self, nonce: Nonce) -> Bytes {
        let rewrite = self.message.rewrite().id(&nonce.id());
        let rewrite = rewrite.progress_token(&nonce.progress_token());
        let related = self.message.routed().related_task.as_ref();
        let rewrite = match related.and_then(|id| self.speaker.native_task(id.as_str())) {
            Some(id) => rewrite.related_task(id),
            None => rewrite,
        };
        match &self.rename {
            Rename::Nothing => rewrite.bytes(),
            Rename::Name(name) => rewrite.name(name).bytes(),
            Rename::Uri(uri) => rewrite.uri(uri).bytes(),
            Rename::Task(id) => rewrite.task_id(id).bytes(),
        }
    }

    /// Refuses what the session could not remember.
    fn check(&self) -> Result<(), CallError> {
        let (Some(session), Some(Effect::Subscribed(uri))) = (&self.session, &self.effect) else {
            return Ok(());
        };
        match session.subscriptions().has_room(self.upstream.serial(), uri) {
            true => Ok(()),
            false => Err(CallError::TooManySubscriptions),
        }
    }

    /// The target agreed: the session remembers what that means for it.
    fn agreed(&self) {
        let (Some(session), Some(effect)) = (&self.session, &self.effect) else { return };
        let upstream = self.upstream.serial();
        match effect {
            Effect::Level(level) => session.set_level(*level),
            Effect::Subscribed(uri) => session.subscriptions().add(upstream, uri.clone()),
            Effect::Unsubscribed(uri) => session.subscriptions().remove(upstream, uri),
        }
    }

    fn timed_out(&self, after: Duration) -> Failure {
        Failure::Call(CallError::Timeout { target: self.target.clone(), after })
    }

    fn failed(&self, source: UpstreamError) -> CallError {
        CallError::Target { target: self.target.clone(), source }
    }
}

/// How an attempt ended: what an upstream did may be tried again, what the gateway decided not.
enum Failure {
    Upstream(UpstreamError),
    Call(CallError),
}

impl From<UpstreamError> for Failure {
    fn from(error: UpstreamError) -> Self {
        Self::Upstream(error)
    }
}

/// Tells the one target that has the call, on the connection that carried it.
async fn tell(lease: &Lease, body: Bytes) {
    let seat = lease.seat();
    let notice = seat.connection().notify(body, CANCEL_NOTICE);
    if let Err(error) = notice.await {
        debug!(%error, "A target could not be told of a cancelled call.");
    }
}
