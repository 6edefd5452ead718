//! Clients that are sent elsewhere (Gateway API, `HTTPRequestRedirectFilter`).

use config::{Redirect, RedirectScheme};
use http::header::LOCATION;
use http::request::Parts;
use http::uri::Authority;
use http::{HeaderValue, Response};

use super::head;
use crate::arrival::Arrival;
use crate::downstream::{ReplyBody, respond};
use crate::error::ForwardError;

/// Sends a client elsewhere. `prefix` bytes of its path matched the route.
pub(super) fn answer(
    to: &Redirect,
    arrival: &Arrival,
    prefix: usize,
    head: &Parts,
) -> Result<Response<ReplyBody>, ForwardError> {
    let host = head::host(head)?.ok_or(ForwardError::Host)?;
    let asked = Authority::try_from(host.as_bytes()).map_err(|_| ForwardError::Host)?;
    // A port that the system chose is known to the client alone.
    let port = match arrival.configured.port() {
        0 => asked.port_u16(),
        port => Some(port),
    };
    let from = Place { scheme: arrival.scheme(), host: asked.host(), port };
    let location = location(to, &from, prefix, head.uri.path(), head.uri.query());
    let location = HeaderValue::try_from(location).map_err(|_| ForwardError::Path)?;
    let mut response = respond::empty(to.status);
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// Where a client is.
struct Place<'a> {
    scheme: &'a str,
    host: &'a str,
    port: Option<u16>,
}

fn location(
    to: &Redirect,
    from: &Place<'_>,
    prefix: usize,
    path: &str,
    query: Option<&str>,
) -> String {
    let scheme = match to.scheme {
        None => from.scheme,
        Some(RedirectScheme::Http) => "http",
        Some(RedirectScheme::Https) => "https",
    };
    let host = to.host.as_deref().unwrap_or(from.host);
    // Another scheme has its own port.
    let port = to.port.or(from.port.filter(|_| to.scheme.is_none()));
    let port = port.filter(|port| !matches!((scheme, port), ("http", 80) | ("https", 443)));
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    let path = match &to.path {
        None => path.to_owned(),
        Some(rewrite) => rewrite.apply(path, prefix),
    };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{host}{port}{path}{query}")
}

#[cfg(test)]
mod tests;
