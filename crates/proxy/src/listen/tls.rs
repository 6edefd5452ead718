//! The server side of TLS: which certificate a client is shown, by the name that it asks for. A
//! listener without one that can be used lets nobody in; the others of its address go on.

use std::fmt;
use std::sync::Arc;

use config::ListenerTls;
use rustls::client::verify_server_name;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, SignatureScheme};
use tracing::warn;

use crate::certificate::certified;

/// The server side of TLS for one address. Reads the files that it names; what cannot be used is
/// left out, and logged.
pub(crate) async fn server_config(tls: &ListenerTls) -> Option<Arc<ServerConfig>> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let mut keys = Vec::with_capacity(tls.certificates.len());
    for certificate in &tls.certificates {
        let key = certified(certificate, &provider).await;
        let key = key.inspect_err(|reason| {
            warn!(%certificate, reason, "A certificate cannot be used.");
        });
        keys.push(key.ok().map(Arc::new));
    }
    let chooser = Arc::new(Chooser { tls: tls.clone(), keys });
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.inspect_err(|error| warn!(%error, "TLS cannot be spoken.")).ok()?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(chooser);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Some(Arc::new(config))
}

/// Chooses among the certificates of one address.
struct Chooser {
    tls: ListenerTls,
    /// What its certificates became, in their order.
    keys: Vec<Option<Arc<CertifiedKey>>>,
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().unwrap_or_default().to_ascii_lowercase();
        let keys = self.tls.of(&name).iter().filter_map(|index| self.keys.get(*index)?.as_ref());
        let keys: Vec<&Arc<CertifiedKey>> = keys.collect();
        best(&keys, &name, hello.signature_schemes()).cloned()
    }
}

impl fmt::Debug for Chooser {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Chooser({} certificates)", self.keys.len())
    }
}

/// The first that is for the name and that the client can check, else the first that it can check.
fn best<'a>(
    keys: &[&'a Arc<CertifiedKey>],
    name: &str,
    schemes: &[SignatureScheme],
) -> Option<&'a Arc<CertifiedKey>> {
    let mut usable = keys.iter().filter(|key| key.key.choose_scheme(schemes).is_some());
    let first = usable.clone().next();
    usable.find(|key| is_for(key, name)).or(first).copied()
}

fn is_for(key: &CertifiedKey, name: &str) -> bool {
    let Some(certificate) = key.cert.first() else { return false };
    let (Ok(certificate), Ok(name)) =
        (ParsedCertificate::try_from(certificate), ServerName::try_from(name))
    else {
        return false;
    };
    verify_server_name(&certificate, &name).is_ok()
}
