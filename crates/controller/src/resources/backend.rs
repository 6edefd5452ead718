//! `AgentgatewayBackend`: the MCP server that a client sees, in its current shape.

mod status;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::resources::policy::{backend_policies, connection_policies};
use crate::resources::schema::{NAME, Rule, preserved, rules};
pub use status::{BackendStatus, BackendSummary, TargetStatus};

const SPEC: [Rule; 3] = [
    (
        "[has(self.mcp), has(self.static), has(self.ai), has(self.aws), has(self.a2a), \
         has(self.dynamicForwardProxy)].filter(there, there).size() == 1",
        "write exactly one of `mcp`, `static`, `ai`, `aws`, `a2a` and `dynamicForwardProxy`",
    ),
    (
        "!has(self.policies) || !has(self.policies.mcp) || has(self.mcp)",
        "`policies.mcp` is for a Backend with `mcp`: add it, or leave out `policies.mcp`",
    ),
    (
        "!has(self.policies) || !has(self.policies.ai) || has(self.ai)",
        "`policies.ai` is for a Backend with `ai`: add it, or leave out `policies.ai`",
    ),
];

const MCP: [Rule; 1] = [(
    "has(self.targets) != has(self.target)",
    "write exactly one of `targets`, a list of servers, and `target`, a single one",
)];

const TARGET: [Rule; 1] = [(
    "has(self.selector) != has(self.static)",
    "write exactly one of `selector`, servers by label, and `static`, a server by address",
)];

const SELECTOR: [Rule; 1] = [(
    "has(self.services) || has(self.namespaces)",
    "write `services`, `namespaces` or both; `services: {}` is every Service",
)];

const ADDRESS: [Rule; 2] = [
    (
        "has(self.host) != has(self.backendRef)",
        "write exactly one of `host` and `backendRef`, the name of a Service in this namespace",
    ),
    (
        "!has(self.backendRef) || !has(self.policies)",
        "`policies` go with `host`; with `backendRef`, attach an AgentgatewayPolicy to the Service",
    ),
];

/// What a Backend offers. One of `mcp` and the kinds of other products, which are stored and not
/// served.
#[derive(CustomResource, Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[kube(
    group = "agentgateway.dev",
    version = "v1alpha1",
    kind = "AgentgatewayBackend",
    plural = "agentgatewaybackends",
    shortname = "agbe",
    namespaced,
    status = "BackendStatus",
    doc = "An MCP server as clients see it: one or many servers behind one endpoint; or another kind of server.",
    printcolumn = r#"{"name": "Accepted", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Accepted\")].status", "description": "Whether it is served as it is written."}"#,
    printcolumn = r#"{"name": "Targets", "type": "string", "jsonPath": ".status.summary.targets", "description": "How many of its servers answer, of how many."}"#,
    printcolumn = r#"{"name": "Tools", "type": "integer", "jsonPath": ".status.summary.tools", "description": "How many tools they offer."}"#,
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    derive = "Default",
    derive = "PartialEq"
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(&SPEC)))]
pub struct AgentgatewayBackendSpec {
    /// MCP servers behind one endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp: Option<Mcp>,
    /// Policies of this Backend. Those that guard and are not built yet keep it shut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "backend_policies")]
    pub policies: Option<Value>,
    /// An ordinary HTTP server.
    #[serde(rename = "static", default, skip_serializing_if = "Option::is_none")]
    pub static_: Option<StaticBackend>,
    /// A model provider. Stored, never served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "preserved")]
    pub ai: Option<Value>,
    /// An AWS service. Stored, never served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "preserved")]
    pub aws: Option<Value>,
    /// An agent-to-agent server. Stored, never served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "preserved")]
    pub a2a: Option<Value>,
    /// A proxy to whatever host a request names. Stored, never served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "preserved")]
    pub dynamic_forward_proxy: Option<Value>,
}

/// An ordinary HTTP server.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StaticBackend {
    /// A DNS name or an IP address.
    #[schemars(length(min = 1, max = 256))]
    pub host: String,
    /// The port, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
}

/// MCP servers behind one endpoint: `targets`, or the short form `target` for a single one.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(&MCP)))]
pub struct Mcp {
    /// The MCP servers, in the order in which they are listed to clients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(min = 1, max = 128),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub targets: Vec<Target>,
    /// The one MCP server. Short for a `targets` list of one static entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<SingleTarget>,
    /// Whether clients get sessions. Unset means `Stateful`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_routing: Option<SessionRouting>,
    /// What a list does while a target is away. Unset means partial lists and the last known good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_mode: Option<FailureMode>,
    /// When names carry their target's name. Unset means `Conditional`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_mode: Option<PrefixMode>,
}

/// One entry of `targets`: a server by address, or all the servers that a selector finds.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(&TARGET)))]
pub struct Target {
    /// The prefix of this server's names. Selected servers are named after their Services instead.
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub name: String,
    /// Servers found by label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
    /// A server by address.
    #[serde(rename = "static", default, skip_serializing_if = "Option::is_none")]
    pub static_: Option<StaticTarget>,
}

/// Services found by label; each port whose `appProtocol` says MCP is a target.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(&SELECTOR)))]
pub struct Selector {
    /// Where to look. Unset: the Backend's own namespace. Empty: every namespace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespaces: Option<LabelSelector>,
    /// Which Services. Unset or empty: every Service there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub services: Option<LabelSelector>,
}

/// A server by address.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(&ADDRESS)))]
pub struct StaticTarget {
    /// A DNS name or an IP address. Exactly one of `host` and `backendRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub host: Option<String>,
    /// A Service of the Backend's namespace, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend_ref: Option<LocalReference>,
    /// The port, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// The path. Unset: `/mcp` for streamable HTTP, `/sse` for SSE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub path: Option<String>,
    /// The transport. Unset means `StreamableHTTP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Policies of this target. Those that guard and are not built yet keep it shut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "connection_policies")]
    pub policies: Option<Value>,
}

/// The short form `mcp.target`: a static target whose name may be left out.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = rules(&ADDRESS)))]
pub struct SingleTarget {
    /// The target's name. Unset: the Backend's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = NAME))]
    pub name: Option<String>,
    /// A DNS name or an IP address. Exactly one of `host` and `backendRef`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub host: Option<String>,
    /// A Service of the Backend's namespace, by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend_ref: Option<LocalReference>,
    /// The port, 1 to 65535.
    #[schemars(range(min = 1, max = 65535))]
    pub port: i32,
    /// The path. Unset: `/mcp` for streamable HTTP, `/sse` for SSE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024))]
    pub path: Option<String>,
    /// The transport. Unset means `StreamableHTTP`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,
    /// Policies of this target. Those that guard and are not built yet keep it shut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(schema_with = "connection_policies")]
    pub policies: Option<Value>,
}

/// An object of the same namespace, by name.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct LocalReference {
    /// Its name.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// How a server speaks MCP: `StreamableHTTP` (2025-03-26 and later) or `SSE`, HTTP with server-sent
/// events (2024-11-05). Unset means `StreamableHTTP`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum Protocol {
    /// Streamable HTTP (2025-03-26 and later).
    #[serde(rename = "StreamableHTTP")]
    StreamableHttp,
    /// HTTP with server-sent events (2024-11-05).
    #[serde(rename = "SSE")]
    Sse,
}

/// Whether clients get sessions: `Stateful`, they do, or `Stateless`, every request stands alone.
/// Unset means `Stateful`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum SessionRouting {
    /// Clients get sessions.
    Stateful,
    /// Every request stands alone.
    Stateless,
}

/// What `initialize` and the lists do while a target is away: `FailClosed`, they fail, or
/// `FailOpen`, they go on with the rest. Unset: they go on with the rest and with what was last known
/// of it, and say so.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum FailureMode {
    /// They fail.
    FailClosed,
    /// They go on with the rest.
    FailOpen,
}

/// When the names that clients see carry their target's name: `Conditional`, from the second target
/// on, `Always`, with one target too, or `Never`. Unset means `Conditional`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub enum PrefixMode {
    /// From the second target on.
    Conditional,
    /// With one target too.
    Always,
    /// Never.
    Never,
}
