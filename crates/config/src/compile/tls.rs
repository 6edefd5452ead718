//! What listeners, and the gateway towards servers, prove themselves with: secrets looked up and checked. Whether a key belongs to its
//! certificate is found out by whoever uses them.

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::report::Report;
use crate::document::{self, Document, Protocol};
use crate::secret::{Secret, Secrets};
use crate::snapshot::Certificate;

/// The names of what a TLS secret holds, as Kubernetes calls them.
const CHAIN: &str = "tls.crt";
const KEY: &str = "tls.key";

/// The certificates of a listener that speaks TLS, `None` of one that does not. Those that cannot be
/// used are left out; without any, nobody is let in.
pub(super) fn certificates(
    document: &Document,
    written: &document::Listener,
    path: &str,
    report: &mut Report<'_>,
) -> Option<Vec<Certificate>> {
    match (written.protocol, &written.tls) {
        (Protocol::Http, None) => return None,
        (Protocol::Http, Some(_)) => {
            // What was to be encrypted is not served in the clear.
            let message = "`tls` needs `protocol: https`; nothing is served until it is written";
            report.error("listener.tls", &format!("{path}.tls"), message);
            return Some(Vec::new());
        }
        (Protocol::Https, _) => {}
    }
    let tls = written.tls.clone().unwrap_or_default();
    let mut certificates = Vec::new();
    for (index, key) in tls.certificates.iter().enumerate() {
        match given(&document.secrets, key) {
            Ok(certificate) => certificates.push(certificate),
            Err(message) => {
                let path = format!("{path}.tls.certificates[{index}]");
                report.error("listener.certificate", &path, message);
            }
        }
    }
    match (tls.certificate_file, tls.key_file) {
        (Some(chain), Some(key)) => certificates.push(Certificate::Files { chain, key }),
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => {
            let message = "`certificateFile` and `keyFile` belong together";
            report.error("listener.certificate", &format!("{path}.tls"), message);
        }
    }
    if certificates.is_empty() {
        let message = "it has no certificate; nobody is let in until it has one";
        report.error("listener.tls", &format!("{path}.tls"), message);
    }
    Some(certificates)
}

/// What a TLS secret proves.
pub(super) fn given(secrets: &Secrets, key: &str) -> Result<Certificate, String> {
    let Some(values) = secrets.get(key) else {
        return Err(format!("there is no secret `{key}`"));
    };
    let value = |name: &str| {
        let value: Option<Secret> = values.get(name).cloned();
        value.ok_or_else(|| format!("the secret `{key}` has no `{name}`"))
    };
    let certificate =
        Certificate::Given { name: key.into(), chain: value(CHAIN)?, key: value(KEY)? };
    if let Certificate::Given { chain, key: private, .. } = &certificate {
        let chain: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(chain.expose().as_bytes()).collect();
        if chain.map_or(true, |chain| chain.is_empty()) {
            return Err(format!("`{CHAIN}` of the secret `{key}` is not a certificate in PEM"));
        }
        if PrivateKeyDer::from_pem_slice(private.expose().as_bytes()).is_err() {
            return Err(format!("`{KEY}` of the secret `{key}` is not a private key in PEM"));
        }
    }
    Ok(certificate)
}
