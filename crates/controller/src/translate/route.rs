//! Routes: which listeners take them, for which hosts, and what answers each of their rules.

use std::collections::BTreeSet;

use config::document::{Action, Backend, Match};
use config::{Close, Diagnostic, Place};
use gateway_api::gateways::Gateway;
use gateway_api::httproutes::{HttpRoute, HttpRouteParentRefs, HttpRouteRules};

use crate::hostname;
use crate::object::{About, Object, ObjectName};
use crate::translate::action::{Answer, answer, closed};
use crate::translate::guard::{Guarded, Guards};
use crate::translate::listener::Listener;
use crate::translate::matches::matches;
use crate::translate::section;
use crate::world::World;

/// One rule of a route, on the listeners where the same answers.
#[derive(Debug)]
pub(super) struct Route {
    /// What the document calls it: `namespace/route/rule`.
    pub(super) name: String,
    /// The listeners that it is served on, by their names in the document, and their Gateways.
    pub(super) listeners: Vec<(String, ObjectName)>,
    /// The hosts it is for; empty: any.
    pub(super) hostnames: Vec<String>,
    /// One of these has to hold; empty: any request.
    pub(super) matches: Vec<Match>,
    /// What answers.
    pub(super) action: Action,
    /// Closed backends that stand in for references that lead nowhere.
    pub(super) stand_ins: Vec<Backend>,
    /// Where the rule was written.
    pub(super) place: Option<Place>,
}

/// Listeners that have the same guard.
struct Group {
    close: Option<Close>,
    listeners: Vec<(String, ObjectName)>,
}

/// All rules of all routes in the order in which they win ties: the oldest route first, then by
/// namespace and name, then as written.
pub(super) fn routes(
    world: &World,
    gateways: &[&Object<Gateway>],
    listeners: &[Listener],
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Route> {
    let mut objects: Vec<&Object<HttpRoute>> = world.routes.iter().collect();
    objects.sort_by(|left, right| left.about.by_age(&right.about));
    let mut routes = Vec::new();
    for object in objects {
        let groups = groups(world, object, gateways, listeners, diagnostics);
        let rules = object.value.spec.rules.as_deref().unwrap_or_default();
        let implied = [HttpRouteRules::default()];
        let rules = if rules.is_empty() { implied.as_slice() } else { rules };
        for (index, rule) in rules.iter().enumerate() {
            routes.extend(rule_routes(world, object, index, rule, &groups, guards, diagnostics));
        }
    }
    routes
}

fn rule_routes(
    world: &World,
    object: &Object<HttpRoute>,
    index: usize,
    rule: &HttpRouteRules,
    groups: &[Group],
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Route> {
    let route = &object.about;
    let hostnames = object.value.spec.hostnames.as_deref().unwrap_or_default();
    let field = format!("spec.rules[{index}]");
    let name = format!("{}/{index}", route.name);
    let Some(matches) = matches(route, &field, rule, diagnostics) else { return Vec::new() };
    let guard = guards.part(Guarded::Route, &route.name, &section::of_rule(rule));
    if let Some(close) = guard {
        diagnostics.push(route.error("route.closed", &field, closed(close)));
    }
    let answer = answer(world, route, &name, &field, rule, diagnostics);
    let several = groups.len() > 1;
    let mut routes = Vec::new();
    for group in groups {
        let answer = match guard.or(group.close.as_ref()) {
            Some(close) => Answer::closed(close.clone()),
            None => Answer { action: answer.action.clone(), stand_ins: answer.stand_ins.clone() },
        };
        let first = group.listeners.first().map(|(listener, _)| listener.as_str());
        routes.push(Route {
            name: match first {
                Some(listener) if several => format!("{name}@{listener}"),
                _ => name.clone(),
            },
            listeners: group.listeners.clone(),
            hostnames: hostnames.to_vec(),
            matches: matches.clone(),
            action: answer.action,
            stand_ins: answer.stand_ins,
            place: route.place(&field),
        });
    }
    routes
}

/// The listeners that take a route, grouped by what guards them.
fn groups(
    world: &World,
    route: &Object<HttpRoute>,
    gateways: &[&Object<Gateway>],
    listeners: &[Listener],
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Group> {
    let parents = route.value.spec.parent_refs.as_deref().unwrap_or_default();
    if parents.is_empty() {
        let message = "no parentRef names a Gateway; the route is not served";
        diagnostics.push(route.about.error("route.no-parent", "spec", message));
    }
    let mut attached = BTreeSet::new();
    let mut groups: Vec<Group> = Vec::new();
    for (index, parent) in parents.iter().enumerate() {
        let taken = match takers(world, &route.about, parent, gateways, listeners) {
            Ok(taken) => taken,
            Err((id, message)) => {
                let field = format!("spec.parentRefs[{index}]");
                let message = format!("{message}; the route is not served there");
                diagnostics.push(route.about.error(id, &field, message));
                continue;
            }
        };
        let mut shares_host = false;
        for listener in taken {
            if !shares_a_host(listener, &route.value) {
                continue;
            }
            shares_host = true;
            if attached.insert(listener.name.clone()) {
                join(&mut groups, listener);
            }
        }
        if !shares_host {
            let field = format!("spec.parentRefs[{index}]");
            let message = "no listener of it has a hostname in common with the route; the route is \
                           not served there";
            diagnostics.push(route.about.error("route.hostname", &field, message));
        }
    }
    groups
}

/// The listeners that a parent reference means and that allow the route, or why there are none.
fn takers<'a>(
    world: &World,
    route: &About,
    parent: &HttpRouteParentRefs,
    gateways: &[&Object<Gateway>],
    listeners: &'a [Listener],
) -> Result<Vec<&'a Listener>, (&'static str, String)> {
    let group = parent.group.as_deref().unwrap_or("gateway.networking.k8s.io");
    let kind = parent.kind.as_deref().unwrap_or("Gateway");
    if (group, kind) != ("gateway.networking.k8s.io", "Gateway") {
        return Err(("route.parent-kind", format!("a {kind} cannot take routes here")));
    }
    let namespace = parent.namespace.as_deref().unwrap_or(route.namespace());
    let gateway = ObjectName::new(namespace, &parent.name);
    if !gateways.iter().any(|object| object.about.name == gateway) {
        let there = world.gateways.iter().any(|object| object.about.name == gateway);
        return Err(if there {
            ("route.parent-class", format!("Gateway {gateway} is not of a class served here"))
        } else {
            ("route.parent-unknown", format!("there is no Gateway {gateway}"))
        });
    }
    let meant: Vec<&Listener> = listeners
        .iter()
        .filter(|listener| listener.gateway == gateway)
        .filter(|listener| parent.port.is_none_or(|port| port == i32::from(listener.port)))
        .filter(|listener| {
            parent.section_name.as_ref().is_none_or(|section| *section == listener.section)
        })
        .collect();
    if meant.is_empty() {
        let message = format!("Gateway {gateway} has no such listener");
        return Err(("route.parent-listener", message));
    }
    let taken: Vec<&Listener> =
        meant.into_iter().filter(|listener| listener.allows(world, route.namespace())).collect();
    if taken.is_empty() {
        let message = format!(
            "Gateway {gateway} does not allow HTTPRoutes of namespace `{}` (`allowedRoutes`)",
            route.namespace()
        );
        return Err(("route.not-allowed", message));
    }
    Ok(taken)
}

/// Whether there is a host that is both the listener's and the route's. Which ones these are is
/// found out by `compile`.
fn shares_a_host(listener: &Listener, route: &HttpRoute) -> bool {
    let written = route.spec.hostnames.as_deref().unwrap_or_default();
    let Some(own) = &listener.hostname else { return true };
    written.is_empty() || written.iter().any(|host| hostname::intersect(own, host))
}

fn join(groups: &mut Vec<Group>, listener: &Listener) {
    let member = (listener.name.clone(), listener.gateway.clone());
    if let Some(group) = groups.iter_mut().find(|group| group.close == listener.close) {
        group.listeners.push(member);
        return;
    }
    groups.push(Group { close: listener.close.clone(), listeners: vec![member] });
}
