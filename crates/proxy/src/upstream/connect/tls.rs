//! The TLS settings of targets, made into what rustls takes. The system's roots are loaded once,
//! when the first target needs them.

use std::path::Path;
use std::sync::Arc;

use config::TargetTls;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use tokio::sync::OnceCell;

use crate::upstream::address::Address;
use crate::upstream::error::UpstreamError;

mod cache;

pub(crate) use cache::TlsCache;

/// The name that the certificate must carry: as configured, else the URL's host.
pub(crate) fn server_name(
    address: &Address,
    settings: &TargetTls,
) -> Result<ServerName<'static>, UpstreamError> {
    let name = settings.server_name.as_deref().unwrap_or(&address.host).to_owned();
    let error = format!("`{name}` cannot be the name in a certificate");
    ServerName::try_from(name).map_err(|_| UpstreamError::connect(&address.peer, error))
}

/// The client side of TLS for a target with these settings. Reads the file of `ca`.
pub(crate) async fn client_config(
    address: &Address,
    settings: &TargetTls,
) -> Result<ClientConfig, UpstreamError> {
    let fail = |reason: String| UpstreamError::connect(&address.peer, reason);
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| fail(format!("TLS: {error}")))?;
    if settings.insecure_skip_verify {
        let verifier = Arc::new(AcceptAnyName(provider));
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        return Ok(builder.with_no_client_auth());
    }
    let roots = match &settings.ca {
        Some(path) => Arc::new(roots_of(path).await.map_err(fail)?),
        None => system_roots().await.map_err(fail)?,
    };
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

async fn roots_of(path: &Path) -> Result<RootCertStore, String> {
    let place = path.display();
    let text =
        tokio::fs::read(path).await.map_err(|error| format!("reading `{place}`: {error}"))?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&text) {
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
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
