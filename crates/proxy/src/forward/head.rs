//! The heads of requests and answers that are passed on: what belongs to one connection is left out,
//! and what the gateway knows of the client is written in.

use std::net::IpAddr;

use config::Filters;
use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::request::Parts;
use http::uri::{Authority, PathAndQuery, Scheme};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version, uri};
use http_body::Body;

use crate::arrival::Arrival;
use crate::error::ForwardError;
use crate::upstream::{HttpBody, Server};

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// What belongs to one connection, besides what `Connection` names (RFC 9110 §7.6.1).
const OF_CONNECTION: [HeaderName; 6] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// What decides how a request looks to its server.
pub(super) struct Rewriting<'a> {
    pub(super) server: &'a Server,
    pub(super) arrival: &'a Arrival,
    /// How many bytes of the path the route's prefix matched.
    pub(super) prefix: usize,
    /// The route's filters, then those of the server's share.
    pub(super) filters: [Option<&'a Filters>; 2],
    /// What the connection is to become.
    pub(super) upgrade: Option<&'a HeaderValue>,
}

/// The request as its server sees it.
pub(super) fn request(
    rewriting: &Rewriting<'_>,
    head: Parts,
    body: &impl Body,
) -> Result<Request<()>, ForwardError> {
    let Rewriting { server, arrival, upgrade, .. } = rewriting;
    let asked = host(&head)?;
    let Parts { method, uri, mut headers, .. } = head;
    let takes_trailers = lists(&headers, &TE, "trailers");
    clean(&mut headers);
    // Whoever sent it has been told to go on.
    headers.remove(EXPECT);
    headers.remove(HOST);
    keep_length(&mut headers, body);
    introduce(&mut headers, arrival, asked.as_ref());
    for filters in rewriting.filters.into_iter().flatten() {
        filters.request_headers.apply(&mut headers);
    }
    for (name, value) in &server.service.headers {
        headers.insert(name, value.clone());
    }
    let mut filters = rewriting.filters.into_iter().flatten().rev();
    let written = filters.find_map(|filters| filters.host.clone());
    let host = written.or(asked).or_else(|| server.authority().cloned());
    let host = host.ok_or(ForwardError::Host)?;
    if takes_trailers {
        headers.insert(TE, TRAILERS);
    }
    let path = path(rewriting, &uri);
    let uri = match server.absolute_scheme() {
        None => {
            connection(&mut headers, takes_trailers, *upgrade);
            headers.insert(HOST, host);
            path.map(Uri::from)
        }
        Some(scheme) => path.and_then(|path| absolute(scheme, &host, path)),
    };
    let mut request = Request::new(());
    *request.method_mut() = method;
    *request.uri_mut() = uri.ok_or(ForwardError::Path)?;
    *request.headers_mut() = headers;
    if server.absolute_scheme().is_some() {
        *request.version_mut() = Version::HTTP_2;
    }
    Ok(request)
}

/// The headers of an answer as its client sees them.
pub(super) fn answered(mut headers: HeaderMap, body: &HttpBody) -> HeaderMap {
    clean(&mut headers);
    if body.size_hint().exact().is_none() {
        headers.remove(CONTENT_LENGTH);
    }
    headers
}

/// Leaves out what belongs to one connection.
pub(super) fn clean(headers: &mut HeaderMap) {
    let named = headers.get_all(CONNECTION).iter().filter_map(|value| value.to_str().ok());
    let named = named.flat_map(|value| value.split(','));
    let named: Vec<HeaderName> =
        named.filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok()).collect();
    for name in named.iter().chain(&OF_CONNECTION) {
        headers.remove(name);
    }
}

/// Whether one of the comma-separated values of a header is this word.
pub(super) fn lists(headers: &HeaderMap, name: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let mut words = values.flat_map(|value| value.split([',', ';']));
    words.any(|known| known.trim().eq_ignore_ascii_case(word))
}

/// The host that a client asks for, with its port. An absolute target counts more than the header
/// (RFC 9112 §3.2.2).
pub(super) fn host(head: &Parts) -> Result<Option<HeaderValue>, ForwardError> {
    if let Some(authority) = head.uri.authority() {
        let text = authority.as_str();
        let bare = text.rsplit_once('@').map_or(text, |(_, host)| host);
        return HeaderValue::from_str(bare).map(Some).map_err(|_| ForwardError::Host);
    }
    let mut hosts = head.headers.get_all(HOST).iter();
    let host = hosts.next().cloned();
    match hosts.next() {
        Some(_) => Err(ForwardError::Host),
        None => Ok(host),
    }
}

/// A body of unknown length has none in its head: there is one way to tell where it ends.
fn keep_length(headers: &mut HeaderMap, body: &impl Body) {
    if body.size_hint().exact().is_none() {
        headers.remove(CONTENT_LENGTH);
    }
}

/// Says for whom it is passed on.
fn introduce(headers: &mut HeaderMap, arrival: &Arrival, host: Option<&HeaderValue>) {
    let remote = arrival.remote.ip();
    let remote = match remote {
        IpAddr::V6(address) => address.to_ipv4_mapped().map_or(remote, IpAddr::V4),
        IpAddr::V4(_) => remote,
    };
    let before = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let mut all: Vec<&str> = before.collect();
    let remote = remote.to_string();
    all.push(&remote);
    if let Ok(value) = HeaderValue::from_str(&all.join(", ")) {
        headers.insert(FORWARDED_FOR, value);
    }
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(arrival.scheme()));
    match host {
        Some(host) => headers.insert(FORWARDED_HOST, host.clone()),
        None => headers.remove(FORWARDED_HOST),
    };
}

/// What HTTP/1.1 has to be told of this connection.
fn connection(headers: &mut HeaderMap, takes_trailers: bool, upgrade: Option<&HeaderValue>) {
    let value = match (takes_trailers, upgrade) {
        (false, None) => return,
        (true, None) => "te",
        (false, Some(_)) => "upgrade",
        (true, Some(_)) => "te, upgrade",
    };
    headers.insert(CONNECTION, HeaderValue::from_static(value));
    if let Some(protocol) = upgrade {
        headers.insert(UPGRADE, protocol.clone());
    }
}

/// Path and query as the server sees them.
fn path(rewriting: &Rewriting<'_>, asked: &Uri) -> Option<PathAndQuery> {
    let mut filters = rewriting.filters.into_iter().flatten().rev();
    let Some(rewrite) = filters.find_map(|filters| filters.path.as_ref()) else {
        let root = PathAndQuery::from_static("/");
        return Some(asked.path_and_query().cloned().unwrap_or(root));
    };
    let mut path = rewrite.apply(asked.path(), rewriting.prefix);
    if let Some(query) = asked.query() {
        path.push('?');
        path.push_str(query);
    }
    path.try_into().ok()
}

fn absolute(scheme: &str, host: &HeaderValue, path: PathAndQuery) -> Option<Uri> {
    let mut parts = uri::Parts::default();
    parts.scheme = Scheme::try_from(scheme).ok();
    parts.authority = Some(Authority::try_from(host.as_bytes()).ok()?);
    parts.path_and_query = Some(path);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests;
