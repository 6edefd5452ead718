//! How a server's certificate is checked, and what it is shown, as it is executed.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::tls::Certificate;
use crate::secret::Secret;

/// The client side of TLS to a server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpstreamTls {
    /// Whose certificates are trusted.
    pub roots: Roots,
    /// The name that is asked for. Unset: the url's host.
    pub server_name: Option<String>,
    /// What is checked.
    pub verification: Verification,
    /// What the gateway proves itself with.
    pub certificate: Option<Certificate>,
}

/// Whose certificates are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Roots {
    /// Those of the system.
    #[default]
    System,
    /// Those in a file, in PEM.
    File(PathBuf),
    /// Those of a secret, in PEM.
    Given {
        /// The secret's key, for messages.
        name: Arc<str>,
        /// The certificates.
        pem: Secret,
    },
}

/// What of a certificate is checked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Verification {
    /// That it is trusted and for the name that is asked for.
    #[default]
    Name,
    /// That it is trusted and for one of these names.
    Names(Vec<String>),
    /// That it is trusted.
    Trust,
    /// Nothing.
    Nothing,
}

impl fmt::Display for UpstreamTls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "tls")?;
        match &self.roots {
            Roots::System => {}
            Roots::File(path) => write!(formatter, " roots {}", path.display())?,
            Roots::Given { name, .. } => write!(formatter, " roots {name}")?,
        }
        if let Some(name) = &self.server_name {
            write!(formatter, " name {name}")?;
        }
        match &self.verification {
            Verification::Name => {}
            Verification::Names(names) => write!(formatter, " names {}", names.join(" "))?,
            Verification::Trust => write!(formatter, " for any name")?,
            Verification::Nothing => write!(formatter, " unchecked")?,
        }
        match &self.certificate {
            Some(certificate) => write!(formatter, " certificate {certificate}"),
            None => Ok(()),
        }
    }
}
