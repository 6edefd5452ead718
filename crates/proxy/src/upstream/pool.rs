//! The HTTP/1.1 connections of one upstream: which one a request takes, when a request may be sent a
//! second time, and when a connection may be used again (DESIGN section 8). Nothing is opened ahead,
//! because some peers serve one connection at a time.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use bytes::Bytes;
use config::UpstreamTls;
use http::response::Parts;
use http::{Request, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use parking_lot::Mutex;
use rustls::ClientConfig;

use crate::clock::Clock;
use crate::random;
use crate::tasks::Tasks;
use crate::upstream::address::Address;
use crate::upstream::connect::body::RequestBody;
use crate::upstream::connect::tls::TlsCache;
use crate::upstream::connect::{Live, Terms, connect, tls};
use crate::upstream::error::UpstreamError;
use crate::upstream::names::Names;
use crate::upstream::pool::body::HttpBody;
use crate::upstream::pool::detours::Detours;
use crate::upstream::pool::idle::{Idle, Waiting, Where};

pub(crate) mod body;
mod detours;
mod idle;
mod keep;
pub(crate) mod shared;

/// A connection whose answer was read to its end takes the next request at once; one that does not
/// within this time never will.
const READY_TIME: Duration = Duration::from_millis(100);

/// The connections of one upstream; clones share them. Dropping the last clone closes the idle ones.
#[derive(Clone)]
pub(crate) struct HttpPool(Arc<Pool>);

struct Pool {
    clock: Clock,
    tasks: Tasks,
    names: Names,
    idle: Mutex<Idle>,
    detours: Detours,
    /// Counts requests, to go round the endpoints.
    turn: AtomicUsize,
    tls: TlsCache,
}

/// Where and how one request is sent.
pub(crate) struct Sending<'a> {
    pub(crate) address: &'a Address,
    /// Empty: what the host resolves to.
    pub(crate) endpoints: &'a [SocketAddr],
    /// The endpoint that has our session, tried first.
    pub(crate) pinned: Option<SocketAddr>,
    pub(crate) tls: &'a UpstreamTls,
    pub(crate) connect_timeout: Duration,
    /// The longest head of an answer, in bytes.
    pub(crate) header_block: usize,
}

/// An answer whose head is there.
pub(crate) struct HttpAnswer {
    pub(crate) head: Parts,
    pub(crate) body: HttpBody,
    /// Which endpoint gave it.
    pub(crate) socket: SocketAddr,
}

/// A connection on loan to one exchange.
pub(crate) struct Loan {
    live: Live,
    tls: Option<Arc<ClientConfig>>,
    /// How long it may idle; `None`: it is closed after this exchange.
    keep: Option<Duration>,
    /// Whether it belongs to something else than HTTP from now on.
    is_upgraded: bool,
    pool: Weak<Pool>,
    tasks: Tasks,
}

impl HttpPool {
    /// An empty pool for a target; `tasks` runs what drives its connections.
    pub(crate) fn new(tasks: Tasks, clock: Clock, names: Names) -> Self {
        Self::of(tasks, clock, names, idle::OF_TARGET, 0)
    }

    /// An empty pool for an ordinary HTTP server, which many clients use at once. Every gateway
    /// begins at another one of its endpoints.
    pub(crate) fn for_service(tasks: Tasks, clock: Clock, names: Names) -> Self {
        Self::of(tasks, clock, names, idle::OF_SERVICE, random::index())
    }

    fn of(tasks: Tasks, clock: Clock, names: Names, most_idle: usize, turn: usize) -> Self {
        let (idle, turn) = (Mutex::new(Idle::new(most_idle)), AtomicUsize::new(turn));
        let (detours, tls) = (Detours::default(), TlsCache::http1());
        Self(Arc::new(Pool { clock, tasks, names, idle, detours, turn, tls }))
    }

    /// How many connections wait for a request.
    #[cfg(test)]
    pub(crate) fn idle(&self) -> usize {
        self.0.idle.lock().len()
    }

    /// Sends `request` and waits for the head of its answer. Where it is proven that no byte was
    /// written, it is sent once more, on a new connection. Dropping the future closes the connection.
    pub(crate) async fn send(
        &self,
        sending: &Sending<'_>,
        request: Request<Full<Bytes>>,
    ) -> Result<HttpAnswer, UpstreamError> {
        self.pass(sending, request.map(RequestBody::Whole)).await
    }

    /// The same with a body that may come from a client: one that was not asked for yet is whole.
    pub(crate) async fn pass(
        &self,
        sending: &Sending<'_>,
        request: Request<RequestBody>,
    ) -> Result<HttpAnswer, UpstreamError> {
        let tls = self.0.tls.config(sending.address, sending.tls).await?;
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let mut request = request;
        if let Some(live) = self.waiting(sending, turn, tls.as_ref()).await {
            match self.attempt(sending, live, tls.clone(), request).await {
                Attempt::Answered(answer) => return Ok(answer),
                Attempt::Failed(error) => return Err(error),
                Attempt::Unsent(unsent) => request = unsent,
            }
        }
        let live = self.open(sending, turn, tls.as_ref()).await?;
        match self.attempt(sending, live, tls, request).await {
            Attempt::Answered(answer) => Ok(answer),
            Attempt::Failed(error) => Err(error),
            Attempt::Unsent(_) => {
                Err(UpstreamError::NotSent { peer: sending.address.peer.clone() })
            }
        }
    }

    async fn waiting(
        &self,
        sending: &Sending<'_>,
        turn: usize,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Option<Live> {
        let endpoints = sending.endpoints;
        let due = endpoints.get(turn % endpoints.len().max(1)).copied();
        let is_named = endpoints.is_empty() && sending.pinned.is_none();
        let known = is_named.then(|| self.0.names.known(&sending.address.host)).flatten();
        let place = match (sending.pinned.or(due), &known) {
            (Some(socket), _) => Where::Socket(socket),
            (None, Some(addresses)) => Where::Among(addresses),
            (None, None) => Where::Anywhere,
        };
        loop {
            let mut live = self.0.idle.lock().take(self.0.clock.now(), place, tls)?;
            let ready = tokio::time::timeout(READY_TIME, live.sender.ready()).await;
            if let Ok(Ok(())) = ready {
                return Some(live);
            }
        }
    }

    async fn open(
        &self,
        sending: &Sending<'_>,
        turn: usize,
        tls: Option<&Arc<ClientConfig>>,
    ) -> Result<Live, UpstreamError> {
        let address = sending.address;
        let name = tls.map(|_| tls::server_name(address, sending.tls)).transpose()?;
        let terms = Terms {
            tls: tls.zip(name.as_ref()),
            timeout: sending.connect_timeout,
            header_block: sending.header_block,
            tasks: &self.0.tasks,
        };
        if let Some(pinned) = sending.pinned
            && let Ok(live) = connect(&terms, address, pinned).await
        {
            return Ok(live);
        }
        let pool = &self.0;
        // Another endpoint does not know the session, and says so; that is better than no answer.
        let mut last = UpstreamError::connect(&address.peer, "it has no endpoint");
        let mut sockets = address.sockets(&pool.names, sending.endpoints, turn).await?;
        pool.detours.order(pool.clock.now(), &mut sockets);
        for socket in sockets {
            match connect(&terms, address, socket).await {
                Ok(live) => {
                    pool.detours.worked(socket);
                    return Ok(live);
                }
                Err(error) => {
                    pool.detours.failed(pool.clock.now(), socket);
                    last = error;
                }
            }
        }
        Err(last)
    }

    async fn attempt(
        &self,
        sending: &Sending<'_>,
        mut live: Live,
        tls: Option<Arc<ClientConfig>>,
        request: Request<RequestBody>,
    ) -> Attempt {
        let peer = &sending.address.peer;
        match live.sender.try_send_request(request).await {
            Ok(response) => Attempt::Answered(self.answer(live, tls, peer, response)),
            Err(mut error) => match error.take_message() {
                Some(unsent) => Attempt::Unsent(unsent),
                None => Attempt::Failed(UpstreamError::cut(peer, error.into_error())),
            },
        }
    }

    fn answer(
        &self,
        live: Live,
        tls: Option<Arc<ClientConfig>>,
        peer: &Arc<str>,
        response: http::Response<Incoming>,
    ) -> HttpAnswer {
        let (head, incoming) = response.into_parts();
        let socket = live.socket;
        let loan = Loan {
            live,
            tls,
            keep: keep::idle_time(&head),
            is_upgraded: head.status == StatusCode::SWITCHING_PROTOCOLS,
            pool: Arc::downgrade(&self.0),
            tasks: self.0.tasks.clone(),
        };
        HttpAnswer { body: HttpBody::new(incoming, loan, peer.clone()), head, socket }
    }
}

enum Attempt {
    Answered(HttpAnswer),
    Failed(UpstreamError),
    /// The connection was gone before a byte was written: the request comes back.
    Unsent(Request<RequestBody>),
}

impl Loan {
    pub(crate) fn tasks(&self) -> Tasks {
        self.tasks.clone()
    }

    /// The answer was read to its end: the connection waits for the next request, if its peer lets it.
    pub(crate) fn give_back(self) {
        let (Some(keep), Some(pool)) = (self.keep, self.pool.upgrade()) else { return };
        let until = pool.clock.now() + keep;
        let mut idle = pool.idle.lock();
        idle.put(Waiting { live: self.live, tls: self.tls, until });
        if idle.watched {
            return;
        }
        idle.watched = true;
        drop(idle);
        pool.tasks.spawn("idle upstream connections", close_expired(Arc::downgrade(&pool)));
    }
}

/// Closes idle connections on time, not only when the next request looks for one: a peer that serves
/// one connection at a time keeps everybody else waiting for that. Ends when none is left.
async fn close_expired(pool: Weak<Pool>) {
    loop {
        let pause = {
            let Some(pool) = pool.upgrade() else { return };
            let now = pool.clock.now();
            let mut idle = pool.idle.lock();
            idle.prune(now);
            let Some(next) = idle.next_expiry() else {
                idle.watched = false;
                return;
            };
            next.saturating_duration_since(now)
        };
        tokio::time::sleep(pause.max(READY_TIME)).await;
    }
}

#[cfg(test)]
mod tests;
