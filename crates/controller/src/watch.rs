//! Watches the kinds of the world: one task each, which asks for the version that is served, lists,
//! watches, and begins again after every failure.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Client;
use kube::api::{Api, DynamicObject, PartialObjectMeta, TypeMeta};
use kube::core::ApiResource;
use kube::runtime::WatchStreamExt;
use kube::runtime::utils::Backoff;
use kube::runtime::watcher::{self, DefaultBackoff, Event, watcher};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tracing::{debug, info, warn};

use crate::discovery::served;
use crate::kind::Kind;
use crate::metrics::Metrics;
use crate::object::ObjectName;
use crate::stores::Change;

/// How often it is asked whether a kind is there by now.
const LOOK_AGAIN: Duration = Duration::from_secs(3);
/// How long a watch that broke is left alone at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Watches one kind.
pub(crate) struct Watch {
    pub(crate) client: Client,
    pub(crate) kind: Kind,
    pub(crate) changes: mpsc::Sender<(Kind, Change)>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Watch {
    /// Watches until nobody wants to know.
    pub(crate) async fn run(self) {
        let kind = self.kind;
        let mut was_absent = false;
        while !self.changes.is_closed() {
            match served(&self.client, kind).await {
                Ok(Some(resource)) => {
                    was_absent = false;
                    debug!(kind = kind.name(), version = resource.version, "Watching.");
                    self.follow(&resource).await;
                }
                Ok(None) => {
                    if !was_absent {
                        info!(
                            kind = kind.name(),
                            group = kind.group(),
                            "The cluster does not have it."
                        );
                        let _ = self.changes.send((kind, Change::Absent)).await;
                    }
                    was_absent = true;
                }
                Err(reason) => {
                    warn!(kind = kind.name(), reason, "Cannot find out which version is served.");
                }
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Follows one version of a kind until it is not served any more.
    async fn follow(&self, resource: &ApiResource) {
        // A definition is large, and its metadata say all that matters.
        if self.kind == Kind::CustomResourceDefinition {
            let client = self.client.clone();
            let objects = Api::<PartialObjectMeta<CustomResourceDefinition>>::all(client);
            let events = watcher(objects, watcher::Config::default()).backoff(Pauses::default());
            return self.pass_on(resource, events).await;
        }
        let objects = Api::<DynamicObject>::all_with(self.client.clone(), resource);
        let events = watcher(objects, watcher::Config::default()).backoff(Pauses::default());
        self.pass_on(resource, events).await;
    }

    async fn pass_on<T: Watched>(
        &self,
        resource: &ApiResource,
        events: impl Stream<Item = watcher::Result<Event<T>>>,
    ) {
        let kind = self.kind;
        let mut events = pin!(events);
        while let Some(event) = events.next().await {
            let change = match event {
                Ok(event) => change(event, resource),
                Err(error) if is_gone(&error) => {
                    return debug!(kind = kind.name(), %error, "Not served any more.");
                }
                Err(error) => {
                    // What is known stays; the watcher goes on by itself.
                    debug!(kind = kind.name(), %error, "A watch broke.");
                    self.metrics.watch_broke(kind);
                    continue;
                }
            };
            if self.changes.send((kind, change)).await.is_err() {
                return;
            }
        }
    }
}

/// How long a watch that breaks waits until it is begun again: kube's times, but never so long that somebody waits
/// for what he changes once the API server is back.
#[derive(Default)]
pub(crate) struct Pauses(DefaultBackoff);

impl Iterator for Pauses {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let pause = self.0.next()?;
        // What is random in kube's pauses stands in their fractions; without it all would ask at once.
        let random = Duration::from_nanos(pause.subsec_nanos().into());
        Some(pause.min(LONGEST_PAUSE.saturating_sub(random)))
    }
}

impl Backoff for Pauses {
    fn reset(&mut self) {
        self.0.reset();
    }
}

fn is_gone(error: &watcher::Error) -> bool {
    let failed = match error {
        watcher::Error::InitialListFailed(error)
        | watcher::Error::WatchStartFailed(error)
        | watcher::Error::WatchFailed(error) => error,
        watcher::Error::WatchError(status) => return status.code == 404,
        watcher::Error::NoResourceVersion => return false,
    };
    matches!(failed, kube::Error::Api(status) if status.code == 404)
}

/// An object as a watch brings it.
trait Watched {
    fn metadata(&mut self) -> &mut ObjectMeta;
    fn value(self, types: TypeMeta) -> Value;
}

impl Watched for DynamicObject {
    fn metadata(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }

    fn value(mut self, types: TypeMeta) -> Value {
        self.types = Some(types);
        serde_json::to_value(self).unwrap_or_default()
    }
}

impl Watched for PartialObjectMeta<CustomResourceDefinition> {
    fn metadata(&mut self) -> &mut ObjectMeta {
        &mut self.metadata
    }

    fn value(self, types: TypeMeta) -> Value {
        json!({ "apiVersion": types.api_version, "kind": types.kind, "metadata": self.metadata })
    }
}

fn change<T: Watched>(event: Event<T>, resource: &ApiResource) -> Change {
    // An object of a list does not say what it is.
    let value = |mut object: T| {
        object.metadata().managed_fields = None;
        let (api_version, kind) = (resource.api_version.clone(), resource.kind.clone());
        object.value(TypeMeta { api_version, kind })
    };
    match event {
        Event::Init => Change::Begins,
        Event::InitApply(object) => Change::Listed(value(object)),
        Event::InitDone => Change::Ends,
        Event::Apply(object) => Change::Applied(value(object)),
        Event::Delete(mut object) => {
            let metadata = std::mem::take(object.metadata());
            let text = Option::unwrap_or_default;
            Change::Deleted(ObjectName::new(text(metadata.namespace), text(metadata.name)))
        }
    }
}
