//! Targets by address: a Service of the cluster, found by its host name or by reference, or a host
//! anywhere.

use std::net::IpAddr;

use config::document::{Target, Transport};
use config::{Close, Diagnostic};
use k8s_openapi::api::core::v1::ServicePort;

use crate::endpoints;
use crate::object::{About, ObjectName};
use crate::policy::{Rules, of_target, said};
use crate::translate::attached::Levels;
use crate::translate::closed::closed;
use crate::translate::guard::Guarded;
use crate::translate::index::Index;
use crate::translate::port::port;
use crate::translate::section;
use crate::translate::shape::Static;
use crate::translate::target::Finding;

/// What a static entry asks to connect to.
pub(super) enum Address {
    Service { name: ObjectName, host: String },
    Host(String),
}

/// What a static entry comes to.
pub(super) struct Reached {
    pub(super) target: Target,
    /// Why it is shut or down.
    pub(super) message: String,
    /// The reference that leads to nothing.
    pub(super) missing: Option<String>,
    /// The policies of the Service that it is.
    pub(super) of_service: Levels,
    /// Those that the entry writes itself.
    pub(super) policies: Rules,
}

impl Reached {
    fn of(target: Target) -> Self {
        Self {
            target,
            message: String::new(),
            missing: None,
            of_service: Levels::default(),
            policies: Rules::default(),
        }
    }
}

impl Finding<'_, '_> {
    /// The target of a static entry. One that cannot be reached as written is closed and stays in
    /// the list, so that the names of the others stay as they are.
    pub(super) fn reached(
        &self,
        field: &str,
        name: &str,
        written: &Static<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Reached {
        let mut reached = match self.address(field, written, diagnostics) {
            Ok(reached) => reached,
            Err(close) => {
                let url = Some(format!("http://{name}.invalid/"));
                let target = Target { url, close: Some(close), ..Target::default() };
                Reached::of(target)
            }
        };
        reached.policies = of_target(self.shape.about, field, written.policies);
        if !reached.policies.closing.is_empty() {
            let reason = said(&reached.policies.closing);
            reached.target.close = Some(Close { id: "target.policies".to_owned(), reason });
        }
        if let Some(close) = &reached.target.close {
            diagnostics.push(self.shape.about.error("target.closed", field, closed(close)));
            reached.message = close.reason.clone();
        }
        reached.target.name = name.to_owned();
        reached.target.transport =
            (written.transport == Transport::Sse).then_some(written.transport);
        reached
    }

    fn address(
        &self,
        field: &str,
        written: &Static<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Reached, Close> {
        let backend = self.shape.about;
        let unusable = |reason: String| Close { id: "target.address".to_owned(), reason };
        if port(written.port).is_none() {
            return Err(unusable(format!("`{}` is not a port", written.port)));
        }
        let path = written_path(written.path, written.transport);
        let url = |host: &str| Some(format!("http://{host}:{}{path}", written.port));
        match address(self.world, backend, written).map_err(unusable)? {
            Address::Host(host) => {
                let target = Target { url: url(&host), ..Target::default() };
                Ok(Reached::of(target))
            }
            Address::Service { name, host } => {
                let found = service_port(self.world, &name, written.port);
                let sections = section::of_port(written.port, found.as_ref().ok().copied());
                let close = self.guards.part(Guarded::Service, &name, &sections);
                let endpoints = Some(endpoints::key(&name, written.port));
                let close = close.cloned();
                let target = Target { url: url(&host), endpoints, close, ..Target::default() };
                let (id, message) = found.err().unwrap_or_default();
                if !message.is_empty() {
                    diagnostics.push(backend.error(id, field, message.as_str()));
                }
                // A host is a name, which may come to lead somewhere; only a reference is missing.
                let is_missing = written.service.is_some() && !message.is_empty();
                let missing = is_missing.then(|| format!("{field}: {message}"));
                let of_service = self.guards.levels(Guarded::Service, &name, &sections);
                Ok(Reached { message, missing, of_service, ..Reached::of(target) })
            }
        }
    }
}

fn address(world: &Index<'_>, backend: &About, written: &Static<'_>) -> Result<Address, String> {
    match (written.host, written.service) {
        (None, Some(service)) => {
            let name = ObjectName::new(backend.namespace(), service);
            let host = service_host(world, &name);
            Ok(Address::Service { name, host })
        }
        (Some(host), None) => host_address(world, host, backend.namespace()),
        _ => Err("a static target has exactly one of `host` and `backendRef`".to_owned()),
    }
}

/// `<service>.<namespace>.svc`, with or without the cluster's domain, is a Service, and so is
/// `<service>.<namespace>`, or `<service>` of the namespace `own`, where it is there; everything else is a
/// host.
pub(super) fn host_address(world: &Index<'_>, host: &str, own: &str) -> Result<Address, String> {
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
    let domain = format!(".{}", world.settings.cluster_domain);
    let bare = host.strip_suffix(&domain).unwrap_or(&host);
    let labels: Vec<&str> = bare.split('.').collect();
    match labels.as_slice() {
        [service, namespace, "svc"] => {
            let name = ObjectName::new(*namespace, *service);
            Ok(Address::Service { name, host })
        }
        // Shorter names lead to the same Service, and past what guards it if they were not known.
        [service, namespace] => {
            let name = ObjectName::new(*namespace, *service);
            Ok(shorter(world, name, host.clone()))
        }
        [service] => Ok(shorter(world, ObjectName::new(own, *service), host.clone())),
        _ => Ok(Address::Host(host)),
    }
}

/// The Service that a shorter name leads to, where there is one.
fn shorter(world: &Index<'_>, name: ObjectName, host: String) -> Address {
    match world.service(&name) {
        Some(_) => Address::Service { name, host },
        None => Address::Host(host),
    }
}

/// The port of a Service, or the id and the line that say why the target is down.
pub(super) fn service_port<'a>(
    world: &Index<'a>,
    name: &ObjectName,
    number: i32,
) -> Result<&'a ServicePort, (&'static str, String)> {
    let Some(service) = world.service(name) else {
        let message = format!("there is no Service {name}; the target is down until there is");
        return Err(("target.service-unknown", message));
    };
    let mut ports = service.value.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    ports.find(|port| port.port == number).ok_or_else(|| {
        let message = format!("Service {name} has no port {number}; the target is down");
        ("target.port-unknown", message)
    })
}

/// The URL of a Service's port.
pub(in crate::translate) fn service_url(
    world: &Index<'_>,
    name: &ObjectName,
    port: i32,
    path: &str,
) -> String {
    format!("http://{}:{port}{path}", service_host(world, name))
}

fn service_host(world: &Index<'_>, name: &ObjectName) -> String {
    format!("{}.{}.svc.{}", name.name, name.namespace, world.settings.cluster_domain)
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
