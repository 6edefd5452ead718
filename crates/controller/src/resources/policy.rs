//! `AgentgatewayPolicy`: the parts of it that are in force have types; the rest is kept as written.

mod connection;
mod schema;
mod traffic;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::schema::rules;
pub use connection::{
    BackendAuth, BackendCredential, BackendHttp, BackendTcp, BackendTls, BackendTlsValidation,
    CredentialHeader, CredentialLocation, HttpVersion, InsecureSkipVerify, SecretReference,
    SubjectAltName,
};
use schema::{ATTACHABLE, SPEC, backend, frontend, strategy};
pub(in crate::resources) use schema::{backend_policies, connection_policies};
pub use traffic::{Cors, Header, HeaderFilter, HeaderModifiers, PolicyTimeouts};

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
    doc = "Rules for traffic, attached to Gateways, routes, Services or backends of its own namespace.",
    printcolumn = r#"{"name": "Accepted", "type": "string", "jsonPath": ".status.ancestors[*].conditions[?(@.type==\"Accepted\")].status", "description": "Whether it is in force as it is written."}"#,
    printcolumn = r#"{"name": "Attached", "type": "string", "jsonPath": ".status.ancestors[*].conditions[?(@.type==\"Attached\")].status", "description": "Whether what it is attached to is there."}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(&SPEC)))]
pub struct AgentgatewayPolicySpec {
    /// What it is attached to, by name; all of one kind. Exactly one of `targetRefs` and
    /// `targetSelectors`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub target_refs: Vec<PolicyTarget>,
    /// What it is attached to, by label; all of one kind. Exactly one of `targetRefs` and
    /// `targetSelectors`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub target_selectors: Vec<PolicyTargetSelector>,
    /// Rules for requests. What restricts who may call and is not built closes what the policy is
    /// attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "schema::traffic")]
    pub traffic: Option<Value>,
    /// Rules for connections of clients; for Gateways.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "frontend")]
    pub frontend: Option<Value>,
    /// Rules for connections to servers, and for MCP. What restricts who may call and is not built
    /// closes what the policy is attached to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "backend")]
    pub backend: Option<Value>,
    /// How it merges with others; for `traffic`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "strategy")]
    pub strategy: Option<Value>,
}

/// An object of the policy's namespace, by name.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(&ATTACHABLE)))]
pub struct PolicyTarget {
    /// Its API group; empty for a Service.
    #[serde(default)]
    #[schemars(length(max = 253))]
    pub group: String,
    /// Its kind: `Gateway`, `HTTPRoute`, `GRPCRoute`, `ListenerSet`, `Service`, `AgentgatewayBackend` or
    /// `InferencePool`.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
    /// A part of it: the listener of a Gateway, the rule of a route, the port of a Service by number, or the
    /// target of a backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub section_name: Option<String>,
}

/// Objects of the policy's namespace, by label.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(&ATTACHABLE)))]
pub struct PolicyTargetSelector {
    /// Their API group; empty for Services.
    #[serde(default)]
    #[schemars(length(max = 253))]
    pub group: String,
    /// Their kind: `Gateway`, `HTTPRoute`, `GRPCRoute`, `ListenerSet`, `Service`, `AgentgatewayBackend` or
    /// `InferencePool`.
    #[schemars(length(min = 1, max = 63))]
    pub kind: String,
    /// Labels that all of them carry.
    #[serde(default)]
    pub match_labels: BTreeMap<String, String>,
    /// A part of each: the listener of a Gateway, the rule of a route, the port of a Service by number, or
    /// the target of a backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub section_name: Option<String>,
}

/// How a policy fares, by what it is attached to.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct PolicyStatus {
    /// One entry for each object that it is attached to and each controller that says so.
    #[serde(default)]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "atomic"))]
    pub ancestors: Vec<PolicyAncestor>,
}

/// How a policy fares at one object that it is attached to.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PolicyAncestor {
    /// The object.
    pub ancestor_ref: AncestorReference,
    /// Who says so.
    #[schemars(length(min = 1, max = 253))]
    pub controller_name: String,
    /// `Accepted` and `Attached`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub conditions: Vec<Condition>,
}

/// An object that a policy is attached to.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AncestorReference {
    /// Its API group; empty for a Service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its namespace. Unset: the policy's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// The part of it that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section_name: Option<String>,
    /// The port of it that is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
}
