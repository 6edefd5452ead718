//! What is to be said of objects of ours of which nothing can be used. What was said of their parts stays beside
//! it: the names of a Backend's targets are its own until it is mended.

use serde_json::Value;

use crate::kind::Kind;
use crate::object::ObjectName;
use crate::status::Condition;
use crate::status::reason::{self, kind};
use crate::stores::Stored;
use crate::wanted::{Sight, Wanted};
use crate::written::{self, PARENTS};

/// Every such status that is not yet as it should be.
pub(super) fn wanted(sight: &Sight<'_>) -> Vec<Wanted> {
    let mut all = Vec::new();
    let own = [Kind::GatewayClass, Kind::Gateway, Kind::AgentgatewayBackend, Kind::KgatewayBackend];
    for kind in own {
        for (name, stored) in sight.stores.undecodable(kind) {
            if is_ours(sight, kind, stored) {
                all.extend(of_its_own(sight, kind, name, stored));
            }
        }
    }
    for (name, stored) in sight.stores.undecodable(Kind::HttpRoute) {
        let conditions = conditions(stored);
        let parents = stored.refers_to.as_array().into_iter().flatten();
        let ours = parents.filter(|parent| leads_to_us(sight, name, parent));
        let entries: Vec<_> = ours.map(|one| (one.clone(), conditions.as_slice())).collect();
        all.extend(sight.shared(Kind::HttpRoute, name, &PARENTS, &entries));
    }
    all
}

/// Conditions take the place of those that are there; the rest of the status stays.
fn of_its_own(sight: &Sight<'_>, kind: Kind, name: &ObjectName, stored: &Stored) -> Option<Wanted> {
    let mut said = conditions(stored);
    if kind == Kind::Gateway {
        let message = "the Gateway is not accepted";
        said.push(Condition::fails(kind::PROGRAMMED, reason::INVALID, message));
    }
    let wanted = sight.own(kind, name, |stored, moment| {
        let before = stored.status.get("conditions").unwrap_or(&Value::Null);
        let mut status = stored.status.as_object().cloned().unwrap_or_default();
        status.insert("conditions".to_owned(), written::conditions(&said, before, moment));
        Value::Object(status)
    })?;
    match kind {
        Kind::AgentgatewayBackend | Kind::KgatewayBackend => Some(sight.of_backend(wanted, &said)),
        _ => Some(wanted),
    }
}

fn conditions(stored: &Stored) -> Vec<Condition> {
    let fault = stored.fault().unwrap_or_default();
    vec![Condition::fails(kind::ACCEPTED, reason::INVALID, fault)]
}

/// Backends are whoever's they are; a class and a Gateway say whose.
fn is_ours(sight: &Sight<'_>, kind: Kind, stored: &Stored) -> bool {
    let named = stored.refers_to.as_str().unwrap_or_default();
    match kind {
        Kind::GatewayClass => named == sight.controller,
        Kind::Gateway => sight.statuses.classes.keys().any(|class| class.name == named),
        _ => true,
    }
}

/// Whether a parent of a route is one of our Gateways.
fn leads_to_us(sight: &Sight<'_>, route: &ObjectName, parent: &Value) -> bool {
    let text = |field: &str| parent.get(field).and_then(Value::as_str);
    let namespace = text("namespace").unwrap_or(&route.namespace);
    let gateway = ObjectName::new(namespace, text("name").unwrap_or_default());
    matches!(text("kind"), None | Some("Gateway")) && sight.statuses.gateways.contains_key(&gateway)
}
