//! Which statuses are to be written: what translation says of the objects, with what proxies report and what
//! the cluster did with what runs them. Pure.

mod backend;
mod features;
mod gateway;
mod undecodable;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::kind::Kind;
use crate::object::ObjectName;
use crate::proxies::Proxies;
use crate::status::reason::{self, kind::ACCEPTED};
use crate::status::{AncestorStatus, Condition, ConditionStatus, ParentStatus, Statuses};
use crate::stores::{Stored, Stores};
use crate::wanted::features::FEATURES;
use crate::wanted::gateway::Run;
use crate::writer::{Warning, Write};
use crate::written::{self, ANCESTORS, List, Moment, PARENTS};

pub(crate) use gateway::{Address, Run as GatewayRun};

/// Everything that statuses are made of.
pub(crate) struct Sight<'a> {
    pub(crate) stores: &'a Stores,
    pub(crate) statuses: &'a Statuses,
    pub(crate) proxies: &'a Proxies,
    /// The Gateways that serve a backend, by its name in documents.
    pub(crate) serving: &'a BTreeMap<String, Vec<&'a ObjectName>>,
    pub(crate) endpoints: &'a BTreeMap<String, Vec<SocketAddr>>,
    pub(crate) runs: &'a BTreeMap<ObjectName, Run>,
    /// Who we are.
    pub(crate) controller: &'a str,
    /// Whether proxies may not have found this controller yet: what was known of them stays.
    pub(crate) is_early: bool,
    pub(crate) now: Timestamp,
}

/// A status to be written, and whether that may wait.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wanted {
    pub(crate) write: Write,
    /// Nothing but what proxies report has changed.
    pub(crate) may_wait: bool,
}

/// Every status that is not yet as it should be.
pub(crate) fn wanted(sight: &Sight<'_>) -> Vec<Wanted> {
    let statuses = sight.statuses;
    let mut all = Vec::new();
    for (name, conditions) in &statuses.classes {
        all.extend(
            sight.own(Kind::GatewayClass, name, |stored, moment| class(conditions, stored, moment)),
        );
    }
    for (name, status) in &statuses.gateways {
        let run = sight.runs.get(name);
        all.extend(sight.own(Kind::Gateway, name, |stored, moment| {
            gateway::status(sight, name, status, run, stored, moment)
        }));
    }
    for (kind, backends) in [
        (Kind::AgentgatewayBackend, &statuses.backends),
        (Kind::KgatewayBackend, &statuses.kgateway_backends),
    ] {
        for (name, outcome) in backends {
            let wanted = sight.own(kind, name, |stored, moment| {
                backend::status(sight, kind, name, outcome, stored, moment)
            });
            all.extend(wanted.map(|wanted| sight.of_backend(wanted, &outcome.conditions)));
        }
    }
    for (name, parents) in &statuses.routes {
        let entries = parents.iter().map(parent).collect::<Vec<_>>();
        all.extend(sight.shared(Kind::HttpRoute, name, &PARENTS, &entries));
    }
    for (kind, policies) in [
        (Kind::AgentgatewayPolicy, &statuses.policies),
        (Kind::BackendTlsPolicy, &statuses.backend_tls_policies),
    ] {
        for (name, ancestors) in policies {
            let entries = ancestors.iter().map(ancestor).collect::<Vec<_>>();
            all.extend(sight.shared(kind, name, &ANCESTORS, &entries));
        }
    }
    all.extend(undecodable::wanted(sight));
    all
}

impl Sight<'_> {
    /// A status that is ours alone.
    fn own(
        &self,
        kind: Kind,
        name: &ObjectName,
        status: impl FnOnce(&Stored, Moment) -> Value,
    ) -> Option<Wanted> {
        let stored = self.stores.get(kind, name)?;
        let status = status(stored, self.moment(stored));
        if written::is_there(&status, &stored.status) {
            return None;
        }
        // A message alone comes from proxies, or from what changes with them.
        let may_wait = written::same_but_messages(&status, &stored.status);
        Some(Wanted { write: write(kind, name, stored, status, false), may_wait })
    }

    /// The status of a Backend: what only proxies report may wait, and what its own policies close is an
    /// event.
    fn of_backend(&self, mut wanted: Wanted, said: &[Condition]) -> Wanted {
        let Write { kind, name, status, .. } = &wanted.write;
        let Some(stored) = self.stores.get(*kind, name) else { return wanted };
        wanted.may_wait = backend::differs_by_reports(status, &stored.status);
        if !written::same_conditions(status, &stored.status) {
            wanted.write.warning = warning(*kind, stored, said.iter());
        }
        wanted
    }

    /// A status whose one list is written by several controllers.
    fn shared(
        &self,
        kind: Kind,
        name: &ObjectName,
        list: &List,
        wanted: &[(Value, &[Condition])],
    ) -> Option<Wanted> {
        let stored = self.stores.get(kind, name)?;
        let current = stored.status.get(list.field).unwrap_or(&Value::Null);
        let moment = self.moment(stored);
        let entries = written::entries(wanted, list, self.controller, current, moment);
        let is_empty = |list: &Value| list.as_array().is_none_or(Vec::is_empty);
        if entries == *current || (is_empty(&entries) && is_empty(current)) {
            return None;
        }
        let mut write = write(kind, name, stored, json!({ list.field: entries }), true);
        let said = wanted.iter().flat_map(|(_, said)| *said);
        write.warning = warning(kind, stored, said);
        Some(Wanted { write, may_wait: false })
    }

    fn moment(&self, stored: &Stored) -> Moment {
        Moment { generation: stored.metadata.generation.unwrap_or_default(), now: self.now }
    }
}

fn write(kind: Kind, name: &ObjectName, stored: &Stored, status: Value, is_shared: bool) -> Write {
    Write {
        kind,
        version: stored.version.clone(),
        name: name.clone(),
        resource_version: stored.metadata.resource_version.clone().unwrap_or_default(),
        status,
        is_shared,
        warning: None,
    }
}

/// A policy that is not in force closes what it is attached to, and a Backend can write one itself: nobody
/// overlooks that who looks among events.
fn warning<'a>(
    kind: Kind,
    stored: &Stored,
    mut said: impl Iterator<Item = &'a Condition>,
) -> Option<Warning> {
    let is_failure = |condition: &&Condition| match kind {
        Kind::AgentgatewayPolicy | Kind::BackendTlsPolicy => {
            condition.status == ConditionStatus::False
        }
        Kind::AgentgatewayBackend | Kind::KgatewayBackend => {
            condition.kind == ACCEPTED
                && (condition.status == ConditionStatus::False
                    || condition.reason == reason::PARTIALLY_VALID)
        }
        _ => false,
    };
    let failed = said.find(is_failure)?;
    Some(Warning {
        uid: stored.metadata.uid.clone(),
        reason: failed.reason,
        message: failed.message.clone(),
    })
}

fn class(conditions: &[Condition], stored: &Stored, moment: Moment) -> Value {
    let current = stored.status.get("conditions").unwrap_or(&Value::Null);
    let features: Vec<Value> = FEATURES.iter().map(|name| json!({ "name": name })).collect();
    json!({
        "conditions": written::conditions(conditions, current, moment),
        "supportedFeatures": features,
    })
}

fn parent(parent: &ParentStatus) -> (Value, &[Condition]) {
    (serde_json::to_value(&parent.parent_ref).unwrap_or_default(), &parent.conditions)
}

fn ancestor(ancestor: &AncestorStatus) -> (Value, &[Condition]) {
    (serde_json::to_value(&ancestor.ancestor_ref).unwrap_or_default(), &ancestor.conditions)
}
