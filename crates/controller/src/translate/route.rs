//! Routes: what answers each of their rules on the listeners that take them, and how they fare.

use std::collections::{BTreeMap, BTreeSet};

use config::document::Match;
use config::{Close, Diagnostic, Place};
use gateway_api::httproutes::{HttpRoute, HttpRouteRules};

use crate::object::{Object, ObjectName};
use crate::status::ParentStatus;
use crate::translate::action::{Answer, Reading, answer};
use crate::translate::attached::Levels;
use crate::translate::closed::closed;
use crate::translate::faults::Faults;
use crate::translate::gateway::Served;
use crate::translate::guard::{Guarded, Guards};
use crate::translate::index::Index;
use crate::translate::listener::Listener;
use crate::translate::matches::matches;
use crate::translate::parent::{Gateways, Parent, parents};
use crate::translate::section;

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
    pub(super) answer: Answer,
    /// Where the rule was written.
    pub(super) place: Option<Place>,
}

/// All routes of a world.
#[derive(Default)]
pub(super) struct Routes {
    /// All their rules in the order in which they win ties: the oldest route first, then by
    /// namespace and name, then as written.
    pub(super) rules: Vec<Route>,
    /// How many routes each listener has, by its name in the document.
    pub(super) attached: BTreeMap<String, i32>,
    /// What is to be said of each route.
    pub(super) statuses: BTreeMap<ObjectName, Vec<ParentStatus>>,
}

/// Listeners that have the same guard and the same policies.
struct Group {
    close: Option<Close>,
    policies: Levels,
    listeners: Vec<(String, ObjectName)>,
}

pub(super) fn routes(
    world: &Index<'_>,
    gateways: &[Served<'_>],
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Routes {
    let mut objects: Vec<&Object<HttpRoute>> = world.world.routes.iter().collect();
    objects.sort_by(|left, right| left.about.by_age(&right.about));
    let gateways: Gateways<'_> = gateways.iter().map(|served| (served.name(), served)).collect();
    let mut routes = Routes::default();
    for object in objects {
        let parents = parents(world, object, &gateways, diagnostics);
        let groups = groups(&parents);
        let written = object.value.spec.rules.as_deref().unwrap_or_default();
        let implied = [HttpRouteRules::default()];
        let written = if written.is_empty() { implied.as_slice() } else { written };
        let mut faults = Faults::of(written.len());
        for (index, rule) in written.iter().enumerate() {
            let rules = rule_routes(
                world,
                object,
                (index, rule),
                &groups,
                guards,
                &mut faults,
                diagnostics,
            );
            routes.rules.extend(rules);
        }
        routes.count(&parents, &faults);
        let statuses = parents.iter().map(|parent| parent.status(&faults)).collect();
        routes.statuses.insert(object.about.name.clone(), statuses);
    }
    routes
}

impl Routes {
    /// Counts a route on each listener that takes it, once.
    fn count(&mut self, parents: &[Parent<'_>], faults: &Faults) {
        let accepting = parents.iter().filter(|parent| parent.accepts(faults));
        let listeners = accepting.filter_map(|parent| parent.taken.as_ref().ok()).flatten();
        let names: BTreeSet<&str> = listeners.map(|listener| listener.name.as_str()).collect();
        for name in names {
            *self.attached.entry(name.to_owned()).or_default() += 1;
        }
    }
}

fn rule_routes(
    world: &Index<'_>,
    object: &Object<HttpRoute>,
    (index, rule): (usize, &HttpRouteRules),
    groups: &[Group],
    guards: &Guards,
    faults: &mut Faults,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Route> {
    let route = &object.about;
    let hostnames = object.value.spec.hostnames.as_deref().unwrap_or_default();
    let field = format!("spec.rules[{index}]");
    let name = format!("{}/{index}", route.name);
    let Some(matches) = matches(route, index, rule, faults, diagnostics) else {
        return Vec::new();
    };
    let sections = section::of_rule(rule);
    let guard = guards.part(Guarded::Route, &route.name, &sections);
    let policies = guards.levels(Guarded::Route, &route.name, &sections);
    if let Some(close) = guard {
        diagnostics.push(route.error("route.closed", &field, closed(close)));
    }
    let reading = Reading { world, guards, route };
    let answer = answer(&reading, &name, index, rule, faults, diagnostics);
    let several = groups.len() > 1;
    let mut routes = Vec::new();
    for group in groups {
        let first = group.listeners.first().map(|(listener, _)| listener.as_str());
        let answer = match guard.or(group.close.as_ref()) {
            Some(close) => Answer::closed(close.clone()),
            None => {
                let gateway = group.listeners.first().map(|(_, gateway)| gateway.to_string());
                let (gateway, route) = (gateway.unwrap_or_default(), route.name.to_string());
                // Policies name a rule by its name, wherever it stands among the others.
                let rule = match &rule.name {
                    Some(name) => format!("{route}/{name}"),
                    None => name.clone(),
                };
                let names = [&gateway, first.unwrap_or_default(), &route, &rule];
                let ([of_gateway, of_listener], [of_route, of_rule]) =
                    (group.policies.clone(), policies.clone());
                answer.clone().by(&[of_gateway, of_listener, of_route, of_rule], names)
            }
        };
        routes.push(Route {
            name: match first {
                Some(listener) if several => format!("{name}@{listener}"),
                _ => name.clone(),
            },
            listeners: group.listeners.clone(),
            hostnames: hostnames.to_vec(),
            matches: matches.clone(),
            answer,
            place: route.place(&field),
        });
    }
    routes
}

/// The listeners that take a route and are served, grouped by what guards them.
fn groups(parents: &[Parent<'_>]) -> Vec<Group> {
    let mut attached = BTreeSet::new();
    let mut groups: Vec<Group> = Vec::new();
    let taken = parents.iter().filter_map(|parent| parent.taken.as_ref().ok()).flatten();
    for listener in taken.filter(|listener| listener.is_served()) {
        if attached.insert(listener.name.as_str()) {
            join(&mut groups, listener);
        }
    }
    groups
}

fn join(groups: &mut Vec<Group>, listener: &Listener) {
    let member = (listener.name.clone(), listener.gateway.clone());
    let is_same =
        |group: &&mut Group| group.close == listener.close && group.policies == listener.policies;
    if let Some(group) = groups.iter_mut().find(is_same) {
        group.listeners.push(member);
        return;
    }
    let (close, policies) = (listener.close.clone(), listener.policies.clone());
    groups.push(Group { close, policies, listeners: vec![member] });
}
