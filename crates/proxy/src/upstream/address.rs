//! Where an HTTP target is: its URL, taken apart once, the socket addresses behind it, and the
//! references that a server gives relative to it.

use std::net::SocketAddr;
use std::sync::Arc;

use http::Uri;
use http::header::HeaderValue;
use http::uri::{Authority, PathAndQuery};

use crate::upstream::error::UpstreamError;
use crate::upstream::names::{Names, is_this_machine};

/// An HTTP target's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// How the bytes travel.
    pub(crate) scheme: Scheme,
    /// The host, without brackets.
    pub(crate) host: Arc<str>,
    /// The port, also where the URL leaves it out.
    pub(crate) port: u16,
    /// The value of the `Host` header: as the URL has it.
    pub(crate) authority: HeaderValue,
    /// What stands in the request line.
    pub(crate) path: PathAndQuery,
    /// `host:port`, for messages.
    pub(crate) peer: Arc<str>,
}

/// The two schemes of HTTP targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Plain TCP.
    Http,
    /// TLS.
    Https,
}

impl Address {
    /// Takes `url` apart. Fails without a host, or with a scheme that is not http or https.
    pub(crate) fn of(url: &Uri) -> Result<Self, UpstreamError> {
        let shown: Arc<str> = url.host().unwrap_or("a target without a host").into();
        let scheme = match url.scheme_str() {
            Some("http") => Scheme::Http,
            Some("https") => Scheme::Https,
            Some(_) | None => return Err(UpstreamError::connect(&shown, "not an http(s) URL")),
        };
        let Some(authority) = url.authority() else {
            return Err(UpstreamError::connect(&shown, "its URL has no host"));
        };
        let port = authority.port_u16().unwrap_or(match scheme {
            Scheme::Http => 80,
            Scheme::Https => 443,
        });
        let host = authority.host();
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let path = url.path_and_query().cloned().unwrap_or(PathAndQuery::from_static("/"));
        Ok(Self {
            scheme,
            host: bare.into(),
            port,
            authority: host_header(authority, &shown)?,
            path,
            peer: format!("{host}:{port}").into(),
        })
    }

    /// The address that `reference` (the data of an `endpoint` event) means when this one says it.
    /// Another origin is refused: a server must not make the gateway send elsewhere.
    pub(crate) fn join(&self, reference: &str) -> Result<Self, UpstreamError> {
        let invalid = || UpstreamError::invalid(&self.peer, "its endpoint is not a URL");
        let reference = reference.trim().split('#').next().unwrap_or_default();
        let scheme = match self.scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let authority = self.authority.to_str().map_err(|_| invalid())?;
        let absolute = if reference.contains("://") && !reference.starts_with(['/', '?']) {
            reference.to_owned()
        } else if let Some(rest) = reference.strip_prefix("//") {
            format!("{scheme}://{rest}")
        } else {
            format!("{scheme}://{authority}{}", self.path_of(reference))
        };
        let joined = Self::of(&absolute.parse().map_err(|_| invalid())?)?;
        let same = joined.scheme == self.scheme
            && joined.host.eq_ignore_ascii_case(&self.host)
            && joined.port == self.port;
        match same {
            true => Ok(joined),
            false => Err(UpstreamError::invalid(&self.peer, "its endpoint is on another origin")),
        }
    }

    /// The socket addresses to try, in this order: `endpoints`, or what the host resolves to where
    /// there are none, rotated to start with the one that `turn` falls on.
    pub(crate) async fn sockets(
        &self,
        names: &Names,
        endpoints: &[SocketAddr],
        turn: usize,
    ) -> Result<Vec<SocketAddr>, UpstreamError> {
        if !endpoints.is_empty() {
            return Ok(rotated(endpoints.to_vec(), turn));
        }
        let addresses = names.addresses(&self.host).await.map_err(|error| {
            UpstreamError::connect(&self.peer, format!("resolving `{}`: {error}", self.host))
        })?;
        let sockets = addresses.iter().map(|address| SocketAddr::new(*address, self.port));
        // One may be another server than the other there: always the same first.
        let turn = if is_this_machine(&self.host) { 0 } else { turn };
        Ok(rotated(sockets.collect(), turn))
    }

    /// The same as far as it is known, without waiting; `None` also where nobody is asked.
    pub(crate) fn known_sockets(&self, names: &Names, turn: usize) -> Option<Vec<SocketAddr>> {
        let addresses = names.known(&self.host)?;
        let sockets = addresses.iter().map(|address| SocketAddr::new(*address, self.port));
        Some(rotated(sockets.collect(), turn))
    }

    fn path_of(&self, reference: &str) -> String {
        let path = self.path.path();
        if reference.starts_with('/') {
            reference.to_owned()
        } else if reference.starts_with('?') {
            format!("{path}{reference}")
        } else {
            let folder = path.rfind('/').and_then(|end| path.get(..=end)).unwrap_or("/");
            format!("{folder}{reference}")
        }
    }
}

fn rotated(mut sockets: Vec<SocketAddr>, turn: usize) -> Vec<SocketAddr> {
    let first = turn % sockets.len().max(1);
    sockets.rotate_left(first);
    sockets
}

/// The authority without a userinfo, which `config` refuses and which must never be sent as a host.
fn host_header(authority: &Authority, peer: &Arc<str>) -> Result<HeaderValue, UpstreamError> {
    let text = authority.as_str();
    let host = text.rsplit_once('@').map_or(text, |(_, host)| host);
    HeaderValue::from_str(host).map_err(|_| UpstreamError::connect(peer, "its host is not a name"))
}

#[cfg(test)]
mod tests;
