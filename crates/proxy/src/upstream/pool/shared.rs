//! The HTTP/2 connections of one server, each of which carries many requests. Another one is opened
//! where those that are there come near the number of streams that their peer allows.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::Request;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use parking_lot::Mutex;
use rustls::ClientConfig;
use tokio::sync::OnceCell;
use tokio_util::sync::DropGuard;

use crate::clock::Clock;
use crate::random;
use crate::tasks::Tasks;
use crate::upstream::connect::body::RequestBody;
use crate::upstream::connect::tls::TlsCache;
use crate::upstream::connect::{Terms, open, tls, until_dropped};
use crate::upstream::error::UpstreamError;
use crate::upstream::names::Names;
use crate::upstream::pool::body::HttpBody;
use crate::upstream::pool::detours::Detours;
use crate::upstream::pool::{HttpAnswer, Sending};

/// How often a peer is asked whether it is still there, while something is on the way.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How many streams a peer is thought to allow until it says so.
const UNKNOWN: usize = 100;

/// The HTTP/2 connections of one server; clones share them.
#[derive(Clone)]
pub(crate) struct SharedPool(Arc<Shared>);

struct Shared {
    clock: Clock,
    tasks: Tasks,
    names: Names,
    detours: Detours,
    connections: Mutex<Vec<Arc<Connection>>>,
    /// Counts requests, to go round the endpoints.
    turn: AtomicUsize,
    tls: TlsCache,
}

/// A connection, open or about to be.
struct Connection {
    socket: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
    /// Whoever comes while it is opened waits for the same.
    open: OnceCell<Open>,
    streams: AtomicUsize,
}

struct Open {
    sender: SendRequest<RequestBody>,
    /// How many streams the peer allows.
    allowed: Arc<AtomicUsize>,
    _driver: DropGuard,
}

/// A request's part in a connection, which stays open until the last one is over.
pub(crate) struct Stream(Arc<Connection>);

impl SharedPool {
    /// Without connections; `tasks` runs what drives them.
    pub(crate) fn new(tasks: Tasks, clock: Clock, names: Names) -> Self {
        Self(Arc::new(Shared {
            clock,
            tasks,
            names,
            detours: Detours::default(),
            connections: Mutex::default(),
            turn: AtomicUsize::new(random::index()),
            tls: TlsCache::http2(),
        }))
    }

    /// Sends `request` and waits for the head of its answer. Where it is proven that nothing of it
    /// was sent, it is sent once more. Dropping the future ends its stream.
    pub(crate) async fn send(
        &self,
        sending: &Sending<'_>,
        request: Request<RequestBody>,
    ) -> Result<HttpAnswer, UpstreamError> {
        let address = sending.address;
        let tls = self.0.tls.config(address, sending.tls).await?;
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let mut last = UpstreamError::connect(&address.peer, "it has no endpoint");
        let mut sockets = self.sockets(sending, turn).await?;
        self.0.detours.order(self.0.clock.now(), &mut sockets);
        sockets.reverse();
        let (mut request, mut is_first) = (request, true);
        while let Some(socket) = sockets.pop() {
            let connection = self.connection(socket, tls.as_ref());
            let stream = Stream::of(&connection);
            let open = connection.open.get_or_try_init(|| self.open(sending, &connection)).await;
            let mut sender = match open {
                Ok(open) => {
                    self.0.detours.worked(socket);
                    open.sender.clone()
                }
                Err(error) => {
                    self.0.detours.failed(self.0.clock.now(), socket);
                    self.remove(&connection);
                    last = error;
                    continue;
                }
            };
            match sender.try_send_request(request).await {
                Ok(response) => {
                    let (head, incoming) = response.into_parts();
                    let body = HttpBody::streamed(incoming, stream, address.peer.clone());
                    return Ok(HttpAnswer { head, body, socket });
                }
                Err(mut error) => {
                    self.remove(&connection);
                    let Some(unsent) = error.take_message() else {
                        return Err(UpstreamError::cut(&address.peer, error.into_error()));
                    };
                    last = UpstreamError::NotSent { peer: address.peer.clone() };
                    request = unsent;
                    if std::mem::take(&mut is_first) {
                        sockets.push(socket);
                    }
                }
            }
        }
        Err(last)
    }

    /// Where the request may go, in this order. Connections that are closed or lead elsewhere are
    /// forgotten. Nobody waits for a resolver who has a connection that is open.
    async fn sockets(
        &self,
        sending: &Sending<'_>,
        turn: usize,
    ) -> Result<Vec<SocketAddr>, UpstreamError> {
        let (address, names) = (sending.address, &self.0.names);
        if sending.endpoints.is_empty()
            && let Some(known) = address.known_sockets(names, turn)
            && self.keep_only(&known)
        {
            return Ok(known);
        }
        let sockets = address.sockets(names, sending.endpoints, turn).await?;
        self.keep_only(&sockets);
        Ok(sockets)
    }

    /// Forgets what is closed, and what leads elsewhere than to `sockets`. Says whether anything is
    /// left.
    fn keep_only(&self, sockets: &[SocketAddr]) -> bool {
        let mut connections = self.0.connections.lock();
        connections.retain(|connection| {
            let is_closed = connection.open.get().is_some_and(|open| open.sender.is_closed());
            !is_closed && sockets.contains(&connection.socket)
        });
        !connections.is_empty()
    }

    fn remove(&self, connection: &Arc<Connection>) {
        self.0.connections.lock().retain(|known| !Arc::ptr_eq(known, connection));
    }

    /// A connection to `socket` that has room, or one that is not open yet.
    fn connection(&self, socket: SocketAddr, tls: Option<&Arc<ClientConfig>>) -> Arc<Connection> {
        let mut connections = self.0.connections.lock();
        let known = connections.iter().find(|known| {
            known.socket == socket && same(known.tls.as_ref(), tls) && known.has_room()
        });
        if let Some(known) = known {
            return known.clone();
        }
        let connection = Arc::new(Connection {
            socket,
            tls: tls.cloned(),
            open: OnceCell::new(),
            streams: AtomicUsize::new(0),
        });
        connections.push(connection.clone());
        connection
    }

    async fn open(
        &self,
        sending: &Sending<'_>,
        connection: &Connection,
    ) -> Result<Open, UpstreamError> {
        let address = sending.address;
        let tls = connection.tls.as_ref();
        let name = tls.map(|_| tls::server_name(address, sending.tls)).transpose()?;
        let terms = Terms {
            tls: tls.zip(name.as_ref()),
            timeout: sending.connect_timeout,
            header_block: sending.header_block,
            tasks: &self.0.tasks,
        };
        let wire = open(&terms, address, connection.socket).await?;
        let shake = http2::Builder::new(TokioExecutor::new())
            .timer(TokioTimer::new())
            .keep_alive_interval(KEEP_ALIVE)
            .max_header_list_size(u32::try_from(sending.header_block).unwrap_or(u32::MAX))
            .handshake(TokioIo::new(wire));
        let shaken = tokio::time::timeout(sending.connect_timeout, shake).await;
        let peer = &address.peer;
        let (sender, mut driven) = shaken
            .map_err(|_| UpstreamError::connect(peer, "it does not answer"))?
            .map_err(|error| UpstreamError::connect(peer, error))?;
        let allowed = Arc::new(AtomicUsize::new(UNKNOWN));
        let told = allowed.clone();
        let driven = poll_fn(move |context| {
            let polled = Pin::new(&mut driven).poll(context);
            told.store(driven.current_max_send_streams(), Ordering::Relaxed);
            polled
        });
        let driver = until_dropped(&self.0.tasks, peer, driven);
        Ok(Open { sender, allowed, _driver: driver })
    }
}

impl Connection {
    /// Whether it carries less than four fifths of the streams that it may.
    fn has_room(&self) -> bool {
        let allowed = self.open.get().map_or(UNKNOWN, |open| open.allowed.load(Ordering::Relaxed));
        self.streams.load(Ordering::Relaxed) < (allowed / 5).saturating_mul(4).max(1)
    }
}

impl Stream {
    fn of(connection: &Arc<Connection>) -> Self {
        connection.streams.fetch_add(1, Ordering::Relaxed);
        Self(connection.clone())
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.0.streams.fetch_sub(1, Ordering::Relaxed);
    }
}

fn same(held: Option<&Arc<ClientConfig>>, asked: Option<&Arc<ClientConfig>>) -> bool {
    match (held, asked) {
        (None, None) => true,
        (Some(held), Some(asked)) => Arc::ptr_eq(held, asked),
        (None, Some(_)) | (Some(_), None) => false,
    }
}
