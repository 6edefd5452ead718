//! Targets by address: a Service of the cluster, found by its host name or by reference, or a host
//! anywhere.

use std::net::IpAddr;

use config::document::{Target, Transport};
use config::{Close, Diagnostic};
use k8s_openapi::api::core::v1::ServicePort;

use crate::endpoints;
use crate::object::{About, ObjectName};
use crate::translate::action::closed;
use crate::translate::guard::{Guarded, Guards};
use crate::translate::port::port;
use crate::translate::section;
use crate::translate::shape::Static;
use crate::world::World;

/// What a static entry asks to connect to.
enum Address {
    Service { name: ObjectName, host: String },
    Host(String),
}

/// The target of a static entry. One that cannot be reached as written is closed and stays in the
/// list, so that the names of the others stay as they are.
pub(super) fn target(
    world: &World,
    backend: &About,
    name: &str,
    field: &str,
    written: &Static<'_>,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Target {
    let (target, mut close) = match reachable(world, backend, field, written, guards, diagnostics) {
        Ok((target, close)) => (target, close),
        Err(close) => {
            let url = Some(format!("http://{name}.invalid/"));
            (Target { url, ..Target::default() }, Some(close))
        }
    };
    if written.policies {
        let reason = "inline `policies` are not built yet".to_owned();
        close = Some(Close { id: "target.policies".to_owned(), reason });
    }
    if let Some(close) = &close {
        diagnostics.push(backend.error("target.closed", field, closed(close)));
    }
    let transport = (written.transport == Transport::Sse).then_some(written.transport);
    Target { name: name.to_owned(), transport, close, ..target }
}

fn reachable(
    world: &World,
    backend: &About,
    field: &str,
    written: &Static<'_>,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(Target, Option<Close>), Close> {
    let unusable = |reason: String| Close { id: "target.address".to_owned(), reason };
    if port(written.port).is_none() {
        return Err(unusable(format!("`{}` is not a port", written.port)));
    }
    let path = written_path(written.path, written.transport);
    let url = |host: &str| Some(format!("http://{host}:{}{path}", written.port));
    match address(backend, written).map_err(unusable)? {
        Address::Host(host) => Ok((Target { url: url(&host), ..Target::default() }, None)),
        Address::Service { name, host } => {
            let port = service_port(world, backend, field, &name, written.port, diagnostics);
            let sections = section::of_port(written.port, port);
            let close = guards.part(Guarded::Service, &name, &sections);
            let endpoints = Some(endpoints::key(&name, written.port));
            Ok((Target { url: url(&host), endpoints, ..Target::default() }, close.cloned()))
        }
    }
}

fn address(backend: &About, written: &Static<'_>) -> Result<Address, String> {
    match (written.host, written.service) {
        (None, Some(service)) => {
            let name = ObjectName::new(backend.namespace(), service);
            let host = service_host(&name);
            Ok(Address::Service { name, host })
        }
        (Some(host), None) => host_address(host),
        _ => Err("a static target has exactly one of `host` and `backendRef`".to_owned()),
    }
}

/// `<service>.<namespace>.svc`, with or without the usual cluster domain, is a Service; everything
/// else a host.
fn host_address(host: &str) -> Result<Address, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(Address::Host(match address {
            IpAddr::V4(address) => address.to_string(),
            IpAddr::V6(address) => format!("[{address}]"),
        }));
    }
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    if host.is_empty() || !host.bytes().all(is_name) {
        return Err(format!("`{host}` is neither a host name nor an IP address"));
    }
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let labels: Vec<&str> = host.split('.').collect();
    match labels.as_slice() {
        [service, namespace, "svc"] | [service, namespace, "svc", "cluster", "local"] => {
            let name = ObjectName::new(*namespace, *service);
            Ok(Address::Service { name, host })
        }
        _ => Ok(Address::Host(host)),
    }
}

/// The port of a Service, or a line that says why the target is down.
fn service_port<'a>(
    world: &'a World,
    backend: &About,
    field: &str,
    name: &ObjectName,
    number: i32,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<&'a ServicePort> {
    let Some(service) = world.service(name) else {
        let message = format!("there is no Service {name}; the target is down until there is");
        diagnostics.push(backend.error("target.service-unknown", field, message));
        return None;
    };
    let mut ports = service.value.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    let port = ports.find(|port| port.port == number);
    if port.is_none() {
        let message = format!("Service {name} has no port {number}; the target is down");
        diagnostics.push(backend.error("target.port-unknown", field, message));
    }
    port
}

/// The URL of a Service's port.
pub(super) fn service_url(name: &ObjectName, port: i32, path: &str) -> String {
    format!("http://{}:{port}{path}", service_host(name))
}

fn service_host(name: &ObjectName) -> String {
    format!("{}.{}.svc.cluster.local", name.name, name.namespace)
}

/// A path as a URL takes it; unset, the transport's usual one. Whatever cannot stand in a URL is
/// escaped, braces among it: a document's `${…}` is for those who write documents, not for those
/// who write Services.
pub(super) fn written_path(path: Option<&str>, transport: Transport) -> String {
    let usual = match transport {
        Transport::Streamable => "/mcp",
        Transport::Sse => "/sse",
    };
    let path = path.filter(|path| !path.is_empty()).unwrap_or(usual);
    let mut escaped = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        escaped.push('/');
    }
    for byte in path.bytes() {
        let plain = byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%?".contains(&byte);
        if plain {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}
