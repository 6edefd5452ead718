//! How a Gateway and its listeners fare.

use std::collections::BTreeMap;

use gateway_api::gateways::GatewayStatusListenersSupportedKinds;

use crate::status::reason::{self, kind};
use crate::status::{Condition, ConditionStatus, GatewayStatus, ListenerStatus};
use crate::translate::gateway::{Served, chosen_address, invalid_parameters};
use crate::translate::index::Index;
use crate::translate::listener::Listener;

/// What is to be said of a Gateway. `attached` is how many routes each listener has, by its name in
/// the document.
pub(in crate::translate) fn status(
    world: &Index<'_>,
    gateway: &Served<'_>,
    attached: &BTreeMap<String, i32>,
) -> GatewayStatus {
    let mut conditions = vec![accepted(world, gateway), resolved_refs(gateway)];
    if !gateway.is_in_force() {
        let message = "none of its listeners can be served";
        conditions.push(Condition::fails(kind::PROGRAMMED, reason::INVALID, message));
    }
    let listeners = gateway.listeners.iter().map(|listener| ListenerStatus {
        name: listener.section.clone(),
        attached_routes: attached.get(&listener.name).copied().unwrap_or_default(),
        supported_kinds: supported_kinds(listener),
        conditions: listener_conditions(listener),
    });
    GatewayStatus { conditions, listeners: listeners.collect() }
}

fn accepted(world: &Index<'_>, gateway: &Served<'_>) -> Condition {
    if let Some(message) = invalid_parameters(world, gateway.object) {
        return Condition::fails(kind::ACCEPTED, reason::INVALID_PARAMETERS, message);
    }
    if let Some(message) = chosen_address(gateway.object) {
        return Condition::fails(kind::ACCEPTED, reason::UNSUPPORTED_ADDRESS, message);
    }
    let names = |is_served: bool| {
        let listeners = gateway.listeners.iter();
        let listeners = listeners.filter(|listener| listener.is_well() == is_served);
        let names: Vec<String> =
            listeners.map(|listener| format!("`{}`", listener.section)).collect();
        names.join(", ")
    };
    match (names(true), names(false)) {
        (_, invalid) if invalid.is_empty() => Condition::holds(kind::ACCEPTED, reason::ACCEPTED),
        (served, invalid) if served.is_empty() => {
            let message = format!("no listener can be served: {invalid}");
            Condition::fails(kind::ACCEPTED, reason::LISTENERS_NOT_VALID, message)
        }
        (served, invalid) => Condition {
            kind: kind::ACCEPTED,
            status: ConditionStatus::True,
            reason: reason::LISTENERS_NOT_VALID,
            message: format!("not served: {invalid}; served: {served}"),
        },
    }
}

fn resolved_refs(gateway: &Served<'_>) -> Condition {
    let unresolved = gateway.listeners.iter().filter(|listener| listener.unresolved.is_some());
    let names: Vec<String> = unresolved.map(|listener| format!("`{}`", listener.section)).collect();
    if names.is_empty() {
        return Condition::holds(kind::RESOLVED_REFS, reason::RESOLVED_REFS);
    }
    let message = format!("references of listeners do not resolve: {}", names.join(", "));
    Condition::fails(kind::RESOLVED_REFS, reason::LISTENERS_NOT_RESOLVED, message)
}

fn supported_kinds(listener: &Listener) -> Vec<GatewayStatusListenersSupportedKinds> {
    let route = GatewayStatusListenersSupportedKinds {
        group: Some("gateway.networking.k8s.io".to_owned()),
        kind: "HTTPRoute".to_owned(),
    };
    if listener.takes_routes { vec![route] } else { Vec::new() }
}

fn listener_conditions(listener: &Listener) -> Vec<Condition> {
    let mut conditions = vec![
        match &listener.refusal {
            None => Condition::holds(kind::ACCEPTED, reason::ACCEPTED),
            Some(problem) => {
                Condition::fails(kind::ACCEPTED, problem.reason, problem.message.as_str())
            }
        },
        match &listener.conflict {
            None => Condition::fails(kind::CONFLICTED, reason::NO_CONFLICTS, ""),
            Some(problem) => Condition {
                status: ConditionStatus::True,
                ..Condition::fails(kind::CONFLICTED, problem.reason, problem.message.as_str())
            },
        },
        match &listener.unresolved {
            None => Condition::holds(kind::RESOLVED_REFS, reason::RESOLVED_REFS),
            Some(problem) => {
                Condition::fails(kind::RESOLVED_REFS, problem.reason, problem.message.as_str())
            }
        },
    ];
    if let Some(message) = &listener.overlap {
        conditions.push(Condition {
            kind: kind::OVERLAPPING_TLS_CONFIG,
            status: ConditionStatus::True,
            reason: reason::OVERLAPPING_HOSTNAMES,
            message: message.clone(),
        });
    }
    if !listener.is_well() || listener.lacks_certificates() {
        let message = "it cannot be served as it is written";
        conditions.push(Condition::fails(kind::PROGRAMMED, reason::INVALID, message));
    }
    conditions
}
