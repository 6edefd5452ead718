//! What browsers ask before a page of another origin may use an endpoint (Fetch, "CORS protocol";
//! MCP.md 4.2). Which origins may is the guard's to say: nothing here is for one that it refused.

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};

use crate::downstream::body::ReplyBody;
use crate::downstream::respond;

const METHODS: HeaderValue = HeaderValue::from_static("POST, GET, DELETE");
/// What a page may send.
const ALLOWED: &str = "authorization, content-type, accept, mcp-protocol-version, mcp-session-id, last-event-id, mcp-method, mcp-name";
/// What it may send too, where it asks: parameters that a tool wants as headers (SEP-2243).
const PARAMETER: &str = "mcp-param-";
/// What a page may read, beside the body.
const EXPOSED: HeaderValue = HeaderValue::from_static("mcp-session-id, www-authenticate");
/// How long a browser need not ask again, in seconds; two hours are the most that Chromium takes.
const MAX_AGE: HeaderValue = HeaderValue::from_static("7200");

/// The page that a request comes from, if it comes from one.
pub(crate) fn origin(head: &Parts) -> Option<HeaderValue> {
    head.headers.get(ORIGIN).cloned()
}

/// Whether a browser asks if a page may do something.
pub(crate) fn is_preflight(head: &Parts) -> bool {
    head.method == Method::OPTIONS
        && head.headers.contains_key(ORIGIN)
        && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// What a page may do.
pub(crate) fn preflight(head: &Parts) -> Response<ReplyBody> {
    let mut response = respond::empty(StatusCode::NO_CONTENT);
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE);
    if let Ok(allowed) = HeaderValue::from_str(&allowed(&head.headers)) {
        headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    response
}

/// Lets the page at `origin` read a response.
pub(crate) fn show(response: &mut Response<ReplyBody>, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    headers.append(VARY, HeaderValue::from_static("origin"));
}

/// The headers that a page may send, of those that cannot be listed the ones that it names.
fn allowed(headers: &HeaderMap) -> String {
    let asked = headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS);
    let asked = asked.iter().filter_map(|names| names.to_str().ok());
    let names = asked.flat_map(|names| names.split(','));
    let names = names.filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok());
    let mut allowed = ALLOWED.to_owned();
    for name in names.filter(|name| name.as_str().starts_with(PARAMETER)) {
        allowed.push_str(", ");
        allowed.push_str(name.as_str());
    }
    allowed
}

#[cfg(test)]
mod tests;
