//! One TCP or TLS connection to one socket address, and the HTTP/1.1 exchanges on it. Which
//! connection a request takes, and whether it is used again, is the pool's.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::tasks::Tasks;
use crate::upstream::address::Address;
use crate::upstream::connect::body::RequestBody;
use crate::upstream::error::UpstreamError;

pub(crate) mod body;
pub(crate) mod tls;

/// A connection before anything is said on it.
pub(crate) type Wire = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// An open connection that carries one request at a time. It is closed when this is dropped.
pub(crate) struct Live {
    /// Where requests go in.
    pub(crate) sender: SendRequest<RequestBody>,
    /// Where it leads.
    pub(crate) socket: SocketAddr,
    _driver: DropGuard,
}

/// What a new connection needs besides its address.
pub(crate) struct Terms<'a> {
    /// `None` for plain TCP.
    pub(crate) tls: Option<(&'a Arc<ClientConfig>, &'a ServerName<'static>)>,
    /// For TCP and TLS together.
    pub(crate) timeout: Duration,
    /// The longest head of an answer, in bytes.
    pub(crate) header_block: usize,
    /// Owns the task that drives the connection.
    pub(crate) tasks: &'a Tasks,
}

/// Opens a connection to `socket`, on which HTTP/1.1 is spoken. Dropping the future leaves nothing
/// behind.
pub(crate) async fn connect(
    terms: &Terms<'_>,
    address: &Address,
    socket: SocketAddr,
) -> Result<Live, UpstreamError> {
    let wire = open(terms, address, socket).await?;
    let (sender, connection) = http1::Builder::new()
        .max_header_size(terms.header_block)
        .handshake(TokioIo::new(wire))
        .await
        .map_err(|error| UpstreamError::connect(&address.peer, error))?;
    let driver = until_dropped(terms.tasks, &address.peer, connection.with_upgrades());
    Ok(Live { sender, socket, _driver: driver })
}

/// Opens a connection to `socket`. Dropping the future leaves nothing behind.
pub(crate) async fn open(
    terms: &Terms<'_>,
    address: &Address,
    socket: SocketAddr,
) -> Result<Wire, UpstreamError> {
    let peer = &address.peer;
    let open = async {
        let tcp = TcpStream::connect(socket)
            .await
            .map_err(|error| UpstreamError::connect(peer, reason(&error, socket)))?;
        // Small messages must not wait for the acknowledgement of the one before.
        tcp.set_nodelay(true).map_err(|error| UpstreamError::connect(peer, error))?;
        let Some((config, name)) = terms.tls else { return Ok(Either::Left(tcp)) };
        let connector = TlsConnector::from(config.clone());
        let stream = connector
            .connect(name.clone(), tcp)
            .await
            .map_err(|error| UpstreamError::connect(peer, format!("TLS: {error}")))?;
        Ok(Either::Right(Box::new(stream)))
    };
    match tokio::time::timeout(terms.timeout, open).await {
        Ok(wire) => wire,
        Err(_) => {
            let after = terms.timeout;
            Err(UpstreamError::connect(peer, format!("no connection to {socket} in {after:?}")))
        }
    }
}

/// Drives a connection until it ends, or what is returned is dropped.
pub(crate) fn until_dropped(
    tasks: &Tasks,
    peer: &Arc<str>,
    connection: impl Future<Output = hyper::Result<()>> + Send + 'static,
) -> DropGuard {
    let token = CancellationToken::new();
    let dropped = token.clone();
    let peer = peer.clone();
    tasks.spawn("upstream connection", async move {
        tokio::select! {
            ended = connection => {
                if let Err(error) = ended {
                    tracing::debug!(%peer, %error, "An upstream connection broke.");
                }
            }
            () = dropped.cancelled() => {}
        }
    });
    token.drop_guard()
}

/// The system's words, without the noise of its error numbers, and the address they are about.
fn reason(error: &std::io::Error, socket: SocketAddr) -> String {
    match error.kind() {
        std::io::ErrorKind::ConnectionRefused => format!("{socket} refused the connection"),
        std::io::ErrorKind::TimedOut => format!("{socket} did not answer"),
        _ => format!("{socket}: {error}"),
    }
}
