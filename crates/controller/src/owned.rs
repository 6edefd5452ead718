//! What was made for Gateways, as it stands in the cluster: how many proxies are ready, and that somebody has
//! touched what is ours.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::pin::pin;

use futures_util::{Stream, StreamExt};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, ServiceAccount};
use kube::api::{Api, PartialObjectMeta};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, Config, Event, watcher};
use kube::{Client, Resource, ResourceExt};
use tokio::sync::mpsc;
use tracing::debug;

use crate::deploy::{GATEWAY_LABEL, MANAGED_BY};
use crate::object::ObjectName;
use crate::watch::Pauses;

/// What becomes known of what was made for Gateways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OwnedChange {
    /// A Deployment, by its name.
    Deployment(ObjectName, DeploymentState),
    /// A Deployment is gone.
    NoDeployment(ObjectName),
    /// All Deployments that there are have been said.
    DeploymentsKnown,
    /// Something of the Gateway whose objects have this name is another one than before.
    Touched(ObjectName),
}

/// How a Deployment stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct DeploymentState {
    /// How many replicas it asks for.
    pub(crate) replicas: Option<i32>,
    /// How many of them are ready.
    pub(crate) ready: i32,
    /// Changes when somebody says something else.
    pub(crate) generation: i64,
}

/// Watches everything that was made for Gateways until nobody wants to know.
pub(crate) async fn watch(client: Client, changes: mpsc::Sender<OwnedChange>) {
    tokio::join!(
        deployments(client.clone(), changes.clone()),
        touched::<ServiceAccount>(client.clone(), changes.clone()),
        touched::<ConfigMap>(client.clone(), changes.clone()),
        touched::<Secret>(client, changes),
    );
}

fn ours() -> Config {
    let (key, value) = MANAGED_BY;
    Config::default().labels(&format!("{key}={value},{GATEWAY_LABEL}"))
}

async fn deployments(client: Client, changes: mpsc::Sender<OwnedChange>) {
    let events = watcher(Api::<Deployment>::all(client), ours()).backoff(Pauses::default());
    let mut listed: Option<BTreeMap<ObjectName, DeploymentState>> = None;
    let mut known: BTreeMap<ObjectName, DeploymentState> = BTreeMap::new();
    let mut events = pin!(events);
    while let Some(event) = events.next().await {
        let mut news = Vec::new();
        match event {
            Ok(Event::Init) => listed = Some(BTreeMap::new()),
            Ok(Event::InitApply(deployment)) => {
                listed.get_or_insert_default().insert(name(&deployment), state(&deployment));
            }
            Ok(Event::InitDone) => {
                let now = listed.take().unwrap_or_default();
                let gone = known.keys().filter(|name| !now.contains_key(*name));
                news.extend(gone.cloned().map(OwnedChange::NoDeployment));
                let there = now.iter().map(|(name, state)| (name.clone(), state.clone()));
                news.extend(there.map(|(name, state)| OwnedChange::Deployment(name, state)));
                news.push(OwnedChange::DeploymentsKnown);
                known = now;
            }
            Ok(Event::Apply(deployment)) => {
                known.insert(name(&deployment), state(&deployment));
                news.push(OwnedChange::Deployment(name(&deployment), state(&deployment)));
            }
            Ok(Event::Delete(deployment)) => {
                known.remove(&name(&deployment));
                news.push(OwnedChange::NoDeployment(name(&deployment)));
            }
            Err(error) => debug!(%error, "The watch of Deployments broke."),
        }
        for news in news {
            if changes.send(news).await.is_err() {
                return;
            }
        }
    }
}

/// Says of which Gateway's objects one of kind `K` has changed; its contents matter to nobody here.
async fn touched<K>(client: Client, changes: mpsc::Sender<OwnedChange>)
where
    K: Resource<DynamicType = ()> + Clone + Debug + Send + serde::de::DeserializeOwned + 'static,
{
    let events =
        watcher(Api::<PartialObjectMeta<K>>::all(client), ours()).backoff(Pauses::default());
    forward(events, changes).await;
}

async fn forward<K: Debug>(
    events: impl Stream<Item = watcher::Result<Event<PartialObjectMeta<K>>>>,
    changes: mpsc::Sender<OwnedChange>,
) {
    let mut events = pin!(events);
    while let Some(event) = events.next().await {
        let object = match event {
            Ok(Event::Apply(object) | Event::Delete(object)) => object,
            Ok(Event::Init | Event::InitApply(_) | Event::InitDone) => continue,
            Err(error) => {
                debug!(%error, "A watch of what belongs to Gateways broke.");
                continue;
            }
        };
        let labels = object.metadata.labels.unwrap_or_default();
        let Some(gateway) = labels.get(GATEWAY_LABEL) else { continue };
        let namespace = object.metadata.namespace.unwrap_or_default();
        let touched = OwnedChange::Touched(ObjectName::new(namespace, gateway));
        if changes.send(touched).await.is_err() {
            return;
        }
    }
}

fn name(deployment: &Deployment) -> ObjectName {
    ObjectName::new(deployment.namespace().unwrap_or_default(), deployment.name_any())
}

fn state(deployment: &Deployment) -> DeploymentState {
    let spec = deployment.spec.as_ref();
    let status = deployment.status.as_ref();
    DeploymentState {
        replicas: spec.and_then(|spec| spec.replicas),
        ready: status.and_then(|status| status.ready_replicas).unwrap_or_default(),
        generation: deployment.metadata.generation.unwrap_or_default(),
    }
}
