//! The TLS settings of servers, made into what rustls takes. The system's roots are loaded once,
//! when the first target needs them.

use std::fmt;
use std::sync::Arc;

use config::{Roots, UpstreamTls, Verification};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::SingleCertAndKey;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio::sync::OnceCell;
use webpki::EndEntityCert;

use crate::certificate::certified;
use crate::upstream::address::Address;
use crate::upstream::error::UpstreamError;

mod cache;

pub(crate) use cache::TlsCache;

/// The name that the certificate must carry: as configured, else the URL's host.
pub(crate) fn server_name(
    address: &Address,
    settings: &UpstreamTls,
) -> Result<ServerName<'static>, UpstreamError> {
    let name = settings.server_name.as_deref().unwrap_or(&address.host).to_owned();
    let error = format!("`{name}` cannot be the name in a certificate");
    ServerName::try_from(name).map_err(|_| UpstreamError::connect(&address.peer, error))
}

/// The client side of TLS for a server with these settings. Reads the files that they name.
pub(crate) async fn client_config(
    address: &Address,
    settings: &UpstreamTls,
) -> Result<ClientConfig, UpstreamError> {
    let fail = |reason: String| UpstreamError::connect(&address.peer, reason);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| fail(format!("TLS: {error}")))?;
    let builder = match verifier(settings, provider.clone()).await.map_err(fail)? {
        Some(verifier) => builder.dangerous().with_custom_certificate_verifier(verifier),
        None => builder.with_root_certificates(roots(&settings.roots).await.map_err(fail)?),
    };
    let Some(certificate) = &settings.certificate else {
        return Ok(builder.with_no_client_auth());
    };
    let key = certified(certificate, &provider).await;
    let key = key.map_err(|reason| fail(format!("`{certificate}` cannot be used: {reason}")))?;
    Ok(builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key))))
}

/// What checks certificates, where it is not the usual.
async fn verifier(
    settings: &UpstreamTls,
    provider: Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ServerCertVerifier>>, String> {
    let names = match &settings.verification {
        Verification::Name => return Ok(None),
        Verification::Nothing => return Ok(Some(Arc::new(AcceptAnyName(provider)))),
        Verification::Trust => None,
        Verification::Names(names) => {
            Some(names.iter().map(|name| CertificateName::new(name)).collect())
        }
    };
    let roots = roots(&settings.roots).await?;
    Ok(Some(Arc::new(AcceptNames { provider, roots, names })))
}

async fn roots(roots: &Roots) -> Result<Arc<RootCertStore>, String> {
    match roots {
        Roots::System => system_roots().await,
        Roots::File(path) => {
            let place = path.display();
            let text = tokio::fs::read(path).await;
            let text = text.map_err(|error| format!("reading `{place}`: {error}"))?;
            roots_of(&text, &place).map(Arc::new)
        }
        Roots::Given { name, pem } => roots_of(pem.expose().as_bytes(), name).map(Arc::new),
    }
}

fn roots_of(text: &[u8], place: &impl fmt::Display) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(text) {
        let certificate = certificate.map_err(|error| format!("`{place}`: {error}"))?;
        roots.add(certificate).map_err(|error| format!("`{place}`: {error}"))?;
    }
    match roots.is_empty() {
        true => Err(format!("`{place}` holds no certificate")),
        false => Ok(roots),
    }
}

async fn system_roots() -> Result<Arc<RootCertStore>, String> {
    static ROOTS: OnceCell<Arc<RootCertStore>> = OnceCell::const_new();
    let load = || async {
        let loaded = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs).await;
        let certificates = loaded.map_err(|error| format!("system roots: {error}"))?.certs;
        let mut roots = RootCertStore::empty();
        // Old systems carry roots that rustls does not take; the others still count.
        roots.add_parsable_certificates(certificates);
        match roots.is_empty() {
            true => Err("this system has no root certificates".to_owned()),
            false => Ok(Arc::new(roots)),
        }
    };
    ROOTS.get_or_try_init(load).await.cloned()
}

/// For `insecureSkipVerify`: any certificate will do, but its key must have signed the handshake.
#[derive(Debug)]
struct AcceptAnyName(Arc<CryptoProvider>);

/// For other names than the one that is asked for: a certificate that is trusted, for one of them, or
/// for any where there are none.
#[derive(Debug)]
struct AcceptNames {
    provider: Arc<CryptoProvider>,
    roots: Arc<RootCertStore>,
    names: Option<Vec<CertificateName>>,
}

/// A name that a certificate may carry.
#[derive(Debug)]
enum CertificateName {
    /// A DNS name or an IP address.
    Server(ServerName<'static>),
    /// A URI, as a workload has one: `spiffe://cluster.local/ns/team/sa/files`. Compared as it is written.
    Uri(String),
}

impl CertificateName {
    fn new(name: &str) -> Self {
        match ServerName::try_from(name.to_owned()) {
            Ok(name) => Self::Server(name),
            Err(_) => Self::Uri(name.to_owned()),
        }
    }

    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        certificate: &ParsedCertificate<'_>,
    ) -> Result<(), rustls::Error> {
        let not_it = || rustls::Error::InvalidCertificate(CertificateError::NotValidForName);
        match self {
            Self::Server(name) => verify_server_name(certificate, name),
            Self::Uri(uri) => {
                let certificate = EndEntityCert::try_from(end_entity).map_err(|_| not_it())?;
                let mut uris = certificate.valid_uri_names();
                uris.any(|one| one == uri).then_some(()).ok_or_else(not_it)
            }
        }
    }
}

impl AcceptNames {
    fn check(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<(), rustls::Error> {
        let certificate = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &self.roots,
            intermediates,
            now,
            algorithms,
        )?;
        let Some(names) = &self.names else { return Ok(()) };
        let mut last = Err(rustls::Error::InvalidCertificate(CertificateError::NotValidForName));
        for name in names {
            last = name.check(end_entity, &certificate);
            if last.is_ok() {
                break;
            }
        }
        last
    }
}

impl ServerCertVerifier for AcceptAnyName {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        signed_tls12(&self.0, message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        signed_tls13(&self.0, message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for AcceptNames {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.check(end_entity, intermediates, now).map(|()| ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        signed_tls12(&self.provider, message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        signed_tls13(&self.provider, message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn signed_tls12(
    provider: &CryptoProvider,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let algorithms = &provider.signature_verification_algorithms;
    verify_tls12_signature(message, certificate, signed, algorithms)
}

fn signed_tls13(
    provider: &CryptoProvider,
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signed: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, rustls::Error> {
    let algorithms = &provider.signature_verification_algorithms;
    verify_tls13_signature(message, certificate, signed, algorithms)
}

#[cfg(test)]
mod tests;
