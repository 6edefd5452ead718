//! What the listeners of one address prove themselves with.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use super::hosts::Hosts;
use crate::secret::Secret;

/// The certificates of one address, by the name that a client asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListenerTls {
    /// Each of them once.
    pub certificates: Vec<Certificate>,
    /// Which of them belong to the listener with a hostname; none: it is shut.
    hosts: Hosts<Vec<usize>>,
}

/// A certificate and its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Certificate {
    /// From a secret.
    Given {
        /// The secret's key, for messages.
        name: Arc<str>,
        /// The certificate and those that it was signed with, in PEM.
        chain: Secret,
        /// The private key, in PEM.
        key: Secret,
    },
    /// From files, in PEM.
    Files {
        /// The certificate and those that it was signed with.
        chain: PathBuf,
        /// The private key.
        key: PathBuf,
    },
}

impl ListenerTls {
    /// The indices of the certificates of the listener that answers for `host`, the one with the
    /// most specific hostname; none if there is no listener for it, or it has no certificate.
    pub fn of(&self, host: &str) -> &[usize] {
        self.hosts.matching(host).next().map(Vec::as_slice).unwrap_or_default()
    }

    /// Adds a listener with its certificates.
    pub(crate) fn add(&mut self, hostname: Option<&str>, certificates: &[Certificate]) {
        let indices = self.hosts.entry(hostname);
        for certificate in certificates {
            let known = self.certificates.iter().position(|known| known == certificate);
            let index = known.unwrap_or_else(|| {
                self.certificates.push(certificate.clone());
                self.certificates.len() - 1
            });
            if !indices.contains(&index) {
                indices.push(index);
            }
        }
    }
}

impl fmt::Display for ListenerTls {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for (hostname, indices) in self.hosts.iter() {
            let certificates = indices.iter().filter_map(|index| self.certificates.get(*index));
            let names: Vec<String> = certificates.map(ToString::to_string).collect();
            lines.push(format!("  tls {hostname} {}", names.join(" ")));
        }
        lines.sort();
        for line in lines {
            writeln!(formatter, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given { name, .. } => formatter.write_str(name),
            Self::Files { chain, .. } => write!(formatter, "{}", chain.display()),
        }
    }
}
