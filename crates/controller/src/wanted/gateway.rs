//! What is to be said of a Gateway: when it is in force, and where it is reached.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::object::ObjectName;
use crate::outcome::Outcome;
use crate::status::reason::{self, kind};
use crate::status::{Condition, ConditionStatus, GatewayStatus};
use crate::stores::Stored;
use crate::wanted::Sight;
use crate::written::{self, Moment, found, text};

/// It is in force.
const PROGRAMMED: &str = "Programmed";
/// No address is known.
const ADDRESS_NOT_ASSIGNED: &str = "AddressNotAssigned";

/// How many of what proxies could not bring into force are named.
const MOST_FINDINGS: usize = 4;

/// What runs a Gateway, as it stands.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    /// What its objects are called.
    pub(crate) name: ObjectName,
    /// The version of its document that is published.
    pub(crate) version: String,
    /// How it went with its objects, once it was tried.
    pub(crate) outcome: Option<Outcome>,
    /// How many of its proxies are ready.
    pub(crate) ready: i32,
    /// The ports that it listens on.
    pub(crate) ports: BTreeMap<u16, &'static str>,
    /// Where it is reached.
    pub(crate) addresses: Vec<Address>,
    /// What the operator should know.
    pub(crate) notes: Vec<String>,
}

/// Where a Gateway is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    Ip(String),
    Hostname(String),
}

/// The `status` of a Gateway.
pub(super) fn status(
    sight: &Sight<'_>,
    name: &ObjectName,
    status: &GatewayStatus,
    run: Option<&Run>,
    stored: &Stored,
    moment: Moment,
) -> Value {
    let programmed = programmed(sight, name, status, run, stored, moment);
    let mut conditions = status.conditions.clone();
    if find(&conditions, kind::PROGRAMMED).is_none() {
        conditions.push(programmed.clone());
    }
    let current = |field: &str| stored.status.get(field).unwrap_or(&Value::Null);
    let listeners = status.listeners.iter().map(|listener| {
        let mut said = listener.conditions.clone();
        if find(&said, kind::PROGRAMMED).is_none() {
            said.push(of_listener(&programmed));
        }
        let before = found(current("listeners"), "name", &listener.name);
        let before = before.and_then(|before| before.get("conditions")).unwrap_or(&Value::Null);
        json!({
            "name": listener.name,
            "attachedRoutes": listener.attached_routes,
            "supportedKinds": listener.supported_kinds,
            "conditions": written::conditions(&said, before, moment),
        })
    });
    let addresses = run.into_iter().flat_map(|run| &run.addresses).map(address);
    json!({
        "addresses": addresses.collect::<Vec<_>>(),
        "conditions": written::conditions(&conditions, current("conditions"), moment),
        "listeners": listeners.collect::<Vec<_>>(),
    })
}

/// Whether the Gateway is in force: a ready proxy serves what it says now, and somebody can reach it.
fn programmed(
    sight: &Sight<'_>,
    name: &ObjectName,
    status: &GatewayStatus,
    run: Option<&Run>,
    stored: &Stored,
    moment: Moment,
) -> Condition {
    let fails = |reason, message: String| Condition::fails(kind::PROGRAMMED, reason, message);
    if find(&status.conditions, kind::ACCEPTED)
        .is_some_and(|one| one.status == ConditionStatus::False)
    {
        return fails(reason::INVALID, "the Gateway is not accepted".to_owned());
    }
    let Some(run) = run else {
        return fails(reason::INVALID, "none of its listeners can be served".to_owned());
    };
    match &run.outcome {
        Some(Outcome::Foreign(object)) => {
            let message = format!(
                "{object} exists and was not made for this Gateway; it is left as it is. Rename \
                 the Gateway, or remove the object"
            );
            return fails(reason::INVALID, message);
        }
        Some(Outcome::Failed(why)) => {
            return fails(reason::PENDING, format!("the API server refuses what runs it: {why}"));
        }
        Some(Outcome::Applied | Outcome::Unheard(_) | Outcome::NotLeading) | None => {}
    }
    let before =
        found(stored.status.get("conditions").unwrap_or(&Value::Null), "type", kind::PROGRAMMED);
    // Proxies that are away for a moment still serve what they said they serve.
    let was_in_force = before.is_some_and(|before| {
        text(before, "reason") != reason::PENDING
            && text(before, "reason") != reason::INVALID
            && before.get("observedGeneration").and_then(Value::as_i64) == Some(moment.generation)
    });
    let is_in_force = run.ready > 0
        && (sight.proxies.serve(name, &run.version)
            || (was_in_force && (sight.is_early || sight.proxies.refusal(name).is_none())));
    if !is_in_force {
        return fails(reason::PENDING, pending(sight, name, run));
    }
    if run.addresses.is_empty() {
        return fails(ADDRESS_NOT_ASSIGNED, no_address(run));
    }
    let mut holds = Condition::holds(kind::PROGRAMMED, PROGRAMMED);
    let findings = sight.proxies.findings(name, &run.version).iter().take(MOST_FINDINGS);
    let findings = findings.map(|(path, message)| format!("its proxies: {path}: {message}"));
    holds.message = run.notes.iter().cloned().chain(findings).collect::<Vec<_>>().join("; ");
    holds
}

fn pending(sight: &Sight<'_>, name: &ObjectName, run: &Run) -> String {
    if let Some(refusal) = sight.proxies.refusal(name) {
        return format!("a proxy cannot read what it is told: {refusal}");
    }
    match (run.ready, sight.proxies.have_reported(name)) {
        (0, _) => format!("no pod of Deployment {} is ready yet", run.name),
        (_, false) => "no proxy has reported yet".to_owned(),
        (_, true) => "no proxy serves this version of it yet".to_owned(),
    }
}

/// How to reach it all the same.
fn no_address(run: &Run) -> String {
    let port = run.ports.keys().next().copied().unwrap_or(80);
    let local = if port < 1024 { 8080 } else { port };
    format!(
        "Service {} has no address yet; until it has: `kubectl port-forward -n {} deployment/{} \
         {local}:{port}`",
        run.name, run.name.namespace, run.name.name
    )
}

/// A listener is in force when its Gateway is; without an address, too.
fn of_listener(programmed: &Condition) -> Condition {
    match programmed.status {
        ConditionStatus::True => Condition::holds(kind::PROGRAMMED, PROGRAMMED),
        _ if programmed.reason == ADDRESS_NOT_ASSIGNED => {
            Condition::holds(kind::PROGRAMMED, PROGRAMMED)
        }
        _ => Condition::fails(kind::PROGRAMMED, programmed.reason, programmed.message.clone()),
    }
}

fn address(address: &Address) -> Value {
    match address {
        Address::Ip(ip) => json!({ "type": "IPAddress", "value": ip }),
        Address::Hostname(name) => json!({ "type": "Hostname", "value": name }),
    }
}

fn find<'a>(conditions: &'a [Condition], kind: &str) -> Option<&'a Condition> {
    conditions.iter().find(|condition| condition.kind == kind)
}
