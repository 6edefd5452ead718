//! `Backend` of `gateway.kgateway.dev`: the two generations of MCP backends before
//! `AgentgatewayBackend`. One type reads both, since no field means one thing in the first and
//! another in the second.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::policy::connection_policies;
use crate::resources::schema::{NAME, Rule, preserved, rules};
use crate::resources::{BackendStatus, FailureMode};

const TARGET: [Rule; 1] = [(
    "[has(self.selector), has(self.selectors), has(self.static)].filter(there, there).size() <= 1",
    "write one of `static`, a server by address, `selector` and `selectors`, servers by label",
)];

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
    doc = "An MCP server as clients see it, as kgateway's users wrote it before `AgentgatewayBackend`. Fields of other kinds of backends are stored and not read.",
    printcolumn = r#"{"name": "Accepted", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Accepted\")].status", "description": "Whether it is served as it is written."}"#,
    printcolumn = r#"{"name": "Targets", "type": "string", "jsonPath": ".status.summary.targets", "description": "How many of its servers answer, of how many."}"#,
    printcolumn = r#"{"name": "Tools", "type": "integer", "jsonPath": ".status.summary.tools", "description": "How many tools they offer."}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
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
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct KgatewayMcp {
    /// The name of the virtual server (first generation). Read and not used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The MCP servers.
    #[serde(default)]
    #[schemars(length(max = 128), extend("x-kubernetes-list-type" = "atomic"))]
    pub targets: Vec<KgatewayTarget>,
    /// What a list does while a target is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_mode: Option<FailureMode>,
}

/// One entry of `targets`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true, "x-kubernetes-validations" = rules(&TARGET)))]
pub struct KgatewayTarget {
    /// The prefix of this server's names (second generation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
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
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
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
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
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
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct KgatewayStatic {
    /// The prefix of this server's names (first generation).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub name: Option<String>,
    /// A DNS name or an IP address.
    #[schemars(length(min = 1, max = 256))]
    pub host: String,
    /// The port, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// The path. Unset: `/mcp` for streamable HTTP, `/sse` for SSE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub path: Option<String>,
    /// The transport. Unset and `Undefined` mean `StreamableHTTP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<KgatewayProtocol>,
    /// Policies of this target. Those that guard and are not built yet keep it shut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "connection_policies")]
    pub policies: Option<Value>,
}

/// How a server speaks MCP: `StreamableHTTP` (2025-03-26 and later), `SSE`, HTTP with server-sent events
/// (2024-11-05), or `Undefined`. Unset and `Undefined` mean `StreamableHTTP`.
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
