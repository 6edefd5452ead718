//! Ordinary HTTP servers as they are executed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::Uri;

use crate::document::{Close, ServiceProtocol, TargetTls};

/// An ordinary HTTP server.
#[derive(Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: Arc<str>,
    /// An absolute `http` or `https` URL without a path. Meaningless, and never to be used, while
    /// `closed` is set.
    pub url: Uri,
    /// A key of [`Snapshot::endpoints`](super::Snapshot::endpoints): connect there.
    pub endpoints: Option<String>,
    /// What is spoken to it.
    pub protocol: ServiceProtocol,
    /// How its certificate is checked.
    pub tls: TargetTls,
    /// The time to connect.
    pub connect: Duration,
    /// Why it is shut: its requests get 503 with this.
    pub closed: Option<Close>,
}

impl fmt::Debug for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "service {}", self.name)?;
        if let Some(close) = &self.closed {
            return write!(formatter, " closed {}: {}", close.id, close.reason);
        }
        write!(formatter, " {} {:?}", self.url, self.protocol)?;
        if let Some(key) = &self.endpoints {
            write!(formatter, " endpoints {key}")?;
        }
        if self.tls != TargetTls::default() {
            write!(formatter, " {:?}", self.tls)?;
        }
        write!(formatter, " connect {:?}", self.connect)
    }
}
