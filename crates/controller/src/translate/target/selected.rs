//! Targets that a selector finds: every port of every selected Service whose `appProtocol` says
//! MCP.

use config::document::{Target, Transport};
use config::{Close, Diagnostic};
use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::endpoints;
use crate::object::{About, Object};
use crate::selector::{self, SelectorError};
use crate::translate::action::closed;
use crate::translate::guard::{Guarded, Guards};
use crate::translate::section;
use crate::translate::shape::Entry;
use crate::translate::target::Candidate;
use crate::translate::target::address::{service_url, written_path};
use crate::translate::target_name::{self, Claim, Rank};
use crate::world::World;

const NAME: &str = "agentgateway.dev/mcp-target-name";
const PATHS: [&str; 2] = ["agentgateway.dev/mcp-path", "kgateway.dev/mcp-path"];

/// Which namespaces, and which Services there.
type Selectors<'a> = (Option<&'a LabelSelector>, Option<&'a LabelSelector>);

/// The targets of an entry's selectors: those of the backend's own namespace first, then the oldest
/// Service first (in files the one that is written first), its ports as they are written.
pub(super) fn candidates(
    world: &World,
    backend: &About,
    entry: &Entry<'_>,
    selectors: Selectors<'_>,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Candidate> {
    let mut services = match select(world, backend, selectors) {
        Ok(services) => services,
        Err(error) => {
            let message = format!("{error}; it selects nothing");
            diagnostics.push(backend.error("target.selector", &entry.field, message));
            return Vec::new();
        }
    };
    let is_other = |service: &Object<Service>| service.about.namespace() != backend.namespace();
    services.sort_by(|left, right| {
        is_other(left).cmp(&is_other(right)).then_with(|| left.about.by_arrival(&right.about))
    });
    let mut candidates = Vec::new();
    for service in services {
        for port in service.value.spec.iter().flat_map(|spec| spec.ports.iter().flatten()) {
            let Some(transport) = transport(port) else { continue };
            let mut candidate = candidate(backend, entry, service, port, transport, diagnostics);
            candidate.target.close = close(service, port, guards, diagnostics);
            candidates.push(candidate);
        }
    }
    if candidates.is_empty() {
        let message = "no Service has these labels and a port whose `appProtocol` says MCP";
        diagnostics.push(backend.warning("target.none-selected", &entry.field, message));
    }
    candidates
}

fn select<'a>(
    world: &'a World,
    backend: &About,
    (namespaces, services): Selectors<'_>,
) -> Result<Vec<&'a Object<Service>>, SelectorError> {
    let everything = LabelSelector::default();
    let services = services.unwrap_or(&everything);
    let mut selected = Vec::new();
    for service in &world.services {
        let namespace = service.about.namespace();
        let in_namespace = match namespaces {
            Some(namespaces) => selector::matches(namespaces, &world.namespace_labels(namespace))?,
            None => namespace == backend.namespace(),
        };
        let labelled = selector::matches(services, &service.about.labels())?;
        if in_namespace && labelled {
            selected.push(service);
        }
    }
    Ok(selected)
}

/// How a port speaks MCP, if it says that it does.
fn transport(port: &ServicePort) -> Option<Transport> {
    match port.app_protocol.as_deref()? {
        "agentgateway.dev/mcp" | "kgateway.dev/mcp" => Some(Transport::Streamable),
        "agentgateway.dev/mcp-sse" | "kgateway.dev/mcp-sse" => Some(Transport::Sse),
        _ => None,
    }
}

fn candidate(
    backend: &About,
    entry: &Entry<'_>,
    service: &Object<Service>,
    port: &ServicePort,
    transport: Transport,
    diagnostics: &mut Vec<Diagnostic>,
) -> Candidate {
    let about = &service.about;
    let path = PATHS.iter().find_map(|key| about.annotation(key));
    let target = Target {
        url: Some(service_url(&about.name, port.port, &written_path(path, transport))),
        transport: (transport == Transport::Sse).then_some(transport),
        endpoints: Some(endpoints::key(&about.name, port.port)),
        ..Target::default()
    };
    let rank = if about.namespace() == backend.namespace() { Rank::Own } else { Rank::Other };
    let claim = Claim {
        wanted: wanted_name(about, port, diagnostics),
        rank,
        namespace: about.namespace().to_owned(),
        port: port.port,
    };
    Candidate { claim, target, field: entry.field.clone(), place: about.place("") }
}

/// The name in the annotation, or `<service>-<port name>`, or `<service>-<port number>`.
fn wanted_name(about: &About, port: &ServicePort, diagnostics: &mut Vec<Diagnostic>) -> String {
    let written = about.annotation(NAME);
    if let Some(name) = written.filter(|name| target_name::is_valid(name)) {
        return name.to_owned();
    }
    let port_name = port.name.as_deref().filter(|name| !name.is_empty());
    let name = match port_name {
        Some(port) => format!("{}-{port}", about.name.name),
        None => format!("{}-{}", about.name.name, port.port),
    };
    if let Some(written) = written {
        let message = format!(
            "`{written}` cannot be a target's name: lower case letters, digits, `-` and `.`; it \
             is called `{name}`"
        );
        let field = format!("metadata.annotations.{NAME}");
        diagnostics.push(about.error("target.name", &field, message));
    }
    name
}

/// What keeps a Service's port shut, reported on the Service.
fn close(
    service: &Object<Service>,
    port: &ServicePort,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Close> {
    let sections = section::of_port(port.port, Some(port));
    let close = guards.part(Guarded::Service, &service.about.name, &sections)?;
    let diagnostic = service.about.error("target.closed", "spec.ports", closed(close));
    if !diagnostics.contains(&diagnostic) {
        diagnostics.push(diagnostic);
    }
    Some(close.clone())
}
