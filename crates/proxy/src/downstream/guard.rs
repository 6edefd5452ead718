//! Whether a request may be answered at all: pages of other origins and foreign names for a
//! loopback listener are refused (MCP 2025-11-25, basic/transports, security warning).

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use config::{Allowed, Listener};
use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use mcp::headers::{MCP_METHOD, MCP_NAME, MCP_PROTOCOL_VERSION, MCP_SESSION_ID};

use crate::error::RequestError;

/// The headers that say what a request is, with the names that people write.
const SINGLE: [(HeaderName, &str); 4] = [
    (MCP_SESSION_ID, "Mcp-Session-Id"),
    (MCP_PROTOCOL_VERSION, "MCP-Protocol-Version"),
    (MCP_METHOD, "Mcp-Method"),
    (MCP_NAME, "Mcp-Name"),
];

/// The host that the request names, in lower case, without its port and without a dot at its end; empty if it
/// names none. An absolute target counts more than the header (RFC 9112 §3.2.2).
///
/// # Errors
/// It names several, or one that others could read as another.
pub(crate) fn host(head: &Parts) -> Result<String, RequestError> {
    let mut headers = head.headers.get_all(HOST).iter();
    let header = headers.next().map(HeaderValue::as_bytes);
    if headers.next().is_some() {
        return Err(RequestError::Host("more than one".to_owned()));
    }
    let authority = head.uri.authority().map(|authority| authority.as_str().as_bytes());
    let named = authority.or(header).unwrap_or_default();
    let text = std::str::from_utf8(named).ok().filter(|text| is_one_host(text));
    let text = text.ok_or(RequestError::HostSyntax)?;
    let name = without_port(text);
    Ok(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase())
}

/// Whether this is a name or an address, with or without a port, and nothing else: no user, no list.
fn is_one_host(text: &str) -> bool {
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, rest)) = rest.split_once(']') else { return false };
            if address.parse::<Ipv6Addr>().is_err() {
                return false;
            }
            match rest.strip_prefix(':') {
                Some(port) => ("", port),
                None => return rest.is_empty(),
            }
        }
        None => text.split_once(':').unwrap_or((text, "")),
    };
    let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    name.bytes().all(is_of_name) && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Refuses an origin that is not allowed, a host that is not ours where only loopback is, and
/// headers that could be read in two ways.
pub(crate) fn check(
    listener: &Listener,
    address: SocketAddr,
    head: &Parts,
    host: &str,
) -> Result<(), RequestError> {
    check_host(listener, address, host)?;
    check_origins(listener, head, host)?;
    check_single(&head.headers)
}

/// Refuses a host that is not ours where only loopback is.
pub(crate) fn check_host(
    listener: &Listener,
    address: SocketAddr,
    host: &str,
) -> Result<(), RequestError> {
    let allowed = listener.allowed.of(host);
    if address.ip().is_loopback() && !is_ours(allowed, host) {
        return Err(RequestError::Host(host.to_owned()));
    }
    Ok(())
}

/// Refuses an origin that is not allowed.
pub(crate) fn check_origins(
    listener: &Listener,
    head: &Parts,
    host: &str,
) -> Result<(), RequestError> {
    let allowed = listener.allowed.of(host);
    let mut origins = head.headers.get_all(ORIGIN).iter();
    origins.try_for_each(|origin| check_origin(allowed, origin))
}

/// Of two headers with one name, what stands before us may have looked at the other.
pub(crate) fn check_single(headers: &HeaderMap) -> Result<(), RequestError> {
    for (name, written) in &SINGLE {
        if headers.get_all(name).iter().nth(1).is_some() {
            return Err(RequestError::RepeatedHeader(written));
        }
    }
    Ok(())
}

/// Loopback pages, pages of a host that the operator allows, and origins that are listed: whole, or
/// all of them by `*`.
/// That a page comes from the host it calls proves nothing where names can be rebound. `null` is
/// nobody's.
fn check_origin(allowed: &Allowed, origin: &HeaderValue) -> Result<(), RequestError> {
    let text = origin.to_str().unwrap_or_default();
    let is_listed = allowed.origins.iter().any(|listed| listed == "*" || listed == text);
    let named = text.parse::<Uri>().ok();
    let named = named.as_ref().and_then(Uri::host).map(str::to_ascii_lowercase);
    if is_listed || named.is_some_and(|named| is_ours(allowed, without_port(&named))) {
        return Ok(());
    }
    Err(RequestError::Origin(text.chars().take(200).collect()))
}

fn is_ours(allowed: &Allowed, name: &str) -> bool {
    is_loopback(name) || allowed.hosts.iter().any(|host| is_allowed(host, name))
}

/// `*.example.com` is every host below `example.com`.
fn is_allowed(allowed: &str, name: &str) -> bool {
    let Some(suffix) = allowed.strip_prefix('*') else { return allowed == name };
    name.len() > suffix.len() && suffix.starts_with('.') && name.ends_with(suffix)
}

fn is_loopback(name: &str) -> bool {
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// `[::1]:8080` and `[::1]` are `::1`.
fn without_port(authority: &str) -> &str {
    if let Some(bracketed) = authority.strip_prefix('[') {
        return bracketed.split(']').next().unwrap_or_default();
    }
    authority.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests;
