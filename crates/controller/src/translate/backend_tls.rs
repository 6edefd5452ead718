//! What is to be said of BackendTLSPolicies: for each of our Gateways through which their Services are
//! reached, and nowhere else.

use std::collections::{BTreeMap, BTreeSet};

use gateway_api::httproutes::{HttpRoute, HttpRouteRulesBackendRefs};

use crate::object::{Object, ObjectName};
use crate::policy::{AttachedPolicy, Attachment, Finding, said};
use crate::status::reason::{self, kind};
use crate::status::{
    Ancestor, AncestorStatus, BackendOutcome, Condition, ConditionStatus, Statuses,
};
use crate::translate::connection::materials;
use crate::translate::guard::{MOST_ANCESTORS, Overruled};
use crate::translate::index::Index;

/// The field whose references are resolved.
const AUTHORITIES: &str = "validation.caCertificateRefs";

/// The Gateways through which each Service is reached.
type Reached = BTreeMap<ObjectName, BTreeSet<ObjectName>>;

/// Every BackendTLSPolicy, by the Gateways of ours that it matters to. `statuses` is what is said of
/// all other objects, `overruled` what older policies of any kind say of its Services.
pub(super) fn statuses(
    world: &Index<'_>,
    statuses: &Statuses,
    overruled: &Overruled,
) -> BTreeMap<ObjectName, Vec<AncestorStatus>> {
    let of_our_kind = |policy: &&Object<AttachedPolicy>| policy.about.kind == "BackendTLSPolicy";
    let policies: Vec<_> = world.world.policies.iter().filter(of_our_kind).collect();
    if policies.is_empty() {
        return BTreeMap::new();
    }
    let reached = reached(&world.world.routes, statuses);
    let nothing = BTreeMap::new();
    let of_policy = |policy: &Object<AttachedPolicy>| {
        let overruled = overruled.get(&policy.about.name).unwrap_or(&nothing);
        let conditions = conditions(world, policy);
        (policy.about.name.clone(), ancestors(policy, &conditions, overruled, &reached))
    };
    policies.into_iter().map(of_policy).collect()
}

/// What is to be said of a policy, whatever leads to its Services and whoever else speaks of them.
fn conditions(world: &Index<'_>, policy: &Object<AttachedPolicy>) -> Vec<Condition> {
    let rules = &policy.value.rules;
    let resolved = Condition::holds(kind::RESOLVED_REFS, reason::RESOLVED_REFS);
    let of_authorities = |finding: &&Finding| finding.field.starts_with(AUTHORITIES);
    if let Some(wrong) = rules.closing.iter().find(of_authorities) {
        return without_authorities(reason::INVALID_KIND, &wrong.message);
    }
    if !rules.closing.is_empty() {
        let message = format!("{}; its Services are closed", said(&rules.closing));
        return vec![Condition::fails(kind::ACCEPTED, reason::INVALID, message), resolved];
    }
    match materials(world, &rules.connection) {
        Ok(_) => vec![Condition::holds(kind::ACCEPTED, reason::ACCEPTED), resolved],
        Err(finding) => without_authorities(reason::INVALID_CA_CERTIFICATE_REF, &finding.message),
    }
}

fn without_authorities(reason: &'static str, message: &str) -> Vec<Condition> {
    let closed = format!("{message}; its Services are closed");
    vec![
        Condition::fails(kind::ACCEPTED, reason::NO_VALID_CA_CERTIFICATE, closed),
        Condition::fails(kind::RESOLVED_REFS, reason, message),
    ]
}

/// The Services that a policy is attached to, and the parts of them that are meant.
fn services_of(
    policy: &Object<AttachedPolicy>,
) -> impl Iterator<Item = (ObjectName, Option<String>)> {
    policy.value.attachments.iter().filter_map(|attachment| match attachment {
        Attachment::Name(target) => {
            let name = ObjectName::new(policy.about.namespace(), &target.name);
            Some((name, target.section_name.clone()))
        }
        Attachment::Labels(_) | Attachment::Anything => None,
    })
}

/// How it fares with each Gateway through which one of its Services is reached. What closes, closes whatever
/// others say.
fn ancestors(
    policy: &Object<AttachedPolicy>,
    conditions: &[Condition],
    overruled: &BTreeMap<ObjectName, String>,
    reached: &Reached,
) -> Vec<AncestorStatus> {
    let mut gateways: BTreeMap<&ObjectName, BTreeSet<ObjectName>> = BTreeMap::new();
    for (service, _) in services_of(policy) {
        for gateway in reached.get(&service).into_iter().flatten() {
            gateways.entry(gateway).or_default().insert(service.clone());
        }
    }
    let ancestor = |(gateway, services): (&ObjectName, BTreeSet<ObjectName>)| {
        let mut conditions = conditions.to_vec();
        let conflicts = services.iter().filter_map(|service| {
            overruled.get(service).map(|message| format!("Service {service}: {message}"))
        });
        let conflicts: Vec<String> = conflicts.collect();
        if let Some(accepted) = conditions.first_mut()
            && accepted.status == ConditionStatus::True
            && !conflicts.is_empty()
        {
            let message = conflicts.join("; ");
            *accepted = match conflicts.len() == services.len() {
                true => Condition::fails(kind::ACCEPTED, reason::CONFLICTED, message),
                false => Condition {
                    message,
                    ..Condition::holds(kind::ACCEPTED, reason::PARTIALLY_VALID)
                },
            };
        }
        AncestorStatus {
            ancestor_ref: Ancestor {
                group: "gateway.networking.k8s.io".to_owned(),
                kind: "Gateway".to_owned(),
                namespace: gateway.namespace.clone(),
                name: gateway.name.clone(),
                section_name: None,
            },
            conditions,
        }
    };
    gateways.into_iter().take(MOST_ANCESTORS).map(ancestor).collect()
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
