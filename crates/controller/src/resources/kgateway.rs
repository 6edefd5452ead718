//! `Backend` of `gateway.kgateway.dev`: the two generations of MCP backends before
//! `AgentgatewayBackend`. One type reads both, since no field means one thing in the first and
//! another in the second.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::{BackendStatus, FailureMode, preserved};

/// What a Backend offers. Only `type: MCP` is served.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[kube(
    group = "gateway.kgateway.dev",
    version = "v1alpha1",
    kind = "Backend",
    plural = "backends",
    shortname = "be",
    namespaced,
    status = "BackendStatus",
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
pub struct BackendSpec {
    /// `MCP`, or a kind of another product.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// MCP servers behind one endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp: Option<KgatewayMcp>,
    /// Policies of this Backend. Those that guard and are not built yet keep it shut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "preserved")]
    pub policies: Option<Value>,
}

/// MCP servers behind one endpoint.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KgatewayMcp {
    /// The name of the virtual server (first generation). Read and not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The MCP servers.
    #[serde(default)]
    pub targets: Vec<KgatewayTarget>,
    /// What a list does while a target is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_mode: Option<FailureMode>,
}

/// One entry of `targets`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KgatewayTarget {
    /// The prefix of this server's names (second generation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Servers found by label (second generation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<KgatewaySelector>,
    /// Servers found by label (first generation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selectors: Option<KgatewaySelectors>,
    /// A server by address.
    #[serde(rename = "static", default, skip_serializing_if = "Option::is_none")]
    pub static_: Option<KgatewayStatic>,
}

/// Services found by label (second generation).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KgatewaySelector {
    /// Where to look. Unset: the Backend's own namespace. Empty: every namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<LabelSelector>,
    /// Which Services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<LabelSelector>,
}

/// Services found by label (first generation).
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KgatewaySelectors {
    /// Where to look. Unset: the Backend's own namespace. Empty: every namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace_selector: Option<LabelSelector>,
    /// Which Services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_selector: Option<LabelSelector>,
}

/// A server by address.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KgatewayStatic {
    /// The prefix of this server's names (first generation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A DNS name or an IP address.
    pub host: String,
    /// The port, 1 to 65535.
    pub port: i32,
    /// The path. Unset: `/mcp` for streamable HTTP, `/sse` for SSE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The transport. Unset and `Undefined` mean `StreamableHTTP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<KgatewayProtocol>,
    /// Policies of this target. Those that guard and are not built yet keep it shut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "preserved")]
    pub policies: Option<Value>,
}

/// How a server speaks MCP.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum KgatewayProtocol {
    /// Not said (first generation).
    Undefined,
    /// Streamable HTTP (2025-03-26 and later).
    #[serde(rename = "StreamableHTTP")]
    StreamableHttp,
    /// HTTP with server-sent events (2024-11-05).
    #[serde(rename = "SSE")]
    Sse,
}
