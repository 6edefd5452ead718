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
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::manifests::object;
use crate::object::ObjectName;
use crate::world::World;

/// How long reading one may take.
const DEADLINE: Duration = Duration::from_secs(5);

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
    /// What one holds in this version; `None` where it cannot be read.
    Read(Kept, ObjectName, String, Option<Value>),
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
}

impl Contents {
    /// Takes in a change; says whether it is one of what something refers to.
    pub(crate) fn take(&mut self, change: ContentChange) -> bool {
        match change {
            ContentChange::All(kind, versions) => {
                self.kinds.entry(kind).or_default().versions = Some(versions);
                true
            }
            ContentChange::Seen(kind, name, version) => {
                let store = self.kinds.entry(kind).or_default();
                let matters = store.read.contains_key(&name);
                let is_new = store.versions.get_or_insert_default().insert(name, version).is_none();
                matters || is_new
            }
            ContentChange::Gone(kind, name) => {
                let store = self.kinds.entry(kind).or_default();
                store.versions.get_or_insert_default().remove(&name);
                store.read.remove(&name).is_some()
            }
            ContentChange::Read(kind, name, version, value) => {
                let store = self.kinds.entry(kind).or_default();
                store.reading.remove(&name);
                store.read.insert(name, (version, value));
                true
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

    /// Whether something that is referred to is there and has never been read.
    pub(crate) fn are_awaited(&self) -> bool {
        let awaited =
            |store: &Store| store.reading.iter().any(|name| !store.read.contains_key(name));
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
    let mut events = pin!(watcher(objects, Config::default()).default_backoff());
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

/// Reads one.
pub(crate) async fn read(
    client: Client,
    kind: Kept,
    name: ObjectName,
    version: String,
    changes: mpsc::Sender<ContentChange>,
) {
    let reading = async {
        match kind {
            Kept::Secret => one::<Secret>(&client, &name).await,
            Kept::ConfigMap => one::<ConfigMap>(&client, &name).await,
        }
    };
    let value = match tokio::time::timeout(DEADLINE, reading).await {
        Ok(Ok(value)) => value,
        Ok(Err(error)) => {
            warn!(?kind, %name, %error, "Cannot read what something refers to.");
            None
        }
        Err(_) => {
            warn!(?kind, %name, "Reading what something refers to took too long.");
            None
        }
    };
    // Nobody wants to know when the controller ends.
    let _ = changes.send(ContentChange::Read(kind, name, version, value)).await;
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
