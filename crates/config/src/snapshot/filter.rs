//! What is changed in requests and answers, as it is executed.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::cors::Cors;
use crate::document::RedirectScheme;

/// What is changed in requests and answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    /// The headers of requests.
    pub request_headers: HeaderChanges,
    /// The headers of answers.
    pub response_headers: HeaderChanges,
    /// The host in place of the client's.
    pub host: Option<HeaderValue>,
    /// The path in place of the client's.
    pub path: Option<PathRewrite>,
    /// Which web pages of other origins may use it.
    pub cors: Option<Arc<Cors>>,
}

/// Headers that are set, added and removed, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeaderChanges {
    /// They have these values and no others.
    pub set: Vec<(HeaderName, HeaderValue)>,
    /// They have these values, too.
    pub add: Vec<(HeaderName, HeaderValue)>,
    /// They are left out.
    pub remove: Vec<HeaderName>,
}

/// Another path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathRewrite {
    /// This one.
    Full(Arc<str>),
    /// This, without a `/` at its end, in place of the prefix that matched.
    Prefix(Arc<str>),
}

/// Where clients are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The scheme in place of the request's.
    pub scheme: Option<RedirectScheme>,
    /// The host in place of the request's.
    pub host: Option<Arc<str>>,
    /// The port.
    pub port: Option<u16>,
    /// The path in place of the request's.
    pub path: Option<PathRewrite>,
    /// The status, one of 301, 302, 303, 307 and 308.
    pub status: StatusCode,
}

impl HeaderChanges {
    /// Changes `headers`.
    pub fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.set {
            headers.insert(name, value.clone());
        }
        for (name, value) in &self.add {
            headers.append(name, value.clone());
        }
        for name in &self.remove {
            headers.remove(name);
        }
    }
}

impl PathRewrite {
    /// The path in place of `path`, of whose beginning `matched` bytes matched the route: without
    /// a `/` at their end.
    pub fn apply(&self, path: &str, matched: usize) -> String {
        let rewritten = match self {
            Self::Full(full) => full.to_string(),
            Self::Prefix(prefix) => {
                format!("{prefix}{}", path.get(matched..).unwrap_or_default())
            }
        };
        if rewritten.is_empty() { "/".to_owned() } else { rewritten }
    }
}

/// Values are not shown: they may be credentials.
impl fmt::Display for HeaderChanges {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, _) in &self.set {
            write!(formatter, " set {name}")?;
        }
        for (name, _) in &self.add {
            write!(formatter, " add {name}")?;
        }
        for name in &self.remove {
            write!(formatter, " remove {name}")?;
        }
        Ok(())
    }
}

impl fmt::Display for PathRewrite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(path) => write!(formatter, " path {path}"),
            Self::Prefix(path) => write!(formatter, " prefix {path}/"),
        }
    }
}

impl fmt::Display for Filters {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.request_headers != HeaderChanges::default() {
            write!(formatter, ", request headers{}", self.request_headers)?;
        }
        if self.response_headers != HeaderChanges::default() {
            write!(formatter, ", response headers{}", self.response_headers)?;
        }
        if self.host.is_some() || self.path.is_some() {
            write!(formatter, ", rewrite")?;
        }
        if let Some(host) = &self.host {
            write!(formatter, " host {}", host.to_str().unwrap_or_default())?;
        }
        if let Some(path) = &self.path {
            write!(formatter, "{path}")?;
        }
        match &self.cors {
            Some(cors) => write!(formatter, ", cors{cors}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Redirect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "redirect {}", self.status.as_u16())?;
        if let Some(scheme) = self.scheme {
            write!(formatter, " scheme {scheme:?}")?;
        }
        if let Some(host) = &self.host {
            write!(formatter, " host {host}")?;
        }
        if let Some(port) = self.port {
            write!(formatter, " port {port}")?;
        }
        match &self.path {
            Some(path) => write!(formatter, "{path}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
