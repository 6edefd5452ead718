//! How servers' certificates are checked, and what servers are shown: secrets looked up. What cannot be
//! had closes the server.

use rustls_pki_types::CertificateDer;
use rustls_pki_types::ServerName;
use rustls_pki_types::pem::PemObject;

use super::report::Report;
use super::tls::given;
use crate::document::{Close, TargetTls};
use crate::secret::Secrets;
use crate::snapshot::{Roots, UpstreamTls, Verification};

/// The name of the authorities in a secret, as Kubernetes calls them.
const AUTHORITIES: &str = "ca.crt";

/// What is said of one server's TLS, and where.
pub(super) struct Checked<'a, 'o> {
    /// The field, with those around it.
    pub(super) path: &'a str,
    /// The ids of what it is about.
    pub(super) ids: Ids,
    pub(super) secrets: &'a Secrets,
    pub(super) report: &'a mut Report<'o>,
}

/// The ids of diagnostics about a kind of server.
#[derive(Clone, Copy)]
pub(super) struct Ids {
    pub(super) tls: &'static str,
    pub(super) insecure: &'static str,
}

impl Checked<'_, '_> {
    /// The client side of TLS to a server whose url is `https` or is not.
    pub(super) fn tls(
        &mut self,
        written: Option<&TargetTls>,
        is_https: bool,
    ) -> Result<UpstreamTls, Close> {
        let Some(written) = written else { return Ok(UpstreamTls::default()) };
        if !is_https {
            return Err(self.close("", "there is no TLS without an `https` url".to_owned()));
        }
        let roots = self.roots(written)?;
        let verification = self.verification(written)?;
        let certificate = match &written.certificate {
            Some(key) => Some(
                given(self.secrets, key).map_err(|message| self.close(".certificate", message))?,
            ),
            None => None,
        };
        Ok(UpstreamTls {
            roots,
            server_name: written.server_name.clone(),
            verification,
            certificate,
        })
    }

    fn roots(&mut self, written: &TargetTls) -> Result<Roots, Close> {
        match (&written.ca, &written.ca_secret) {
            (None, None) => Ok(Roots::System),
            (Some(path), None) => Ok(Roots::File(path.clone())),
            (None, Some(key)) => {
                authorities(self.secrets, key).map_err(|message| self.close(".caSecret", message))
            }
            (Some(_), Some(_)) => {
                Err(self.close("", "write `ca` or `caSecret`, not both".to_owned()))
            }
        }
    }

    fn verification(&mut self, written: &TargetTls) -> Result<Verification, Close> {
        if written.insecure_skip_verify {
            let message = "any certificate is taken: whoever is on the way can read and answer";
            self.warn(".insecureSkipVerify", message);
            return Ok(Verification::Nothing);
        }
        let names = &written.subject_alt_names;
        if let Some(name) = names.iter().find(|name| !is_certificate_name(name)) {
            let message = format!("`{name}` cannot be a name in a certificate");
            return Err(self.close(".subjectAltNames", message));
        }
        match (written.insecure_skip_name, names.as_slice()) {
            (false, []) => Ok(Verification::Name),
            (false, names) => Ok(Verification::Names(names.to_vec())),
            (true, []) => {
                let message = "a certificate for another name is taken: whoever has one can answer";
                self.warn(".insecureSkipName", message);
                Ok(Verification::Trust)
            }
            (true, _) => {
                let message = "write `subjectAltNames` or `insecureSkipName`, not both";
                Err(self.close("", message.to_owned()))
            }
        }
    }

    fn close(&mut self, field: &str, message: String) -> Close {
        self.report.close(self.ids.tls, &format!("{}{field}", self.path), message)
    }

    fn warn(&mut self, field: &str, message: &str) {
        self.report.warning(self.ids.insecure, &format!("{}{field}", self.path), message);
    }
}

/// Whether a certificate can carry this as one of its names: a DNS name, an IP address or a URI.
pub fn is_certificate_name(name: &str) -> bool {
    let is_uri = name.split_once("://").is_some_and(|(scheme, rest)| {
        !scheme.is_empty()
            && !rest.is_empty()
            && name.chars().all(|letter| letter.is_ascii_graphic())
    });
    is_uri || ServerName::try_from(name).is_ok()
}

fn authorities(secrets: &Secrets, key: &str) -> Result<Roots, String> {
    let values = secrets.get(key).ok_or_else(|| format!("there is no secret `{key}`"))?;
    let pem = values.get(AUTHORITIES);
    let pem = pem.ok_or_else(|| format!("the secret `{key}` has no `{AUTHORITIES}`"))?;
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_slice_iter(pem.expose().as_bytes()).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => {
            Ok(Roots::Given { name: key.into(), pem: pem.clone() })
        }
        Ok(_) | Err(_) => {
            Err(format!("`{AUTHORITIES}` of the secret `{key}` is no certificate in PEM"))
        }
    }
}
