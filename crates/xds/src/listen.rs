//! The controller's port: connections with TLS, whose certificate may be renewed while it is open.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::Stream;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::server::Connected;
use tracing::{debug, warn};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long accepting rests after the system refused.
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// How many connections may wait to be served.
const QUEUE: usize = 64;

/// What the controller proves to be, which may be renewed.
#[derive(Debug)]
pub struct Identity(ArcSwap<CertifiedKey>);

/// A certificate or its key cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the certificate of the controller cannot be used: {0}")]
pub struct IdentityError(String);

impl Identity {
    /// A certificate chain and its key, in PEM.
    ///
    /// # Errors
    /// They cannot be read, or do not belong together.
    pub fn new(chain: &[u8], key: &[u8]) -> Result<Arc<Self>, IdentityError> {
        Ok(Arc::new(Self(ArcSwap::from_pointee(certified(chain, key)?))))
    }

    /// Connections from now on see this one.
    ///
    /// # Errors
    /// As of [`new`](Self::new); then the old one stays.
    pub fn renew(&self, chain: &[u8], key: &[u8]) -> Result<(), IdentityError> {
        self.0.store(Arc::new(certified(chain, key)?));
        Ok(())
    }
}

impl ResolvesServerCert for Identity {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

fn certified(chain: &[u8], key: &[u8]) -> Result<CertifiedKey, IdentityError> {
    let failed = |error: &dyn fmt::Display| IdentityError(error.to_string());
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
    let chain = chain.map_err(|error| failed(&error))?;
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| failed(&error))?;
    let provider = aws_lc_rs::default_provider();
    CertifiedKey::from_der(chain, key, &provider).map_err(|error| failed(&error))
}

/// A proxy's connection.
pub struct Connection(Box<dyn Transport>);

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Accepts until the stream is dropped; without an identity, without TLS.
///
/// # Errors
/// TLS cannot be set up at all.
pub fn accept(
    listener: TcpListener,
    identity: Option<Arc<Identity>>,
) -> Result<impl Stream<Item = io::Result<Connection>>, IdentityError> {
    let tls = identity.map(acceptor).transpose()?;
    let (accepted, connections) = mpsc::channel(QUEUE);
    // It ends with the stream.
    tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                stream = listener.accept() => stream,
                () = accepted.closed() => return,
            };
            match stream {
                Ok((stream, _)) => {
                    tokio::spawn(greet(stream, tls.clone(), accepted.clone()));
                }
                Err(error) => {
                    warn!(%error, "Could not accept a proxy's connection.");
                    tokio::time::sleep(ACCEPT_REST).await;
                }
            }
        }
    });
    Ok(ReceiverStream::new(connections))
}

fn acceptor(identity: Arc<Identity>) -> Result<TlsAcceptor, IdentityError> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| IdentityError(error.to_string()))?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(identity);
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A slow or broken handshake holds up nobody else.
async fn greet(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    accepted: mpsc::Sender<io::Result<Connection>>,
) {
    // Small messages must not wait for more to come.
    let _ = stream.set_nodelay(true);
    let connection = match tls {
        None => Connection(Box::new(stream)),
        Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => Connection(Box::new(stream)),
            Ok(Err(error)) => return debug!(%error, "A handshake failed."),
            Err(_) => return debug!("A handshake took too long."),
        },
    };
    // Nobody serves it any more when the controller is going.
    let _ = accepted.send(Ok(connection)).await;
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connection")
    }
}

impl Connected for Connection {
    type ConnectInfo = ();

    fn connect_info(&self) -> Self::ConnectInfo {}
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}
