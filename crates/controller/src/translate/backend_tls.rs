//! What is to be said of BackendTLSPolicies. They are not built and keep shut what they are attached
//! to; that is said for each of our Gateways through which it is reached, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use gateway_api::httproutes::{HttpRoute, HttpRouteRulesBackendRefs};

use crate::attached::{AttachedPolicy, Attachment};
use crate::object::{Object, ObjectName};
use crate::status::reason::{self, kind};
use crate::status::{Ancestor, AncestorStatus, BackendOutcome, Condition, Statuses};
use crate::translate::guard::MOST_ANCESTORS;

/// The Gateways through which each Service is reached.
type Reached = BTreeMap<ObjectName, BTreeSet<ObjectName>>;

/// Every BackendTLSPolicy, by the Gateways of ours that it matters to. `statuses` is what is said of
/// all other objects.
pub(super) fn statuses(
    policies: &[Object<AttachedPolicy>],
    routes: &[Object<HttpRoute>],
    statuses: &Statuses,
) -> BTreeMap<ObjectName, Vec<AncestorStatus>> {
    let of_our_kind = |policy: &&Object<AttachedPolicy>| policy.about.kind == "BackendTLSPolicy";
    let policies: Vec<&Object<AttachedPolicy>> = policies.iter().filter(of_our_kind).collect();
    if policies.is_empty() {
        return BTreeMap::new();
    }
    let reached = reached(routes, statuses);
    policies.iter().map(|policy| (policy.about.name.clone(), ancestors(policy, &reached))).collect()
}

fn ancestors(policy: &Object<AttachedPolicy>, reached: &Reached) -> Vec<AncestorStatus> {
    let mut shut: BTreeMap<&ObjectName, Vec<String>> = BTreeMap::new();
    for attachment in &policy.value.attachments {
        let Attachment::Name(target) = attachment else { continue };
        let service = ObjectName::new(policy.about.namespace(), &target.name);
        for gateway in reached.get(&service).into_iter().flatten() {
            shut.entry(gateway).or_default().push(service.to_string());
        }
    }
    let ancestor = |(gateway, services): (&ObjectName, Vec<String>)| AncestorStatus {
        ancestor_ref: Ancestor {
            group: "gateway.networking.k8s.io".to_owned(),
            kind: "Gateway".to_owned(),
            namespace: gateway.namespace.clone(),
            name: gateway.name.clone(),
            section_name: None,
        },
        conditions: vec![Condition::fails(
            kind::ACCEPTED,
            reason::INVALID,
            format!("not built yet; closed: Service {}", services.join(", ")),
        )],
    };
    shut.into_iter().take(MOST_ANCESTORS).map(ancestor).collect()
}

/// Through which Gateways each Service is reached, as a server of a route or as a target of a
/// backend.
fn reached(routes: &[Object<HttpRoute>], statuses: &Statuses) -> Reached {
    let mut reached = Reached::new();
    for route in routes {
        let namespace = route.about.namespace();
        let parents = statuses.routes.get(&route.about.name).into_iter().flatten();
        let gateways: Vec<ObjectName> = parents
            .map(|parent| {
                let written = parent.parent_ref.namespace.as_deref();
                ObjectName::new(written.unwrap_or(namespace), &parent.parent_ref.name)
            })
            .collect();
        let rules = route.value.spec.rules.iter().flatten();
        for reference in rules.flat_map(|rule| rule.backend_refs.iter().flatten()) {
            for service in services(namespace, reference, statuses) {
                reached.entry(service).or_default().extend(gateways.iter().cloned());
            }
        }
    }
    reached
}

/// The Services that a reference leads to.
fn services(
    namespace: &str,
    reference: &HttpRouteRulesBackendRefs,
    statuses: &Statuses,
) -> Vec<ObjectName> {
    let namespace = reference.namespace.as_deref().unwrap_or(namespace);
    let name = ObjectName::new(namespace, &reference.name);
    let backends = match reference.kind.as_deref() {
        None | Some("Service") => return vec![name],
        Some("AgentgatewayBackend") => &statuses.backends,
        Some(_) => &statuses.kgateway_backends,
    };
    backends.get(&name).map(targets).unwrap_or_default()
}

fn targets(outcome: &BackendOutcome) -> Vec<ObjectName> {
    let keys = outcome.targets.iter().filter_map(|target| target.service.as_deref());
    let service = |key: &str| {
        let (service, _) = key.rsplit_once(':')?;
        let (namespace, name) = service.split_once('/')?;
        Some(ObjectName::new(namespace, name))
    };
    keys.filter_map(service).collect()
}
