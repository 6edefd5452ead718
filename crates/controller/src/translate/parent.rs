//! The parents of routes: which listeners of our Gateways take a route, and what to say of a parent
//! that does not.

use std::collections::BTreeMap;

use config::Diagnostic;
use gateway_api::httproutes::{HttpRoute, HttpRouteParentRefs};

use crate::hostname;
use crate::object::{About, Object, ObjectName};
use crate::status::reason::{self, kind};
use crate::status::{Condition, ParentStatus};
use crate::translate::faults::Faults;
use crate::translate::gateway::Served;
use crate::translate::index::Index;
use crate::translate::listener::Listener;

/// Our Gateways by name.
pub(super) type Gateways<'a> = BTreeMap<&'a ObjectName, &'a Served<'a>>;

/// A parent of a route that is a Gateway of ours.
pub(super) struct Parent<'a> {
    /// As the route writes it.
    pub(super) reference: &'a HttpRouteParentRefs,
    /// The listeners that take the route, or why there are none.
    pub(super) taken: Result<Vec<&'a Listener>, Refusal>,
}

/// Why a parent does not take a route.
pub(super) struct Refusal {
    reason: &'static str,
    message: String,
    id: &'static str,
}

/// The parents of a route that are ours. What is wrong with these and with the others is reported.
pub(super) fn parents<'a>(
    world: &Index<'_>,
    route: &'a Object<HttpRoute>,
    gateways: &Gateways<'a>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Parent<'a>> {
    let references = route.value.spec.parent_refs.as_deref().unwrap_or_default();
    if references.is_empty() {
        let message = "no parentRef names a Gateway; the route is not served";
        diagnostics.push(route.about.error("route.no-parent", "spec", message));
    }
    let mut parents = Vec::new();
    for (index, reference) in references.iter().enumerate() {
        let field = format!("spec.parentRefs[{index}]");
        let report = |id: &'static str, message: &str| {
            let message = format!("{message}; the route is not served there");
            route.about.error(id, &field, message)
        };
        match gateway(world, &route.about, reference, gateways) {
            Ok(gateway) => {
                let taken = takers(world, route, reference, gateway);
                if let Err(refusal) = &taken {
                    diagnostics.push(report(refusal.id, &refusal.message));
                }
                parents.push(Parent { reference, taken });
            }
            Err((id, message)) => diagnostics.push(report(id, &message)),
        }
    }
    parents
}

/// The Gateway of ours that a reference means, or why it means none.
fn gateway<'a>(
    world: &Index<'_>,
    route: &About,
    reference: &HttpRouteParentRefs,
    gateways: &Gateways<'a>,
) -> Result<&'a Served<'a>, (&'static str, String)> {
    let group = reference.group.as_deref().unwrap_or("gateway.networking.k8s.io");
    let kind = reference.kind.as_deref().unwrap_or("Gateway");
    if (group, kind) != ("gateway.networking.k8s.io", "Gateway") {
        return Err(("route.parent-kind", format!("a {kind} cannot take routes here")));
    }
    let namespace = reference.namespace.as_deref().unwrap_or(route.namespace());
    let name = ObjectName::new(namespace, &reference.name);
    if let Some(served) = gateways.get(&name) {
        return Ok(served);
    }
    Err(if world.gateway(&name).is_some() {
        ("route.parent-class", format!("Gateway {name} is not of a class served here"))
    } else {
        ("route.parent-unknown", format!("there is no Gateway {name}"))
    })
}

/// The listeners that a reference means and that take the route. Whether they are served is not
/// asked: the API counts a route as attached to one that is not.
fn takers<'a>(
    world: &Index<'_>,
    route: &Object<HttpRoute>,
    reference: &HttpRouteParentRefs,
    gateway: &'a Served<'a>,
) -> Result<Vec<&'a Listener>, Refusal> {
    let name = gateway.name();
    let is_meant = |listener: &&Listener| {
        let port = reference.port.is_none_or(|port| port == listener.port);
        let section = reference.section_name.as_ref();
        port && section.is_none_or(|section| *section == listener.section)
    };
    let mut listeners: Vec<&Listener> = gateway.listeners.iter().filter(is_meant).collect();
    if listeners.is_empty() {
        let message = format!("Gateway {name} has no such listener");
        let (reason, id) = (reason::NO_MATCHING_PARENT, "route.parent-listener");
        return Err(Refusal { reason, message, id });
    }
    let namespace = route.about.namespace();
    listeners.retain(|listener| listener.allows(world, namespace));
    if listeners.is_empty() {
        let message = format!(
            "Gateway {name} does not allow HTTPRoutes of namespace `{namespace}` (`allowedRoutes`)"
        );
        let (reason, id) = (reason::NOT_ALLOWED_BY_LISTENERS, "route.not-allowed");
        return Err(Refusal { reason, message, id });
    }
    listeners.retain(|listener| shares_a_host(listener, &route.value));
    if listeners.is_empty() {
        let message = "no listener of it has a hostname in common with the route".to_owned();
        let (reason, id) = (reason::NO_MATCHING_LISTENER_HOSTNAME, "route.hostname");
        return Err(Refusal { reason, message, id });
    }
    Ok(listeners)
}

/// Whether there is a host that is both the listener's and the route's. Which ones these are is
/// found out by `compile`.
fn shares_a_host(listener: &Listener, route: &HttpRoute) -> bool {
    let written = route.spec.hostnames.as_deref().unwrap_or_default();
    let Some(own) = &listener.hostname else { return true };
    written.is_empty() || written.iter().any(|host| hostname::intersect(own, host))
}

impl Parent<'_> {
    /// Whether it takes the route, whose rules have these faults.
    pub(super) fn accepts(&self, faults: &Faults) -> bool {
        self.taken.is_ok() && faults.refusal().is_none()
    }

    /// What is to be said of it in the route.
    pub(super) fn status(&self, faults: &Faults) -> ParentStatus {
        let accepted = match (&self.taken, faults.refusal()) {
            (Err(refusal), _) => {
                Condition::fails(kind::ACCEPTED, refusal.reason, refusal.message.as_str())
            }
            (Ok(_), Some((reason, message))) => {
                Condition::fails(kind::ACCEPTED, reason, format!("no rule is served: {message}"))
            }
            (Ok(_), None) => Condition::holds(kind::ACCEPTED, reason::ACCEPTED),
        };
        let mut conditions = vec![accepted, faults.resolved_refs()];
        if self.taken.is_ok() {
            conditions.extend(faults.partially_invalid());
        }
        ParentStatus { parent_ref: self.reference.clone(), conditions }
    }
}
