//! References from routes to what serves them, and whether they may cross namespaces.

use config::Close;
use config::document::{Service, ServiceProtocol};
use gateway_api::httproutes::HttpRouteRulesBackendRefs;
use k8s_openapi::api::core::v1::ServicePort;

use crate::endpoints;
use crate::object::{About, ObjectName};
use crate::translate::attached::Levels;
use crate::translate::connection;
use crate::translate::grant::{self, Kind, Referent};
use crate::translate::guard::{Guarded, Guards};
use crate::translate::index::Index;
use crate::translate::planned::PlannedService;
use crate::translate::section;
use crate::translate::shape::{backend_name, kgateway_backend_name};
use crate::translate::target::service_url;

/// The ids of what keeps a reference from leading anywhere.
pub(super) const KIND: &str = "reference.kind";
pub(super) const NOT_PERMITTED: &str = "reference.not-permitted";
pub(super) const UNKNOWN: &str = "reference.unknown";
pub(super) const PROTOCOL: &str = "reference.protocol";

/// What a reference leads to.
#[derive(Clone)]
pub(super) enum Led {
    /// The backend of this name.
    Backend(String),
    /// The ordinary HTTP server of this name that a backend is.
    Static(String),
    /// The port of a Service.
    Service(Box<PlannedService>),
}

/// Why a reference leads nowhere.
#[derive(Clone)]
pub(super) enum Nowhere {
    /// To what speaks MCP, or was to: its requests get 503.
    Closed(Close),
    /// To anything else: its requests get 500, as the Gateway API asks.
    Failed(Close),
}

impl Nowhere {
    pub(super) fn close(&self) -> &Close {
        match self {
            Self::Closed(close) | Self::Failed(close) => close,
        }
    }
}

/// What a reference leads to, or the reason why it leads nowhere.
pub(super) fn resolve(
    world: &Index<'_>,
    guards: &Guards,
    route: &About,
    reference: &HttpRouteRulesBackendRefs,
) -> Result<Led, Nowhere> {
    let group = reference.group.as_deref().unwrap_or_default();
    let kind = reference.kind.as_deref().unwrap_or("Service");
    let namespace = reference.namespace.as_deref().unwrap_or(route.namespace());
    let name = ObjectName::new(namespace, &reference.name);
    let is_ours = match (group, kind) {
        ("agentgateway.dev", "AgentgatewayBackend") | ("gateway.kgateway.dev", "Backend") => true,
        ("" | "core", "Service") => false,
        _ => {
            let reason =
                format!("{kind} of group `{group}` is not a kind that a route can lead to");
            return Err(Nowhere::Failed(close(KIND, reason)));
        }
    };
    let nowhere = |id: &str, reason: String| match is_ours {
        true => Nowhere::Closed(close(id, reason)),
        false => Nowhere::Failed(close(id, reason)),
    };
    let referent = Referent { group, kind, name: &name };
    if !grant::is_permitted(world, Kind::ROUTE, route.namespace(), referent) {
        let reason = format!("no ReferenceGrant lets it refer to {kind} {name}");
        return Err(nowhere(NOT_PERMITTED, reason));
    }
    let unknown = || nowhere(UNKNOWN, format!("there is no {kind} {name}"));
    match kind {
        "AgentgatewayBackend" => {
            let backend = world.backend(&name).ok_or_else(unknown)?;
            let document_name = backend_name(&name);
            Ok(match backend.value.spec.static_ {
                Some(_) => Led::Static(document_name),
                None => Led::Backend(document_name),
            })
        }
        "Backend" if world.has_kgateway_backend(&name) => {
            Ok(Led::Backend(kgateway_backend_name(&name)))
        }
        "Backend" => Err(unknown()),
        _ => {
            world.service(&name).ok_or_else(unknown)?;
            let served = service(world, guards, route, &name, reference.port)?;
            Ok(Led::Service(Box::new(served)))
        }
    }
}

/// The port of a Service, as an ordinary HTTP server.
fn service(
    world: &Index<'_>,
    guards: &Guards,
    route: &About,
    name: &ObjectName,
    number: Option<i32>,
) -> Result<PlannedService, Nowhere> {
    let failed = |id: &str, reason: String| Nowhere::Failed(close(id, reason));
    let Some(number) = number else {
        return Err(failed(UNKNOWN, format!("a reference to Service {name} names a `port`")));
    };
    let object = world.service(name);
    let spec = object.and_then(|service| service.value.spec.as_ref());
    let mut ports = spec.into_iter().flat_map(|spec| spec.ports.iter().flatten());
    let Some(port) = ports.find(|port| port.port == number) else {
        return Err(failed(UNKNOWN, format!("Service {name} has no port {number}")));
    };
    let key = endpoints::key(name, number);
    let sections = section::of_port(number, Some(port));
    let of_service = guards.levels(Guarded::Service, name, &sections);
    let namespace = route.namespace();
    if let Some(close) = connection::foreign_fault(world, Kind::ROUTE, namespace, &of_service) {
        return Err(Nowhere::Closed(close));
    }
    let levels = [Levels::default(), of_service];
    let connection = connection::of_server(&[], levels);
    let guard = guards.part(Guarded::Service, name, &sections).cloned();
    let service = Service {
        name: key.clone(),
        url: service_url(world, name, number, ""),
        endpoints: Some(key),
        protocol: protocol(name, port, connection.tls.is_some()).map_err(Nowhere::Failed)?,
        close: guard.or_else(|| connection::service_fault(world, &connection)),
        ..Service::default()
    };
    Ok(PlannedService { service, connection })
}

/// What is spoken to a port (Kubernetes, "Application protocol").
fn protocol(
    name: &ObjectName,
    port: &ServicePort,
    has_tls: bool,
) -> Result<ServiceProtocol, Close> {
    match port.app_protocol.as_deref() {
        Some("kubernetes.io/h2c") => Ok(ServiceProtocol::Http2),
        Some(wss @ "kubernetes.io/wss") if !has_tls => {
            let reason = format!(
                "Service {name} asks for `{wss}`, and nothing says how its certificate is checked: \
                 write a BackendTLSPolicy"
            );
            Err(close(PROTOCOL, reason))
        }
        _ => Ok(ServiceProtocol::Http1),
    }
}

fn close(id: &str, reason: String) -> Close {
    Close { id: id.to_owned(), reason }
}
