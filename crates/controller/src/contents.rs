//! Secrets and ConfigMaps: of all of them only that they are there and in which version; their contents only
//! where something refers to them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::api::{Api, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{Config, Event, watcher};
use kube::{Client, Resource, ResourceExt};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};
use tracing::{debug, warn};

use crate::manifests::object;
use crate::object::ObjectName;
use crate::watch::Pauses;
use crate::world::World;

/// How long reading one may take, others before it included.
const DEADLINE: Duration = Duration::from_secs(5);
/// How many are read at once.
const MOST: usize = 16;
/// How long it takes until one is tried again, at first and at last.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Which of the two kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kept {
    Secret,
    ConfigMap,
}

/// What becomes known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum ContentChange {
    /// All that there are, with their versions.
    All(Kept, BTreeMap<ObjectName, String>),
    /// One is there in this version.
    Seen(Kept, ObjectName, String),
    /// One is gone.
    Gone(Kept, ObjectName),
    /// What one holds in this version; `None` where it is gone.
    Read(Kept, ObjectName, String, Option<Value>),
    /// One cannot be read yet. It is tried again.
    Unread(Kept, ObjectName),
}

/// What is known of Secrets and ConfigMaps.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    kinds: BTreeMap<Kept, Store>,
}

#[derive(Debug, Default)]
struct Store {
    versions: Option<BTreeMap<ObjectName, String>>,
    read: BTreeMap<ObjectName, (String, Option<Value>)>,
    reading: BTreeSet<ObjectName>,
    /// Those of `reading` for which nobody waits any more.
    late: BTreeSet<ObjectName>,
    /// What something refers to.
    referenced: BTreeSet<ObjectName>,
}

impl Contents {
    /// Takes in a change; says whether it is one of what something refers to.
    pub(crate) fn take(&mut self, change: ContentChange) -> bool {
        match change {
            ContentChange::All(kind, versions) => {
                let store = self.kinds.entry(kind).or_default();
                // Some may have gone while nobody looked.
                store.read.retain(|name, _| versions.contains_key(name));
                store.versions = Some(versions);
                true
            }
            ContentChange::Seen(kind, name, version) => {
                let store = self.kinds.entry(kind).or_default();
                let matters = store.referenced.contains(&name);
                store.versions.get_or_insert_default().insert(name, version);
                matters
            }
            ContentChange::Gone(kind, name) => {
                let store = self.kinds.entry(kind).or_default();
                store.versions.get_or_insert_default().remove(&name);
                store.read.remove(&name).is_some()
            }
            ContentChange::Read(kind, name, version, value) => {
                let store = self.kinds.entry(kind).or_default();
                store.reading.remove(&name);
                store.late.remove(&name);
                // It may have gone meanwhile.
                let is_there = store.versions.as_ref().is_some_and(|all| all.contains_key(&name));
                if is_there {
                    store.read.insert(name, (version, value));
                }
                true
            }
            ContentChange::Unread(kind, name) => {
                self.kinds.entry(kind).or_default().late.insert(name)
            }
        }
    }

    /// Whether it is known which there are.
    pub(crate) fn are_known(&self) -> bool {
        let known = |kind| self.kinds.get(&kind).is_some_and(|store| store.versions.is_some());
        known(Kept::Secret) && known(Kept::ConfigMap)
    }

    /// Which of those that something refers to have to be read, with their versions. Asked again, it does not
    /// name them again. Whoever is not referred to any more is forgotten.
    pub(crate) fn missing(
        &mut self,
        kind: Kept,
        referenced: &BTreeSet<ObjectName>,
    ) -> Vec<(ObjectName, String)> {
        let store = self.kinds.entry(kind).or_default();
        store.read.retain(|name, _| referenced.contains(name));
        store.referenced.clone_from(referenced);
        let mut missing = Vec::new();
        for name in referenced {
            let Some(version) = store.versions.as_ref().and_then(|all| all.get(name)) else {
                continue;
            };
            let is_read = store.read.get(name).is_some_and(|(read, _)| read == version);
            if !is_read && store.reading.insert(name.clone()) {
                missing.push((name.clone(), version.clone()));
            }
        }
        missing
    }

    /// Whether something that is referred to is there and has never been read, though it was not tried in vain.
    pub(crate) fn are_awaited(&self) -> bool {
        let awaited = |store: &Store| {
            let mut reading = store.reading.iter();
            reading.any(|name| !store.read.contains_key(name) && !store.late.contains(name))
        };
        self.kinds.values().any(awaited)
    }

    /// Those that are referred to.
    pub(crate) fn world(&self) -> World {
        let mut world = World::default();
        let read = self.kinds.values().flat_map(|store| store.read.values());
        for value in read.filter_map(|(_, value)| value.as_ref()) {
            world.append(&object(value.clone()).world);
        }
        world
    }
}

/// Watches both kinds until nobody wants to know.
pub(crate) async fn watch(client: Client, changes: mpsc::Sender<ContentChange>) {
    tokio::join!(
        versions::<Secret>(client.clone(), Kept::Secret, changes.clone()),
        versions::<ConfigMap>(client, Kept::ConfigMap, changes),
    );
}

async fn versions<K>(client: Client, kind: Kept, changes: mpsc::Sender<ContentChange>)
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + DeserializeOwned + 'static,
{
    let objects = Api::<PartialObjectMeta<K>>::all(client);
    let mut events = pin!(watcher(objects, Config::default()).backoff(Pauses::default()));
    let mut listed = BTreeMap::new();
    while let Some(event) = events.next().await {
        let change = match event {
            Ok(Event::Init) => {
                listed = BTreeMap::new();
                continue;
            }
            Ok(Event::InitApply(object)) => {
                let (name, version) = known(&object);
                listed.insert(name, version);
                continue;
            }
            Ok(Event::InitDone) => ContentChange::All(kind, std::mem::take(&mut listed)),
            Ok(Event::Apply(object)) => {
                let (name, version) = known(&object);
                ContentChange::Seen(kind, name, version)
            }
            Ok(Event::Delete(object)) => ContentChange::Gone(kind, known(&object).0),
            Err(error) => {
                debug!(?kind, %error, "A watch broke.");
                continue;
            }
        };
        if changes.send(change).await.is_err() {
            return;
        }
    }
}

fn known<K: Resource<DynamicType = ()>>(object: &PartialObjectMeta<K>) -> (ObjectName, String) {
    let name = ObjectName::new(object.namespace().unwrap_or_default(), object.name_any());
    (name, object.resource_version().unwrap_or_default())
}

/// Reads one, as often as it takes.
pub(crate) async fn read(
    client: Client,
    kind: Kept,
    name: ObjectName,
    version: String,
    changes: mpsc::Sender<ContentChange>,
) {
    static AT_ONCE: Semaphore = Semaphore::const_new(MOST);
    let mut pause = PAUSE;
    loop {
        let reading = async {
            // It is never closed.
            let _place = AT_ONCE.acquire().await;
            match kind {
                Kept::Secret => one::<Secret>(&client, &name).await,
                Kept::ConfigMap => one::<ConfigMap>(&client, &name).await,
            }
        };
        match tokio::time::timeout(DEADLINE, reading).await {
            Ok(Ok(value)) => {
                // Nobody wants to know when the controller ends.
                let _ = changes.send(ContentChange::Read(kind, name, version, value)).await;
                return;
            }
            Ok(Err(error)) => warn!(?kind, %name, %error, "Cannot read what something refers to."),
            Err(_) => warn!(?kind, %name, "Reading what something refers to took too long."),
        }
        if changes.send(ContentChange::Unread(kind, name.clone())).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

async fn one<K>(client: &Client, name: &ObjectName) -> kube::Result<Option<Value>>
where
    K: Resource<DynamicType = (), Scope = k8s_openapi::NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + serde::Serialize,
{
    let objects = Api::<K>::namespaced(client.clone(), &name.namespace);
    let found = objects.get_opt(&name.name).await?;
    Ok(found.and_then(|object| serde_json::to_value(object).ok()))
}

#[cfg(test)]
mod tests;
