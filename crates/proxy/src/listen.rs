//! Listeners: sockets, connections within their bound, and their end.

mod connection;
mod doors;
mod impatient;
pub(crate) mod tls;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{debug, warn};

use crate::arrival::{Arrival, Seat};
use crate::context::{Closing, Context};
use crate::listen::connection::{Deadlines, converse};
use crate::metrics::Limit;

pub use doors::ListenError;
pub(crate) use doors::{Bound, Doors};

/// How long accepting rests after the system refused, for lack of file descriptors mostly.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// How long what was ended has to reach its client.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// A connection as it is, or over TLS.
type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// One open listener and its connections.
pub(crate) struct Door {
    bound: SocketAddr,
    closing: Closing,
    /// Cancelled when the socket is closed.
    shut: CancellationToken,
    cut: CancellationToken,
    connections: TaskTracker,
}

impl Door {
    /// Accepts. `configured` finds the listener in each request's world.
    ///
    /// # Errors
    /// The system does not say which address was bound.
    pub(crate) fn open(
        context: &Arc<Context>,
        configured: SocketAddr,
        socket: TcpListener,
    ) -> io::Result<Self> {
        let door = Self {
            bound: socket.local_addr()?,
            closing: context.closing.child(),
            shut: CancellationToken::new(),
            cut: CancellationToken::new(),
            connections: TaskTracker::new(),
        };
        let accept = Accept {
            context: context.clone(),
            configured,
            closing: door.closing.clone(),
            cut: door.cut.clone(),
            connections: door.connections.clone(),
        };
        let shut = door.shut.clone().drop_guard();
        context.tasks.spawn("accept", async move {
            accept.run(socket).await;
            drop(shut);
        });
        Ok(door)
    }

    /// The address that was bound: with port 0 configured, the one that the system chose.
    pub(crate) fn bound(&self) -> SocketAddr {
        self.bound
    }

    /// Accepts no more, and waits until the address is free. Connections end after what they
    /// carry, streams of events at once.
    pub(crate) async fn close(&self) {
        self.closing.draining.cancel();
        self.shut.cancelled().await;
    }

    /// Whether it is closed and its last connection has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.shut.is_cancelled() && self.connections.is_empty()
    }

    /// Waits until every connection has ended by itself.
    pub(crate) async fn drained(&self) {
        self.close().await;
        self.connections.close();
        self.connections.wait().await;
    }

    /// Ends what is left: calls with an error that says so, then their connections.
    pub(crate) async fn end(&self) {
        self.closing.over.cancel();
        let _ = tokio::time::timeout(LAST_WORDS, self.drained()).await;
        self.cut.cancel();
    }
}

struct Accept {
    context: Arc<Context>,
    configured: SocketAddr,
    closing: Closing,
    cut: CancellationToken,
    connections: TaskTracker,
}

impl Accept {
    async fn run(self, socket: TcpListener) {
        loop {
            let accepted = tokio::select! {
                accepted = socket.accept() => accepted,
                () = self.closing.draining.cancelled() => return,
            };
            let (stream, remote) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    warn!(%error, "Could not accept a connection.");
                    tokio::time::sleep(ACCEPT_REST).await;
                    continue;
                }
            };
            let Ok(seat) = self.context.connections.clone().try_acquire_owned() else {
                self.context.metrics.rejected(Limit::Connections);
                debug!(%remote, "Refused a connection: `limits.connections` is reached.");
                continue;
            };
            // Small answers must not wait for more to come.
            let _ = stream.set_nodelay(true);
            self.connect(stream, remote, seat);
        }
    }

    fn connect(&self, stream: TcpStream, remote: SocketAddr, permit: OwnedSemaphorePermit) {
        let context = self.context.clone();
        let (counted, awaited) = (context.metrics.connection(), self.connections.token());
        let seat = Arc::new(Seat::new(permit, counted, awaited));
        let (configured, closing) = (self.configured, self.closing.clone());
        let arrival = Arrival { configured, remote, tls: None, closing, seat };
        let conversation = greet(context, arrival, stream, self.cut.clone());
        self.context.tasks.spawn("connection", self.connections.track_future(conversation));
    }
}

/// Serves a connection, over TLS where its listener speaks that.
async fn greet(
    context: Arc<Context>,
    mut arrival: Arrival,
    stream: TcpStream,
    cut: CancellationToken,
) {
    let deadlines = Deadlines::default();
    // Nothing is accepted before the first world is there.
    let Some(world) = context.world.load_full() else { return };
    let listener = world.listener(arrival.configured);
    if listener.is_some_and(|listener| listener.tls.is_none()) {
        return converse(context, arrival, Stream::Left(stream), cut, deadlines).await;
    }
    let Some(config) = world.tls.get(&arrival.configured).cloned() else { return };
    drop(world);
    let shake = TlsAcceptor::from(config).accept(stream);
    let shaken = tokio::select! {
        shaken = tokio::time::timeout(deadlines.head, shake) => shaken,
        () = arrival.closing.draining.cancelled() => return,
    };
    let stream = match shaken {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return debug!(remote = %arrival.remote, %error, "No TLS was agreed on."),
        Err(_) => return debug!(remote = %arrival.remote, "No TLS was agreed on in time."),
    };
    let name = stream.get_ref().1.server_name().unwrap_or_default().to_ascii_lowercase();
    arrival.tls = Some(name.into());
    converse(context, arrival, Stream::Right(Box::new(stream)), cut, deadlines).await;
}
