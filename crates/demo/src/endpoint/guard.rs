//! Who may speak to a server on loopback: nobody that a web page from elsewhere has sent.

use http::header::{HOST, ORIGIN};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};

/// A browser names the page's origin, and a rebound name stands in `Host`; both must be loopback.
pub(super) fn check(headers: &HeaderMap) -> Result<(), StatusCode> {
    let host = headers.get(HOST).and_then(|host| authority(host, ""));
    let origin = match headers.get(ORIGIN) {
        Some(origin) => authority(origin, "://"),
        None => host.clone(),
    };
    match (host, origin) {
        (Some(host), Some(origin)) if is_loopback(&host) && is_loopback(&origin) => Ok(()),
        _ => Err(StatusCode::FORBIDDEN),
    }
}

/// The host in a header, of which only what follows `after` counts.
fn authority(value: &HeaderValue, after: &str) -> Option<String> {
    let value = value.to_str().ok()?;
    let (_, authority) = value.split_once(after)?;
    let uri: Uri = format!("http://{authority}").parse().ok()?;
    uri.host().map(str::to_ascii_lowercase)
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
