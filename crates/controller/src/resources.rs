//! The custom resources that users write, as Rust types: shape only, as an API server would hold
//! them. What they mean is `translate`'s, how a file holds them is `manifests`'.

mod backend;
mod kgateway;
mod policy;

pub use backend::{
    AgentgatewayBackend, AgentgatewayBackendSpec, BackendStatus, BackendSummary, FailureMode,
    LocalReference, Mcp, PrefixMode, Protocol, Selector, SessionRouting, SingleTarget,
    StaticTarget, Target, TargetStatus,
};
pub use kgateway::{
    Backend as KgatewayBackend, BackendSpec as KgatewayBackendSpec, KgatewayMcp, KgatewayProtocol,
    KgatewaySelector, KgatewaySelectors, KgatewayStatic, KgatewayTarget,
};
pub use policy::{
    AgentgatewayPolicy, AgentgatewayPolicySpec, PolicyStatus, PolicyTarget, PolicyTargetSelector,
};

use schemars::{Schema, SchemaGenerator, json_schema};

/// The schema of an object whose fields we keep and do not know.
fn preserved(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "nullable": true,
        "x-kubernetes-preserve-unknown-fields": true,
    })
}
