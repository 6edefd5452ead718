//! The controller's port: connections with TLS, whose certificate may be renewed while it is open.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use futures_util::Stream;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::WaitForCancellationFutureOwned;
use tonic::transport::server::Connected;
use tracing::{debug, warn};

use crate::limits::{Limits, Proof, Unproven};

/// How long accepting rests after the system refused.
const ACCEPT_REST: Duration = Duration::from_millis(100);
/// How many connections may wait to be served.
const QUEUE: usize = 64;
/// How often it is said that there are too many.
const SAY_EVERY: Duration = Duration::from_secs(10);

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

    /// Whether proxies that know `authorities` take `chain` for `host`, and `key` is its key; all in PEM.
    pub fn is_trusted(chain: &[u8], key: &[u8], authorities: &[u8], host: &str) -> bool {
        let trusted = || {
            let key = certified(chain, key).ok()?;
            let mut roots = RootCertStore::empty();
            for authority in CertificateDer::pem_slice_iter(authorities) {
                roots.add(authority.ok()?).ok()?;
            }
            let provider = Arc::new(aws_lc_rs::default_provider());
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
            let (first, others) = key.cert.split_first()?;
            let name = ServerName::try_from(host).ok()?;
            let now = UnixTime::now();
            verifier.build().ok()?.verify_server_cert(first, others, &name, &[], now).ok()
        };
        trusted().is_some()
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
pub struct Connection {
    stream: Box<dyn Transport>,
    proof: Proof,
    /// Ends it where nothing proves in time who is there.
    unproven: Option<Pin<Box<Sleep>>>,
    /// Ends it for others.
    closed: Pin<Box<WaitForCancellationFutureOwned>>,
    _permit: OwnedSemaphorePermit,
}

trait Transport: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Transport for T {}

/// Accepts until the stream is dropped, within `limits`; without an identity, without TLS.
///
/// # Errors
/// TLS cannot be set up at all.
pub fn accept(
    listener: TcpListener,
    identity: Option<Arc<Identity>>,
    limits: Limits,
) -> Result<impl Stream<Item = io::Result<Connection>>, IdentityError> {
    let tls = identity.map(acceptor).transpose()?;
    let (accepted, connections) = mpsc::channel(QUEUE);
    let mut door = Door::new(limits);
    // It ends with the stream.
    tokio::spawn(async move {
        loop {
            let stream = tokio::select! {
                stream = listener.accept() => stream,
                () = accepted.closed() => return,
            };
            match stream {
                Ok((stream, _)) => {
                    let Some((permit, proof)) = door.admit() else { continue };
                    let stream = greeted(stream, tls.clone(), door.limits.handshake);
                    let proof_time = door.limits.proof;
                    tokio::spawn(bring(stream, permit, proof, proof_time, accepted.clone()));
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

/// Who is let in.
struct Door {
    limits: Limits,
    places: Arc<Semaphore>,
    unproven: Unproven,
    said: Option<Instant>,
}

impl Door {
    fn new(limits: Limits) -> Self {
        let places = Arc::new(Semaphore::new(limits.connections));
        Self { limits, places, unproven: Unproven::default(), said: None }
    }

    /// A place for a connection, if there is one.
    fn admit(&mut self) -> Option<(OwnedSemaphorePermit, Proof)> {
        let proof = Proof::new();
        let Ok(permit) = self.places.clone().try_acquire_owned() else {
            self.say("There are as many connections of proxies as may be; the next is closed.");
            return None;
        };
        if !self.unproven.admit(&proof, &self.limits) {
            self.say(
                "There are as many connections without a token as may be; the next is closed.",
            );
            return None;
        }
        Some((permit, proof))
    }

    /// Whoever opens many connections does not fill the log.
    fn say(&mut self, what: &str) {
        if self.said.is_none_or(|said| said.elapsed() >= SAY_EVERY) {
            self.said = Some(Instant::now());
            warn!("{what}");
        }
    }
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

/// Hands a connection on once it has been greeted. A slow or broken handshake holds up nobody else.
async fn bring(
    stream: impl Future<Output = Option<Box<dyn Transport>>>,
    permit: OwnedSemaphorePermit,
    proof: Proof,
    proof_time: Duration,
    accepted: mpsc::Sender<io::Result<Connection>>,
) {
    let unproven = Some(Box::pin(tokio::time::sleep(proof_time)));
    let stream = tokio::select! {
        stream = stream => stream,
        () = proof.closed().cancelled() => return debug!("A handshake was given up for others."),
    };
    let Some(stream) = stream else { return };
    let closed = Box::pin(proof.closed().clone().cancelled_owned());
    let connection = Connection { stream, proof, unproven, closed, _permit: permit };
    // Nobody serves it any more when the controller is going.
    let _ = accepted.send(Ok(connection)).await;
}

async fn greeted(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    limit: Duration,
) -> Option<Box<dyn Transport>> {
    // Small messages must not wait for more to come.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return Some(Box::new(stream)) };
    match tokio::time::timeout(limit, tls.accept(stream)).await {
        Ok(Ok(stream)) => return Some(Box::new(stream)),
        Ok(Err(error)) => debug!(%error, "A handshake failed."),
        Err(_) => debug!("A handshake took too long."),
    }
    None
}

impl Connection {
    /// Why nothing more comes of it, although it is open.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Option<io::Error> {
        if self.closed.as_mut().poll(context).is_ready() {
            return Some(io::Error::other("closed for other connections"));
        }
        if self.proof.is_there() {
            self.unproven = None;
        }
        let time = self.unproven.as_mut()?;
        let is_over = time.as_mut().poll(context).is_ready();
        is_over.then(|| io::Error::new(io::ErrorKind::TimedOut, "no good token was shown"))
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Connection")
    }
}

impl Connected for Connection {
    type ConnectInfo = Proof;

    fn connect_info(&self) -> Self::ConnectInfo {
        self.proof.clone()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(error) = self.poll_end(context) {
            return Poll::Ready(Err(error));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
