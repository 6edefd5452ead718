//! What browsers ask before a page of another origin may use a route that says which may (Gateway
//! API, `HTTPCORSFilter`; Fetch, "CORS protocol").

use config::{Cors, Listed};
use http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::downstream::{ReplyBody, respond};

const ANY: HeaderValue = HeaderValue::from_static("*");

/// The page that a request comes from, if it may use the route.
pub(crate) fn page(cors: &Cors, headers: &HeaderMap) -> Option<HeaderValue> {
    let origin = headers.get(ORIGIN)?;
    origin.to_str().is_ok_and(|text| cors.allows(text)).then(|| origin.clone())
}

/// What a page may do, if `is_allowed`: without a word of it, none may do anything.
pub(crate) fn preflight(cors: &Cors, headers: &HeaderMap, is_allowed: bool) -> Response<ReplyBody> {
    let mut response = respond::empty(StatusCode::NO_CONTENT);
    if !is_allowed {
        return response;
    }
    let asked = |name: HeaderName| headers.get(name).cloned();
    let methods = listed(&cors.methods, || asked(ACCESS_CONTROL_REQUEST_METHOD));
    let allowed = listed(&cors.headers, || asked(ACCESS_CONTROL_REQUEST_HEADERS));
    let answer = response.headers_mut();
    if let Some(methods) = methods {
        answer.insert(ACCESS_CONTROL_ALLOW_METHODS, methods);
    }
    if let Some(allowed) = allowed {
        answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
    }
    answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(cors.max_age));
    response
}

/// Lets the page at `origin` read a response, whatever its server said of pages.
pub(crate) fn show(response: &mut Response<ReplyBody>, cors: &Cors, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(VARY, HeaderValue::from_static("origin"));
    if cors.credentials {
        headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    } else {
        headers.remove(ACCESS_CONTROL_ALLOW_CREDENTIALS);
    }
    // `*` means nothing where credentials may be sent, and then nobody asks which are wanted.
    let any = || (!cors.credentials).then_some(ANY);
    match listed(&cors.expose, any) {
        Some(exposed) => headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed),
        None => headers.remove(ACCESS_CONTROL_EXPOSE_HEADERS),
    };
}

/// What is listed, or what stands for all.
fn listed<T: AsRef<str>>(
    listed: &Listed<T>,
    any: impl FnOnce() -> Option<HeaderValue>,
) -> Option<HeaderValue> {
    let Listed::Only(names) = listed else { return any() };
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    if names.is_empty() { None } else { HeaderValue::try_from(names.join(", ")).ok() }
}
