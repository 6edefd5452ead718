//! Certificates with their private keys, made into what rustls takes.

use std::path::Path;

use config::Certificate;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// A certificate with its key. Reads the files that it names.
///
/// # Errors
/// Why it cannot be used, in words.
pub(crate) async fn certified(
    certificate: &Certificate,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, String> {
    let (chain, key) = match certificate {
        Certificate::Given { chain, key, .. } => {
            (chain.expose().as_bytes().to_vec(), key.expose().as_bytes().to_vec())
        }
        Certificate::Files { chain, key } => (read(chain).await?, read(key).await?),
    };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&chain).collect();
    let chain = chain.map_err(|error| format!("its certificate: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|error| format!("its key: {error}"))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|error| error.to_string())
}

async fn read(path: &Path) -> Result<Vec<u8>, String> {
    tokio::fs::read(path).await.map_err(|error| format!("reading `{}`: {error}", path.display()))
}
