//! The objects of a cluster as they come and go: decoded once each, and together a world once every
//! kind is known.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::Value;

use crate::kind::Kind;
use crate::manifests::{Manifests, UNDECODABLE, object};
use crate::object::{Object, ObjectName};

/// What a watch says of one kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A list begins: what it does not bring is gone when it ends.
    Begins,
    /// The list brings an object.
    Listed(Value),
    /// The list is whole.
    Ends,
    /// An object is new or another one.
    Applied(Value),
    /// An object is gone.
    Deleted(ObjectName),
    /// The API server does not know the kind.
    Absent,
}

/// Everything that is watched.
#[derive(Debug, Default)]
pub struct Stores {
    kinds: BTreeMap<Kind, Store>,
}

/// The objects of one kind.
#[derive(Debug, Default)]
struct Store {
    objects: BTreeMap<ObjectName, Stored>,
    /// What a list has brought so far.
    listed: Option<BTreeMap<ObjectName, Stored>>,
    is_known: bool,
}

/// An object as it was last seen.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Its identity, generation and version.
    pub metadata: ObjectMeta,
    /// The version of its kind in which it was read: `v1`.
    pub version: String,
    /// Its `status` as it is written.
    pub status: Value,
    /// What its `spec` refers to, whatever else it says: `controllerName`, `gatewayClassName` or `parentRefs`.
    pub(crate) refers_to: Value,
    decoded: Arc<Manifests>,
}

impl Stores {
    /// Takes a change in; says whether the world may be another one now.
    pub fn take(&mut self, kind: Kind, change: Change) -> bool {
        let store = self.kinds.entry(kind).or_default();
        match change {
            Change::Begins => store.listed = Some(BTreeMap::new()),
            Change::Listed(value) => {
                let (name, stored) = stored(value);
                store.listed.get_or_insert_default().insert(name, stored);
            }
            Change::Ends => {
                store.objects = store.listed.take().unwrap_or_default();
                store.is_known = true;
                return true;
            }
            Change::Applied(value) => {
                let (name, stored) = stored(value);
                let before = store.objects.insert(name.clone(), stored);
                let both = before.as_ref().zip(store.objects.get(&name));
                return !both.is_some_and(|(before, now)| is_status_alone(kind, before, now));
            }
            Change::Deleted(name) => return store.objects.remove(&name).is_some(),
            Change::Absent => {
                *store = Store { is_known: true, ..Store::default() };
                return true;
            }
        }
        false
    }

    /// Whether every kind is known: before that nothing may be said of the world.
    pub fn is_known(&self) -> bool {
        Kind::ALL.iter().all(|kind| self.kinds.get(kind).is_some_and(|store| store.is_known))
    }

    /// All objects together, and what is wrong with those that cannot be used.
    pub fn manifests(&self) -> Manifests {
        let mut all = Manifests::default();
        for stored in self.kinds.values().flat_map(|store| store.objects.values()) {
            all.diagnostics.extend(stored.decoded.diagnostics.iter().cloned());
            all.world.append(&stored.decoded.world);
        }
        all
    }

    /// The addresses behind Services, which are others more often than anything else.
    pub(crate) fn slices(&self) -> Vec<Object<EndpointSlice>> {
        let store = self.kinds.get(&Kind::EndpointSlice);
        let stored = store.into_iter().flat_map(|store| store.objects.values());
        stored.flat_map(|stored| stored.decoded.world.slices.iter().cloned()).collect()
    }

    /// How many objects of a kind there are.
    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.kinds.get(&kind).map_or(0, |store| store.objects.len())
    }

    /// The objects of a kind that cannot be decoded.
    pub(crate) fn undecodable(&self, kind: Kind) -> impl Iterator<Item = (&ObjectName, &Stored)> {
        let objects = self.kinds.get(&kind).into_iter().flat_map(|store| &store.objects);
        objects.filter(|(_, stored)| stored.fault().is_some())
    }

    /// An object as it was last seen.
    pub fn get(&self, kind: Kind, name: &ObjectName) -> Option<&Stored> {
        self.kinds.get(&kind)?.objects.get(name)
    }
}

/// Whether nothing but a status differs, which is what most changes are: the controller's own. Whoever changes
/// what such an object says gives it another generation, labels or annotations. The names that a status gives
/// to targets are part of what it says.
fn is_status_alone(kind: Kind, before: &Stored, now: &Stored) -> bool {
    if names(&before.status) != names(&now.status) {
        return false;
    }
    let (before, now) = (&before.metadata, &now.metadata);
    // Where Services are reached stands in their status, and other kinds have no generation.
    let has_generation = match kind {
        Kind::GatewayClass
        | Kind::Gateway
        | Kind::HttpRoute
        | Kind::AgentgatewayBackend
        | Kind::KgatewayBackend
        | Kind::AgentgatewayPolicy
        | Kind::BackendTlsPolicy => now.generation.is_some(),
        _ => false,
    };
    has_generation
        && before.uid == now.uid
        && before.generation == now.generation
        && before.labels == now.labels
        && before.annotations == now.annotations
}

/// The names of a Backend's targets, and their Services.
fn names(status: &Value) -> Vec<(Option<&Value>, Option<&Value>)> {
    let targets = status.get("targets").and_then(Value::as_array).into_iter().flatten();
    targets.map(|target| (target.get("name"), target.get("service"))).collect()
}

impl Stored {
    /// Why nothing of it can be used, where that is so.
    pub(crate) fn fault(&self) -> Option<String> {
        let diagnostics = &self.decoded.diagnostics;
        let fault = diagnostics.iter().find(|diagnostic| diagnostic.id == UNDECODABLE)?;
        let field = fault.path.split_once(": ").map(|(_, field)| field);
        Some(match field {
            Some(field) => format!("`{field}`: {}", fault.message),
            None => fault.message.clone(),
        })
    }
}

fn stored(value: Value) -> (ObjectName, Stored) {
    let metadata = value.get("metadata").cloned().unwrap_or_default();
    let metadata: ObjectMeta = serde_json::from_value(metadata).unwrap_or_default();
    let text = |field: &Option<String>| field.clone().unwrap_or_default();
    let name = ObjectName::new(text(&metadata.namespace), text(&metadata.name));
    let status = value.get("status").cloned().unwrap_or_default();
    let version = value.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
    let version = version.rsplit('/').next().unwrap_or_default().to_owned();
    let spec = |field| value.get("spec").and_then(|spec| spec.get(field));
    let refers_to = ["controllerName", "gatewayClassName", "parentRefs"].into_iter().find_map(spec);
    let refers_to = refers_to.cloned().unwrap_or_default();
    (name, Stored { metadata, version, status, refers_to, decoded: Arc::new(object(value)) })
}

#[cfg(test)]
mod tests;
