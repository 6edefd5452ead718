//! `AgentgatewayParameters`: how the proxies of a GatewayClass or of a Gateway are deployed.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{EnvVar, ResourceRequirements};
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::schema::{Rule, preserved, rules};

const IMAGE: [Rule; 1] = [(
    "!has(self.tag) || !has(self.digest)",
    "write one of `tag` and `digest`: a digest names one image whatever its tag",
)];

const SHUTDOWN: [Rule; 1] = [(
    "!has(self.min) || !has(self.max) || self.min <= self.max",
    "write a `min` that is not above `max`",
)];

/// How proxies are deployed. What a Gateway says goes before what its class says, and overlays before
/// the rest.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[kube(
    group = "agentgateway.dev",
    version = "v1alpha1",
    kind = "AgentgatewayParameters",
    plural = "agentgatewayparameters",
    shortname = "agpar",
    namespaced,
    doc = "How the proxies of a GatewayClass (`parametersRef`) or of a Gateway (`infrastructure.parametersRef`) are deployed.",
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct AgentgatewayParametersSpec {
    /// What proxies write about themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,
    /// The image of proxies, in part or whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Variables of the proxies' environment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 256),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub env: Vec<EnvVar>,
    /// What a proxy asks for and may use at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<ResourceRequirements>,
    /// How long a proxy that is to end goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shutdown: Option<Shutdown>,
    /// What is laid over the Deployment: `spec.replicas` is how many proxies there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deployment: Option<Overlay>,
    /// What is laid over the Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Overlay>,
    /// What is laid over the ServiceAccount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<Overlay>,
    /// A PodDisruptionBudget, and what it says beside its selector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_disruption_budget: Option<Overlay>,
    /// A HorizontalPodAutoscaler, and what it says beside its target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub horizontal_pod_autoscaler: Option<Overlay>,
}

/// What proxies write about themselves.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Logging {
    /// What is written, as `RUST_LOG` takes it: `info`, or `info,proxy=debug`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub level: Option<String>,
    /// How it is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<LogFormat>,
}

/// How lines are written: `text`, for people, or `json`, for machines.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

/// An image, in part or whole; what is not said stays as the controller has it.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(&IMAGE)))]
pub struct Image {
    /// The registry: `ghcr.io`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub registry: Option<String>,
    /// The name without registry and tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub repository: Option<String>,
    /// The tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub tag: Option<String>,
    /// The digest: `sha256:…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub digest: Option<String>,
    /// When it is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_policy: Option<PullPolicy>,
}

/// When a node asks its registry for an image: `Always`, `IfNotPresent` or `Never`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum PullPolicy {
    /// Each time.
    Always,
    /// If the node does not have it.
    IfNotPresent,
    /// The node must have it.
    Never,
}

/// How long a proxy that is to end goes on, in seconds.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[schemars(extend("x-kubernetes-validations" = rules(&SHUTDOWN)))]
pub struct Shutdown {
    /// How long it takes new requests, because others learn late that it ends. Unset means 10.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub min: Option<i64>,
    /// How long requests may take to their end. Unset means 60.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 31_536_000))]
    pub max: Option<i64>,
}

/// What is laid over an object, as a strategic merge patch.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Overlay {
    /// Labels and annotations beside those that it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<OverlayMetadata>,
    /// Fields of its `spec`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "preserved")]
    pub spec: Option<Value>,
}

/// Labels and annotations.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct OverlayMetadata {
    /// Labels by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Annotations by key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}
