//! References from routes to what serves them, and whether they may cross namespaces.

use config::Close;
use gateway_api::httproutes::HttpRouteRulesBackendRefs;

use crate::object::{About, ObjectName};
use crate::translate::grant::{self, Kind, Referent};
use crate::translate::index::Index;
use crate::translate::shape::{backend_name, kgateway_backend_name};

/// The ids of what keeps a reference from leading anywhere.
pub(super) const KIND: &str = "reference.kind";
pub(super) const NOT_PERMITTED: &str = "reference.not-permitted";
pub(super) const UNKNOWN: &str = "reference.unknown";
/// The id of what keeps a reference shut that resolves, and is to a kind that is not served yet.
pub(super) const NOT_BUILT: &str = "reference.not-built";

/// What a reference leads to: the name of a backend of the document, or the reason why it leads
/// nowhere.
pub(super) fn resolve(
    world: &Index<'_>,
    route: &About,
    reference: &HttpRouteRulesBackendRefs,
) -> Result<String, Close> {
    let group = reference.group.as_deref().unwrap_or_default();
    let kind = reference.kind.as_deref().unwrap_or("Service");
    let namespace = reference.namespace.as_deref().unwrap_or(route.namespace());
    let name = ObjectName::new(namespace, &reference.name);
    let (exists, served) = match (group, kind) {
        ("agentgateway.dev", "AgentgatewayBackend") => {
            (world.has_backend(&name), Some(backend_name(&name)))
        }
        ("gateway.kgateway.dev", "Backend") => {
            (world.has_kgateway_backend(&name), Some(kgateway_backend_name(&name)))
        }
        ("" | "core", "Service") => (world.service(&name).is_some(), None),
        _ => {
            let reason =
                format!("{kind} of group `{group}` is not a kind that a route can lead to");
            return Err(close(KIND, reason));
        }
    };
    let referent = Referent { group, kind, name: &name };
    if !grant::is_permitted(world, Kind::ROUTE, route.namespace(), referent) {
        let reason = format!("no ReferenceGrant lets it refer to {kind} {name}");
        return Err(close(NOT_PERMITTED, reason));
    }
    if !exists {
        return Err(close(UNKNOWN, format!("there is no {kind} {name}")));
    }
    let reason =
        format!("it leads to Service {name}, and ordinary HTTP servers are not served yet");
    served.ok_or_else(|| close(NOT_BUILT, reason))
}

fn close(id: &str, reason: String) -> Close {
    Close { id: id.to_owned(), reason }
}
