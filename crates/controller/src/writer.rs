//! Writes statuses: what is there already is not written again, and what another controller says is never
//! overwritten. A write that meets a newer object is dropped: the watch brings that object, and with it the
//! next attempt.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::api::{Api, DynamicObject, Patch, PatchParams};
use kube::runtime::events::{Event, EventType, Recorder};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::apply::FIELD_MANAGER;
use crate::kind::Kind;
use crate::leader::{LONGEST_WRITE, Leadership};
use crate::metrics::{Metrics, Written};
use crate::object::ObjectName;

/// How many writes are on their way at once.
const AT_ONCE: usize = 8;
/// How many characters of an event are kept: an API server takes 1 kB.
const LONGEST_NOTE: usize = 500;
/// How long after a write the watch may take to bring what was written.
const WATCH_LAG: Duration = Duration::from_secs(5);

/// A status that is to be written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Write {
    pub(crate) kind: Kind,
    /// The version in which the kind is read.
    pub(crate) version: String,
    pub(crate) name: ObjectName,
    /// The object's version that it was made from.
    pub(crate) resource_version: String,
    /// What is to be in its `status`.
    pub(crate) status: Value,
    /// Whether other controllers write into the same list, so that nothing may have come between.
    pub(crate) is_shared: bool,
    /// What whoever describes the object should see among its events, too.
    pub(crate) warning: Option<Warning>,
}

/// Something that an operator has to mend.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Warning {
    /// The object's unique id.
    pub(crate) uid: Option<String>,
    /// Why, as one word.
    pub(crate) reason: &'static str,
    /// What.
    pub(crate) message: String,
}

/// Writes whatever is wanted last.
pub(crate) struct Writer {
    pub(crate) client: Client,
    pub(crate) leadership: Leadership,
    pub(crate) recorder: Recorder,
    pub(crate) wanted: watch::Receiver<Vec<Write>>,
    pub(crate) metrics: Arc<Metrics>,
}

impl Writer {
    /// Writes until nothing is wanted any more.
    pub(crate) async fn run(mut self) {
        // What was written, and from which version: until the watch brings the next, it is the same.
        let mut written: HashMap<(Kind, ObjectName), (String, Instant)> = HashMap::new();
        while self.wanted.changed().await.is_ok() {
            let wanted = self.wanted.borrow_and_update().clone();
            let now = Instant::now();
            written.retain(|_, (_, at)| now.duration_since(*at) < WATCH_LAG);
            let is_new = |write: &Write| {
                let last = written.get(&(write.kind, write.name.clone()));
                last.is_none_or(|(version, _)| *version != write.resource_version)
            };
            let writes: Vec<Write> = wanted.into_iter().filter(is_new).collect();
            let done = futures_util::stream::iter(writes)
                .map(|write| self.write(write))
                .buffer_unordered(AT_ONCE)
                .collect::<Vec<_>>()
                .await;
            written.extend(
                done.into_iter().flatten().map(|(key, version)| (key, (version, Instant::now()))),
            );
        }
    }

    async fn write(&self, write: Write) -> Option<((Kind, ObjectName), String)> {
        if !self.leadership.is_held() {
            return None;
        }
        let attempted = tokio::time::timeout(LONGEST_WRITE, self.attempt(&write)).await;
        let is_conflict = |code| code == 409 || code == 404;
        let written = match &attempted {
            Ok(Ok(())) => Written::Done,
            Ok(Err(kube::Error::Api(status))) if is_conflict(status.code) => Written::Conflict,
            Ok(Err(_)) | Err(_) => Written::Failed,
        };
        self.metrics.wrote(write.kind, written);
        match attempted {
            Ok(Ok(())) => {
                let warned = tokio::time::timeout(LONGEST_WRITE, self.warn(&write)).await;
                if warned.is_err() {
                    debug!(kind = write.kind.name(), name = %write.name, "Writing an event took too long.");
                }
                Some(((write.kind, write.name), write.resource_version))
            }
            Ok(Err(_)) if written == Written::Conflict => {
                debug!(kind = write.kind.name(), name = %write.name, "Overtaken.");
                None
            }
            Ok(Err(error)) => {
                warn!(kind = write.kind.name(), name = %write.name, %error, "Cannot write a status.");
                None
            }
            Err(_) => {
                warn!(kind = write.kind.name(), name = %write.name, "Writing a status took too long.");
                None
            }
        }
    }

    async fn warn(&self, write: &Write) {
        let Some(warning) = &write.warning else { return };
        let event = Event {
            type_: EventType::Warning,
            reason: warning.reason.to_owned(),
            note: Some(warning.message.chars().take(LONGEST_NOTE).collect()),
            action: "Translating".to_owned(),
            secondary: None,
        };
        let resource = write.kind.resource(&write.version);
        let object = ObjectReference {
            api_version: Some(resource.api_version),
            kind: Some(resource.kind),
            name: Some(write.name.name.clone()),
            namespace: Some(write.name.namespace.clone()).filter(|name| !name.is_empty()),
            uid: warning.uid.clone(),
            ..ObjectReference::default()
        };
        if let Err(error) = self.recorder.publish(&event, &object).await {
            debug!(%error, "Cannot write an event.");
        }
    }

    async fn attempt(&self, write: &Write) -> kube::Result<()> {
        let resource = write.kind.resource(&write.version);
        let objects: Api<DynamicObject> = match write.name.namespace.as_str() {
            "" => Api::all_with(self.client.clone(), &resource),
            namespace => Api::namespaced_with(self.client.clone(), namespace, &resource),
        };
        let name = &write.name.name;
        if write.is_shared {
            let patch = json!({
                "metadata": { "resourceVersion": write.resource_version },
                "status": write.status,
            });
            let parameters = PatchParams {
                field_manager: Some(FIELD_MANAGER.to_owned()),
                ..PatchParams::default()
            };
            objects.patch_status(name, &parameters, &Patch::Merge(patch)).await?;
        } else {
            let patch = json!({
                "apiVersion": resource.api_version,
                "kind": resource.kind,
                "metadata": { "name": name },
                "status": write.status,
            });
            let parameters = PatchParams::apply(FIELD_MANAGER).force();
            objects.patch_status(name, &parameters, &Patch::Apply(patch)).await?;
        }
        Ok(())
    }
}
