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

use crate::random;
use crate::tasks::Tasks;
use crate::upstream::connect::body::RequestBody;
use crate::upstream::connect::tls::TlsCache;
use crate::upstream::connect::{Terms, open, tls, until_dropped};
use crate::upstream::error::UpstreamError;
use crate::upstream::pool::body::HttpBody;
use crate::upstream::pool::{HttpAnswer, Sending};

/// How often a peer is asked whether it is still there, while something is on the way.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How many streams a peer is thought to allow until it says so.
const UNKNOWN: usize = 100;

/// The HTTP/2 connections of one server; clones share them.
#[derive(Clone)]
pub(crate) struct SharedPool(Arc<Shared>);

struct Shared {
    tasks: Tasks,
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
    pub(crate) fn new(tasks: Tasks) -> Self {
        Self(Arc::new(Shared {
            tasks,
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
        let mut sockets = address.sockets(sending.endpoints, turn).await?;
        self.forget(sending.endpoints);
        sockets.reverse();
        let (mut request, mut is_first) = (request, true);
        while let Some(socket) = sockets.pop() {
            let connection = self.connection(socket, tls.as_ref());
            let stream = Stream::of(&connection);
            let open = connection.open.get_or_try_init(|| self.open(sending, &connection)).await;
            let mut sender = match open {
                Ok(open) => open.sender.clone(),
                Err(error) => {
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

    /// Forgets what is closed, and what leads elsewhere than to `endpoints`, where there are any.
    fn forget(&self, endpoints: &[SocketAddr]) {
        self.0.connections.lock().retain(|connection| {
            let is_closed = connection.open.get().is_some_and(|open| open.sender.is_closed());
            !is_closed && (endpoints.is_empty() || endpoints.contains(&connection.socket))
        });
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
