//! Keeps the objects that run a Gateway as they should be: server-side apply of what is ours, and nothing
//! of what is not.

use std::collections::BTreeMap;
use std::fmt::Debug;

use gateway_api::gateways::Gateway;
use k8s_openapi::ByteString;
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::ApiResource;
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::deploy::{Deployed, is_of, metadata, session_keys_name};
use crate::leader::{LONGEST_WRITE, Leadership};
use crate::object::{Object, ObjectName};
use crate::outcome::Outcome;

/// Who writes, as the API server knows it.
pub(crate) const FIELD_MANAGER: &str = "portico";

/// Writes the objects of Gateways.
#[derive(Clone)]
pub(crate) struct Applier {
    client: Client,
    leadership: Leadership,
}

/// Why it does not go on.
enum Stop {
    Outcome(Outcome),
    Error(kube::Error),
}

impl From<kube::Error> for Stop {
    fn from(error: kube::Error) -> Self {
        Self::Error(error)
    }
}

impl Applier {
    pub(crate) fn new(client: Client, leadership: Leadership) -> Self {
        Self { client, leadership }
    }

    /// Makes the objects of `gateway` what they should be.
    pub(crate) async fn apply(&self, gateway: &Object<Gateway>, deployed: &Deployed) -> Outcome {
        match self.attempt(gateway, deployed).await {
            Ok(()) => Outcome::Applied,
            Err(Stop::Outcome(outcome)) => outcome,
            Err(Stop::Error(error)) if is_refusal(&error) => Outcome::Failed(error.to_string()),
            Err(Stop::Error(error)) => Outcome::Unheard(error.to_string()),
        }
    }

    async fn attempt(&self, gateway: &Object<Gateway>, deployed: &Deployed) -> Result<(), Stop> {
        self.check()?;
        self.session_keys(gateway, &deployed.name).await?;
        for object in &deployed.objects {
            self.object(gateway, &deployed.name, object).await?;
        }
        let has_budget =
            deployed.objects.iter().any(|object| kind(object) == "PodDisruptionBudget");
        if !has_budget {
            self.remove::<PodDisruptionBudget>(gateway, &deployed.name).await?;
        }
        let has_autoscaler =
            deployed.objects.iter().any(|object| kind(object) == "HorizontalPodAutoscaler");
        if !has_autoscaler {
            self.remove::<HorizontalPodAutoscaler>(gateway, &deployed.name).await?;
        }
        Ok(())
    }

    async fn object(
        &self,
        gateway: &Object<Gateway>,
        name: &ObjectName,
        object: &Value,
    ) -> Result<(), Stop> {
        let Some(resource) = resource(kind(object)) else { return Ok(()) };
        let objects: Api<DynamicObject> =
            Api::namespaced_with(self.client.clone(), &name.namespace, &resource);
        let there = objects.get_metadata_opt(&name.name).await?;
        if there.is_some_and(|there| !is_ours(&there.metadata, gateway)) {
            return Err(foreign(&resource.kind, name));
        }
        self.check()?;
        let apply = PatchParams::apply(FIELD_MANAGER).force();
        within(objects.patch(&name.name, &apply, &Patch::Apply(object))).await?;
        Ok(())
    }

    /// Session keys are made once: whoever has a session has one that they sealed.
    async fn session_keys(&self, gateway: &Object<Gateway>, name: &ObjectName) -> Result<(), Stop> {
        let name = session_keys_name(name);
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &name.namespace);
        if let Some(there) = secrets.get_metadata_opt(&name.name).await? {
            let is_ours = is_ours(&there.metadata, gateway);
            return if is_ours { Ok(()) } else { Err(foreign("Secret", &name)) };
        }
        self.check()?;
        let mut key = vec![0; 32];
        if aws_lc_rs::rand::fill(&mut key).is_err() {
            let failed = "the system gave no random bytes".to_owned();
            return Err(Stop::Outcome(Outcome::Failed(failed)));
        }
        let metadata: ObjectMeta =
            serde_json::from_value(metadata(gateway, &name)).unwrap_or_default();
        let data = BTreeMap::from([("0".to_owned(), ByteString(key))]);
        let secret = Secret { metadata, data: Some(data), ..Secret::default() };
        within(secrets.create(&PostParams::default(), &secret)).await?;
        Ok(())
    }

    /// Removes what is not wanted any more, if it is there and ours.
    async fn remove<K>(&self, gateway: &Object<Gateway>, name: &ObjectName) -> Result<(), Stop>
    where
        K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
            + Clone
            + Debug
            + DeserializeOwned,
    {
        let objects: Api<K> = Api::namespaced(self.client.clone(), &name.namespace);
        let there = objects.get_metadata_opt(&name.name).await?;
        if there.is_some_and(|there| is_ours(&there.metadata, gateway)) {
            self.check()?;
            within(objects.delete(&name.name, &DeleteParams::default())).await?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Stop> {
        match self.leadership.is_held() {
            true => Ok(()),
            false => Err(Stop::Outcome(Outcome::NotLeading)),
        }
    }
}

/// A write that nobody else's can follow: it ends before another replica leads.
async fn within<T>(write: impl Future<Output = kube::Result<T>>) -> Result<T, Stop> {
    match tokio::time::timeout(LONGEST_WRITE, write).await {
        Ok(written) => Ok(written?),
        Err(_) => {
            let silent = format!("nothing was heard for {LONGEST_WRITE:?}");
            Err(Stop::Outcome(Outcome::Unheard(silent)))
        }
    }
}

/// Whether the API server says that something cannot be had as it is. Everything else is tried again.
fn is_refusal(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => {
            (400..500).contains(&status.code) && !matches!(status.code, 408 | 409 | 429)
        }
        _ => false,
    }
}

fn kind(object: &Value) -> &str {
    object.get("kind").and_then(Value::as_str).unwrap_or_default()
}

fn resource(kind: &str) -> Option<ApiResource> {
    match kind {
        "ServiceAccount" => Some(ApiResource::erase::<ServiceAccount>(&())),
        "ConfigMap" => Some(ApiResource::erase::<ConfigMap>(&())),
        "Service" => Some(ApiResource::erase::<Service>(&())),
        "Deployment" => Some(ApiResource::erase::<Deployment>(&())),
        "HorizontalPodAutoscaler" => Some(ApiResource::erase::<HorizontalPodAutoscaler>(&())),
        "PodDisruptionBudget" => Some(ApiResource::erase::<PodDisruptionBudget>(&())),
        _ => None,
    }
}

fn is_ours(metadata: &ObjectMeta, gateway: &Object<Gateway>) -> bool {
    is_of(metadata.owner_references.as_deref().unwrap_or_default(), gateway)
}

fn foreign(kind: &str, name: &ObjectName) -> Stop {
    Stop::Outcome(Outcome::Foreign(format!("{kind} {name}")))
}
