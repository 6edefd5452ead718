//! What one client of one stream still has to be told: the incremental variant of the xDS protocol
//! as a state machine, without a stream. For each type one response at a time is on its way; what
//! changes meanwhile is told once, as it is then. What a document names is sent before it, and taken
//! away after it.

use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{Resource, ResourceType, Scope};

/// One client's state.
#[derive(Debug, Default)]
pub(crate) struct Client {
    types: BTreeMap<ResourceType, Subscription>,
    sent: u64,
}

/// What a client knows of one type.
#[derive(Debug, Default)]
struct Subscription {
    /// The versions that it has, or that it has refused and is not offered again.
    known: BTreeMap<String, String>,
    /// The response that it has not answered yet.
    in_flight: Option<String>,
}

/// One response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: ResourceType,
    pub(crate) nonce: String,
    pub(crate) changed: Vec<(String, Resource)>,
    pub(crate) removed: Vec<String>,
}

impl Client {
    /// The client wants to hear of a type; `known` are the versions that it has from an earlier
    /// stream. Once it has said so, it only repeats itself.
    pub(crate) fn subscribe(&mut self, kind: ResourceType, known: BTreeMap<String, String>) {
        let first = || Subscription { known, in_flight: None };
        self.types.entry(kind).or_insert_with(first);
    }

    /// The client has answered a response, with or without taking it: what it refuses stays refused
    /// until it is something else.
    pub(crate) fn answered(&mut self, kind: ResourceType, nonce: &str) {
        if let Some(subscription) = self.types.get_mut(&kind)
            && subscription.in_flight.as_deref() == Some(nonce)
        {
            subscription.in_flight = None;
        }
    }

    /// The next response, if there is one to be sent now.
    pub(crate) fn next(&mut self, scope: &Scope) -> Option<Change> {
        let sendable = |kind: &ResourceType| {
            self.types.get(kind).is_some_and(|subscription| subscription.in_flight.is_none())
        };
        let sendable: Vec<ResourceType> = ResourceType::ALL.into_iter().filter(sendable).collect();
        for kind in sendable {
            // A document that came before what it names would find targets that are down.
            if kind == ResourceType::Document && !self.is_told(scope, &PARTS) {
                continue;
            }
            let may_remove =
                kind == ResourceType::Document || self.is_told(scope, &[ResourceType::Document]);
            let Some(subscription) = self.types.get_mut(&kind) else { continue };
            let (changed, removed) = subscription.difference(scope, kind, may_remove);
            if changed.is_empty() && removed.is_empty() {
                continue;
            }
            self.sent += 1;
            let nonce = self.sent.to_string();
            subscription.send(&nonce, &changed, &removed);
            return Some(Change { kind, nonce, changed, removed });
        }
        None
    }

    /// Whether the client has answered everything that it has to be told of these types, as far as
    /// it wants to hear of them.
    fn is_told(&self, scope: &Scope, kinds: &[ResourceType]) -> bool {
        kinds.iter().all(|kind| {
            self.types.get(kind).is_none_or(|subscription| {
                let (changed, _) = subscription.difference(scope, *kind, false);
                subscription.in_flight.is_none() && changed.is_empty()
            })
        })
    }
}

/// What documents name.
const PARTS: [ResourceType; 2] = [ResourceType::Secret, ResourceType::Endpoints];

impl Subscription {
    fn difference(
        &self,
        scope: &Scope,
        kind: ResourceType,
        may_remove: bool,
    ) -> (Vec<(String, Resource)>, Vec<String>) {
        let is_news = |name: &str, resource: &Resource| {
            self.known.get(name).is_none_or(|version| *version != resource.version)
        };
        let changed = scope.of(kind).filter(|(name, resource)| is_news(name, resource));
        let changed = changed.map(|(name, resource)| (name.to_owned(), resource.clone())).collect();
        let wanted: BTreeSet<&str> = scope.of(kind).map(|(name, _)| name).collect();
        let gone = self.known.keys().filter(|name| may_remove && !wanted.contains(name.as_str()));
        (changed, gone.cloned().collect())
    }

    fn send(&mut self, nonce: &str, changed: &[(String, Resource)], removed: &[String]) {
        self.in_flight = Some(nonce.to_owned());
        for (name, resource) in changed {
            self.known.insert(name.clone(), resource.version.clone());
        }
        for name in removed {
            self.known.remove(name);
        }
    }
}

#[cfg(test)]
mod tests;
