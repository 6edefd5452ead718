//! Whether a certificate and a key, as a Secret holds them, can be used together.

use rustls::crypto::aws_lc_rs;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

/// What is wrong with a `tls.crt` and a `tls.key`, both in PEM. Whether the certificate is a good one is its
/// peers' to say.
pub(super) fn fault(chain: &str, key: &str) -> Option<&'static str> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(chain.as_bytes()).collect();
    let Some(chain) = chain.ok().filter(|chain| !chain.is_empty()) else {
        return Some("has no certificate in its `tls.crt`");
    };
    let Ok(key) = PrivateKeyDer::from_pem_slice(key.as_bytes()) else {
        return Some("has no private key in its `tls.key`");
    };
    match CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()) {
        Err(rustls::Error::InconsistentKeys(_)) => Some("has a `tls.key` of another certificate"),
        Ok(_) | Err(_) => None,
    }
}

#[cfg(test)]
mod tests;
