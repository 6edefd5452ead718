//! The way from a proxy to its controller: the token and the authorities are read again for every
//! connection, because both are renewed while the process runs.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;

/// How often a silent controller is asked whether it is there, and how long it has to answer.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Where the controller is, and what is needed to be heard there.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// `https://host:port`; `http` is for addresses of this machine alone.
    pub url: Uri,
    /// The file with the token of the pod's ServiceAccount.
    pub token: PathBuf,
    /// The file with the authorities, in PEM, of which one has signed the controller's certificate.
    /// Needed for `https`.
    pub authorities: Option<PathBuf>,
}

/// Why there is no way to the controller.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// A file cannot be used.
    #[error("cannot use `{file}`: {reason}")]
    File {
        /// Which.
        file: String,
        /// Why.
        reason: String,
    },
    /// Whoever is on the way could read the token.
    #[error("`{0}` is not `https`, which only an address of this machine need not be")]
    Insecure(Uri),
    /// The controller could not be reached.
    #[error("cannot reach the controller: {0}")]
    Unreachable(String),
}

impl Endpoint {
    /// The token as a header has it.
    pub(crate) fn authorization(&self) -> Result<MetadataValue<Ascii>, ConnectError> {
        let text = std::fs::read_to_string(&self.token)
            .map_err(|error| self.file_error(&self.token, &error))?;
        let value = format!("Bearer {}", text.trim()).parse::<MetadataValue<Ascii>>();
        let mut value = value.map_err(|error| self.file_error(&self.token, &error))?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Opens a connection.
    pub(crate) async fn connect(&self) -> Result<Channel, ConnectError> {
        let tls = self.tls()?;
        let connector = tower::service_fn(move |uri: Uri| dial(uri, tls.clone()));
        let endpoint = Channel::builder(self.url.clone())
            .connect_timeout(CONNECT)
            .http2_keep_alive_interval(KEEP_ALIVE)
            .keep_alive_timeout(KEEP_ALIVE)
            .keep_alive_while_idle(true);
        let connected = endpoint.connect_with_connector(connector).await;
        connected.map_err(|error| ConnectError::Unreachable(causes(&error)))
    }

    fn tls(&self) -> Result<Option<Arc<ClientConfig>>, ConnectError> {
        match self.url.scheme_str() {
            Some("https") => {}
            Some("http") if is_loopback(&self.url) => return Ok(None),
            _ => return Err(ConnectError::Insecure(self.url.clone())),
        }
        let Some(file) = &self.authorities else {
            let reason = "an `https` address needs a file with the authorities".to_owned();
            return Err(ConnectError::File { file: self.url.to_string(), reason });
        };
        let mut roots = RootCertStore::empty();
        let certificates =
            CertificateDer::pem_file_iter(file).map_err(|error| self.file_error(file, &error))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| self.file_error(file, &error))?;
            roots.add(certificate).map_err(|error| self.file_error(file, &error))?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let builder = builder.map_err(|error| ConnectError::Unreachable(error.to_string()))?;
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Some(Arc::new(config)))
    }

    fn file_error(&self, file: &std::path::Path, error: &dyn std::fmt::Display) -> ConnectError {
        ConnectError::File { file: file.display().to_string(), reason: error.to_string() }
    }
}

/// Whether it is an address of this machine.
fn is_loopback(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Either kind of connection.
type Stream = TokioIo<Box<dyn Transport>>;

trait Transport: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin {}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Transport for T {}

async fn dial(uri: Uri, tls: Option<Arc<ClientConfig>>) -> io::Result<Stream> {
    let host = uri.host().unwrap_or_default();
    let port = uri.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 });
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return Ok(TokioIo::new(Box::new(stream))) };
    let name =
        ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(io::Error::other)?;
    let stream = TlsConnector::from(tls).connect(name, stream).await?;
    Ok(TokioIo::new(Box::new(stream)))
}

/// An error with what led to it: the outer ones say little.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_goes_nowhere_in_the_clear_but_to_this_machine() {
        let insecure = |url: &str| {
            let endpoint =
                Endpoint { url: url.parse().unwrap(), token: PathBuf::new(), authorities: None };
            matches!(endpoint.tls(), Err(ConnectError::Insecure(_)))
        };
        for url in ["http://localhost:1", "http://127.0.0.1:1", "http://[::1]:1", "https://a:1"] {
            assert!(!insecure(url), "{url}");
        }
        for url in ["http://controller:1", "http://10.0.0.1:1", "grpcs://a:1", "a:1"] {
            assert!(insecure(url), "{url}");
        }
    }
}
