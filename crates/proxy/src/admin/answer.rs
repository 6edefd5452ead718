//! What each path of the admin port answers.

use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HOST};
use http::uri::Authority;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;

use crate::admin::{AdminSources, Inside};

const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";
const YAML: &str = "application/yaml";
const JSON: &str = "application/json";

const INDEX: &str = "/metrics  numbers, for Prometheus
/livez    whether the process runs
/readyz   whether it wants traffic
";
const INSIDE_INDEX: &str = "/config   the document in force
/targets  how each target stands
";

/// Answers a request to the port that is bound to `address`.
pub(super) fn answer<B>(
    sources: &AdminSources,
    address: SocketAddr,
    request: &Request<B>,
) -> Response<Full<Bytes>> {
    if !is_own_host(address, request) {
        let text = "this host name is not the admin port's\n";
        return respond(StatusCode::MISDIRECTED_REQUEST, TEXT, text);
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match request.uri().path() {
        "/" => respond(StatusCode::OK, TEXT, index(sources)),
        "/metrics" => respond(StatusCode::OK, METRICS, (sources.metrics)()),
        "/livez" => respond(StatusCode::OK, TEXT, "alive\n"),
        "/readyz" => readiness(sources),
        path => match (path, &sources.inside) {
            ("/config", Some(inside)) => respond(StatusCode::OK, YAML, config(inside)),
            ("/targets", Some(inside)) => targets(inside),
            _ => respond(StatusCode::NOT_FOUND, TEXT, index(sources)),
        },
    }
}

/// A web page can make its visitor's browser ask a loopback port under the page's own name (DNS
/// rebinding); such a request names a host that is neither an address nor `localhost`.
fn is_own_host<B>(address: SocketAddr, request: &Request<B>) -> bool {
    if !address.ip().is_loopback() {
        return true;
    }
    let Some(host) = request.headers().get(HOST) else { return true };
    let Ok(authority) = Authority::try_from(host.as_bytes()) else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

fn readiness(sources: &AdminSources) -> Response<Full<Bytes>> {
    let is_ready = sources.readiness.is_ready();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    respond(status, TEXT, format!("{}\n", sources.readiness.as_str()))
}

fn index(sources: &AdminSources) -> String {
    let inside = if sources.inside.is_some() { INSIDE_INDEX } else { "" };
    format!("{INDEX}{inside}")
}

/// The document in force. What was written as a literal where secrets stand is not repeated.
fn config(inside: &Inside) -> String {
    config::to_yaml(&config::redacted(&(inside.document)()))
}

fn targets(inside: &Inside) -> Response<Full<Bytes>> {
    match serde_json::to_vec_pretty(&(inside.targets)()) {
        Ok(json) => respond(StatusCode::OK, JSON, json),
        Err(error) => respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, error.to_string()),
    }
}

fn respond(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
