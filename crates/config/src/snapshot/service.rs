//! Ordinary HTTP servers as they are executed.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};

use super::upstream_tls::UpstreamTls;
use crate::document::{Close, ServiceProtocol};

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
    /// Headers that it gets with every request, in place of the client's.
    pub headers: Vec<(HeaderName, HeaderValue)>,
    /// How its certificate is checked, and what it is shown.
    pub tls: UpstreamTls,
    /// The time to connect.
    pub connect: Duration,
    /// From the moment in which a request is passed on to the end of its answer; `None`: any time.
    pub request: Option<Duration>,
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
        for (name, _) in &self.headers {
            write!(formatter, " header {name}: ***")?;
        }
        if self.tls != UpstreamTls::default() {
            write!(formatter, " {}", self.tls)?;
        }
        write!(formatter, " connect {:?}", self.connect)?;
        match self.request {
            Some(time) => write!(formatter, " request {time:?}"),
            None => Ok(()),
        }
    }
}
