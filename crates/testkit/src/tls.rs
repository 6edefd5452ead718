//! Certificates of our own, and clients that trust them.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair, SanType};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::record::within;

/// Whoever signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A client side that trusts one authority and nobody else.
#[derive(Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Authority {
    /// A new one.
    pub fn new() -> anyhow::Result<Self> {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// A certificate for `names`, hosts or URIs, and its private key, both in PEM.
    pub fn certificate(&self, names: &[&str]) -> anyhow::Result<(String, String)> {
        let names = names.iter().map(|name| (*name).to_owned());
        let (uris, hosts): (Vec<String>, Vec<String>) = names.partition(|one| one.contains("://"));
        let mut params = CertificateParams::new(hosts)?;
        for uri in uris {
            params.subject_alt_names.push(SanType::URI(uri.try_into()?));
        }
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.0)?;
        Ok((certificate.pem(), key.serialize_pem()))
    }

    /// Its own certificate, in PEM.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server side with a certificate for `names`, for clients that show one of this authority.
    pub fn acceptor(&self, names: &[&str]) -> anyhow::Result<TlsAcceptor> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone())?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let clients =
            WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider.clone());
        let (chain, key) = self.certificate(names)?;
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>()?;
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_client_cert_verifier(clients.build()?)
            .with_single_cert(chain, PrivateKeyDer::from_pem_slice(key.as_bytes())?)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    /// A client side that trusts it, and offers HTTP/2 and HTTP/1.1 or the one of them that is named.
    pub fn trust(&self, protocols: &[&str]) -> anyhow::Result<Trust> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone())?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols =
            protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        Ok(Trust(Arc::new(config)))
    }
}

impl Trust {
    /// A connection to a port of 127.0.0.1 that is asked for `name`.
    pub async fn connect(&self, port: u16, name: &str) -> anyhow::Result<TlsStream<TcpStream>> {
        let tcp = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        let name = ServerName::try_from(name.to_owned())?;
        let connector = TlsConnector::from(self.0.clone());
        Ok(within("TLS to be agreed on", connector.connect(name, tcp)).await??)
    }

    /// The certificate that is shown to whoever asks for `name`.
    pub async fn shown(&self, port: u16, name: &str) -> anyhow::Result<CertificateDer<'static>> {
        let stream = self.connect(port, name).await?;
        let certificates = stream.get_ref().1.peer_certificates();
        certificates.and_then(|all| all.first()).cloned().context("no certificate was shown")
    }
}
