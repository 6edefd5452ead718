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
    /// The versions that it has, once it has answered what is on its way.
    known: BTreeMap<String, String>,
    /// The versions that it has refused, which it is not offered again.
    refused: BTreeMap<String, String>,
    /// Whether it has refused several at once: from then on it is offered one by one.
    is_picky: bool,
    /// The response that it has not answered yet.
    in_flight: Option<Sent>,
}

/// A response that is on its way.
#[derive(Debug)]
struct Sent {
    nonce: String,
    /// What was known of each resource in it before.
    before: Vec<(String, Option<String>)>,
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
        let first = || Subscription { known, ..Subscription::default() };
        self.types.entry(kind).or_insert_with(first);
    }

    /// The client has answered a response, by taking it or by refusing all of it: what it refuses
    /// alone stays refused until it is something else, what it refuses in company is offered alone.
    pub(crate) fn answered(&mut self, kind: ResourceType, nonce: &str, is_taken: bool) {
        let Some(subscription) = self.types.get_mut(&kind) else { return };
        if subscription.in_flight.as_ref().is_none_or(|sent| sent.nonce != nonce) {
            return;
        }
        if let Some(sent) = subscription.in_flight.take().filter(|_| !is_taken) {
            subscription.put_back(sent);
        }
    }

    /// The next response, if there is one to be sent now.
    pub(crate) fn next(&mut self, scope: &Scope) -> Option<Change> {
        let sendable = |kind: &ResourceType| {
            self.types.get(kind).is_some_and(|subscription| subscription.in_flight.is_none())
        };
        let sendable: Vec<ResourceType> = ResourceType::ALL.into_iter().filter(sendable).collect();
        for kind in sendable {
            // A document that came before what it names would find targets that are down. It does not wait for
            // what has merely changed meanwhile, which may go on for ever.
            if kind == ResourceType::Document && self.lacks_parts(scope) {
                continue;
            }
            let may_remove = kind == ResourceType::Document || self.has_document(scope);
            let Some(subscription) = self.types.get_mut(&kind) else { continue };
            subscription.refused.retain(|name, _| scope.get(kind, name).is_some());
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

    /// Whether the client has the document that is published and no other, and so no use for what
    /// others named.
    fn has_document(&self, scope: &Scope) -> bool {
        let kind = ResourceType::Document;
        self.types.get(&kind).is_some_and(|subscription| {
            let is_known = |(name, resource): (&str, &Resource)| {
                subscription.known.get(name) == Some(&resource.version)
            };
            subscription.in_flight.is_none()
                && scope.of(kind).all(is_known)
                && subscription.known.keys().all(|name| scope.get(kind, name).is_some())
        })
    }

    /// Whether there is something that documents name and of which the client has no version yet, as far as it
    /// wants to hear of it.
    fn lacks_parts(&self, scope: &Scope) -> bool {
        PARTS.iter().any(|kind| {
            let subscription = self.types.get(kind);
            subscription.is_some_and(|subscription| subscription.lacks_some(scope, *kind))
        })
    }
}

/// What documents name.
const PARTS: [ResourceType; 2] = [ResourceType::Secret, ResourceType::Endpoints];

impl Subscription {
    /// Whether something of this type has never been taken, nor refused as it is.
    fn lacks_some(&self, scope: &Scope, kind: ResourceType) -> bool {
        let on_its_way = |name: &str| {
            let sent = self.in_flight.iter().flat_map(|sent| &sent.before);
            sent.into_iter().any(|(one, before)| one == name && before.is_none())
        };
        let lacks = |(name, resource): (&str, &Resource)| match self.known.contains_key(name) {
            true => on_its_way(name),
            false => self.refused.get(name) != Some(&resource.version),
        };
        scope.of(kind).any(lacks)
    }

    fn difference(
        &self,
        scope: &Scope,
        kind: ResourceType,
        may_remove: bool,
    ) -> (Vec<(String, Resource)>, Vec<String>) {
        let is_news = |name: &str, resource: &Resource| {
            let version = Some(&resource.version);
            self.known.get(name) != version && self.refused.get(name) != version
        };
        let changed = scope.of(kind).filter(|(name, resource)| is_news(name, resource));
        let changed = changed.map(|(name, resource)| (name.to_owned(), resource.clone()));
        let changed: Vec<_> = changed.take(if self.is_picky { 1 } else { usize::MAX }).collect();
        if self.is_picky && !changed.is_empty() {
            return (changed, Vec::new());
        }
        let wanted: BTreeSet<&str> = scope.of(kind).map(|(name, _)| name).collect();
        let gone = self.known.keys().filter(|name| may_remove && !wanted.contains(name.as_str()));
        (changed, gone.cloned().collect())
    }

    fn send(&mut self, nonce: &str, changed: &[(String, Resource)], removed: &[String]) {
        let names = changed.iter().map(|(name, _)| name).chain(removed);
        let before = names.map(|name| (name.clone(), self.known.get(name).cloned())).collect();
        self.in_flight = Some(Sent { nonce: nonce.to_owned(), before });
        for (name, resource) in changed {
            self.known.insert(name.clone(), resource.version.clone());
        }
        for name in removed {
            self.known.remove(name);
            self.refused.remove(name);
        }
    }

    /// The client has refused it: it has what it had before.
    fn put_back(&mut self, sent: Sent) {
        let is_alone = sent.before.len() == 1;
        for (name, before) in sent.before {
            let refused = match before {
                Some(version) => self.known.insert(name.clone(), version),
                None => self.known.remove(&name),
            };
            if let Some(refused) = refused.filter(|_| is_alone) {
                self.refused.insert(name, refused);
            }
        }
        self.is_picky |= !is_alone;
    }
}

#[cfg(test)]
mod tests;
