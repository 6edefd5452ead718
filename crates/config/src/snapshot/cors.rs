//! Which web pages of other origins may use a route (Gateway API, `HTTPCORSFilter`).

use std::fmt;

use http::{HeaderName, Uri};

/// Which web pages of other origins may use a route.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cors {
    /// Their origins.
    pub origins: Vec<Origin>,
    /// Whether they may send what the browser knows of the user.
    pub credentials: bool,
    /// The methods that they may use.
    pub methods: Listed<String>,
    /// The headers that they may send.
    pub headers: Listed<HeaderName>,
    /// The headers that they may read.
    pub expose: Listed<HeaderName>,
    /// How many seconds a browser need not ask again.
    pub max_age: u32,
}

/// Those that are listed, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed<T> {
    /// Whatever is asked for.
    Any,
    /// These.
    Only(Vec<T>),
}

/// An origin, or several by a `*` at the beginning of the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Every origin.
    Any,
    /// Of this scheme, host and port, in lower case.
    One {
        /// `http` or `https`.
        scheme: Box<str>,
        /// The host, or what it ends with.
        host: HostTest,
        /// The port, also where it is the scheme's.
        port: u16,
    },
}

/// The host of an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostTest {
    /// This one.
    Exact(Box<str>),
    /// Every one that ends so and has something before it.
    Suffix(Box<str>),
}

impl Cors {
    /// Whether pages of `origin`, the value of that header, may use it.
    pub fn allows(&self, origin: &str) -> bool {
        let named = parts(origin);
        self.origins.iter().any(|allowed| match (allowed, &named) {
            (Origin::Any, _) => true,
            (Origin::One { .. }, None) => false,
            (Origin::One { scheme, host, port }, Some(named)) => {
                **scheme == *named.scheme && *port == named.port && host.holds(&named.host)
            }
        })
    }
}

impl HostTest {
    fn holds(&self, name: &str) -> bool {
        match self {
            Self::Exact(host) => **host == *name,
            Self::Suffix(suffix) => name.len() > suffix.len() && name.ends_with(&**suffix),
        }
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self::Only(Vec::new())
    }
}

impl Origin {
    /// An origin as it is written, if it is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        // A `*` is no part of a host's name, and nothing else may stand before it.
        let (rest, is_suffix) = match text.split_once("://*") {
            // What stands behind it is a part of a name, or nothing: `*example.com` would be more than is meant.
            Some((_, rest)) if !(rest.is_empty() || rest.starts_with(['.', ':'])) => return None,
            Some((scheme, rest)) => (format!("{scheme}://wildcard{rest}"), true),
            None => (text.to_owned(), false),
        };
        let Parts { scheme, host, port } = parts(&rest)?;
        if host.contains('*') {
            return None;
        }
        let host = match host.strip_prefix("wildcard").filter(|_| is_suffix) {
            Some(suffix) => HostTest::Suffix(suffix.into()),
            None => HostTest::Exact(host.into()),
        };
        Some(Self::One { scheme: scheme.into(), host, port })
    }
}

/// What an origin consists of.
struct Parts {
    scheme: String,
    host: String,
    port: u16,
}

fn parts(origin: &str) -> Option<Parts> {
    let (_, rest) = origin.split_once("://")?;
    if rest.is_empty() || rest.contains(['/', '?', '#', '@']) {
        return None;
    }
    let uri: Uri = origin.parse().ok()?;
    let scheme = uri.scheme_str()?.to_ascii_lowercase();
    let authority = uri.authority()?;
    let port = match (authority.port_u16(), scheme.as_str()) {
        (Some(port), "http" | "https") => port,
        (None, "http") => 80,
        (None, "https") => 443,
        _ => return None,
    };
    Some(Parts { host: authority.host().to_ascii_lowercase(), scheme, port })
}

impl fmt::Display for Cors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for origin in &self.origins {
            write!(formatter, " {origin}")?;
        }
        if self.credentials {
            write!(formatter, " with credentials")?;
        }
        let Self { methods, headers, expose, max_age, .. } = self;
        write!(formatter, " methods {methods} headers {headers} expose {expose} for {max_age} s")
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => formatter.write_str("*"),
            Self::One { scheme, host: HostTest::Exact(host), port } => {
                write!(formatter, "{scheme}://{host}:{port}")
            }
            Self::One { scheme, host: HostTest::Suffix(suffix), port } => {
                write!(formatter, "{scheme}://*{suffix}:{port}")
            }
        }
    }
}

impl<T: AsRef<str>> fmt::Display for Listed<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Only(listed) = self else { return formatter.write_str("*") };
        let names: Vec<&str> = listed.iter().map(AsRef::as_ref).collect();
        formatter.write_str(&names.join(", "))
    }
}

#[cfg(test)]
mod tests;
