//! `AgentgatewayPolicy`: what it says is kept as written until it is built; what it is attached to
//! is known, because a policy that is not built keeps that shut.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::preserved;

/// Rules for traffic, attached to objects of the policy's own namespace.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[kube(
    group = "agentgateway.dev",
    version = "v1alpha1",
    kind = "AgentgatewayPolicy",
    plural = "agentgatewaypolicies",
    shortname = "agpol",
    namespaced,
    status = "PolicyStatus",
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct AgentgatewayPolicySpec {
    /// What it is attached to, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_refs: Vec<PolicyTarget>,
    /// What it is attached to, by label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub target_selectors: Vec<PolicyTargetSelector>,
    /// Rules for requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "preserved")]
    pub traffic: Option<Value>,
    /// Rules for listeners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "preserved")]
    pub frontend: Option<Value>,
    /// Rules for connections to servers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "preserved")]
    pub backend: Option<Value>,
    /// How it merges with others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "preserved")]
    pub strategy: Option<Value>,
}

/// An object of the policy's namespace, by name.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyTarget {
    /// Its API group; empty for a Service.
    #[serde(default)]
    pub group: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// A part of it: a listener, a rule, a port or a target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

/// Objects of the policy's namespace, by label.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyTargetSelector {
    /// Their API group; empty for Services.
    #[serde(default)]
    pub group: String,
    /// Their kind.
    pub kind: String,
    /// Labels that all of them carry.
    #[serde(default)]
    pub match_labels: BTreeMap<String, String>,
    /// A part of each: a listener, a rule, a port or a target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
}

/// How a policy fares, by what it is attached to.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct PolicyStatus {
    /// `Accepted` and `Attached`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}
