//! References from routes to what serves them, and whether they may cross namespaces.

use config::Close;
use gateway_api::httproutes::HttpRouteRulesBackendRefs;

use crate::object::{About, ObjectName};
use crate::translate::shape::{backend_name, kgateway_backend_name};
use crate::world::World;

const GATEWAY_API: &str = "gateway.networking.k8s.io";

/// What a reference leads to: the name of a backend of the document, or the reason why it leads
/// nowhere.
pub(super) fn resolve(
    world: &World,
    route: &About,
    reference: &HttpRouteRulesBackendRefs,
) -> Result<String, Close> {
    let group = reference.group.as_deref().unwrap_or_default();
    let kind = reference.kind.as_deref().unwrap_or("Service");
    let namespace = reference.namespace.as_deref().unwrap_or(route.namespace());
    let name = ObjectName::new(namespace, &reference.name);
    let (exists, served) = match (group, kind) {
        ("agentgateway.dev", "AgentgatewayBackend") => (
            world.backends.iter().any(|object| object.about.name == name),
            Some(backend_name(&name)),
        ),
        ("gateway.kgateway.dev", "Backend") => (
            world.kgateway_backends.iter().any(|object| object.about.name == name),
            Some(kgateway_backend_name(&name)),
        ),
        ("" | "core", "Service") => (world.service(&name).is_some(), None),
        _ => {
            let reason =
                format!("{kind} of group `{group}` is not a kind that a route can lead to");
            return Err(close("reference.kind", reason));
        }
    };
    if namespace != route.namespace() && !is_granted(world, route, group, kind, &name) {
        let reason = format!("no ReferenceGrant lets it refer to {kind} {name}");
        return Err(close("reference.not-permitted", reason));
    }
    if !exists {
        return Err(close("reference.unknown", format!("there is no {kind} {name}")));
    }
    let reason =
        format!("it leads to Service {name}, and ordinary HTTP servers are not served yet");
    served.ok_or_else(|| close("reference.not-built", reason))
}

fn close(id: &str, reason: String) -> Close {
    Close { id: id.to_owned(), reason }
}

fn is_granted(world: &World, route: &About, group: &str, kind: &str, name: &ObjectName) -> bool {
    world.grants.iter().filter(|grant| grant.about.namespace() == name.namespace).any(|grant| {
        let from = grant.value.spec.from.iter().any(|from| {
            from.group == GATEWAY_API
                && from.kind == "HTTPRoute"
                && from.namespace == route.namespace()
        });
        let to = grant.value.spec.to.iter().any(|to| {
            let named = to.name.as_deref().filter(|named| !named.is_empty());
            to.group == group && to.kind == kind && named.is_none_or(|named| named == name.name)
        });
        from && to
    })
}
