//! The custom resources that users write, as Rust types: shape only, as an API server would hold
//! them. What they mean is `translate`'s, how a file holds them is `manifests`'.

mod backend;
mod definitions;
mod kgateway;
mod parameters;
mod policy;
mod schema;

pub use backend::{
    AgentgatewayBackend, AgentgatewayBackendSpec, BackendStatus, BackendSummary, FailureMode,
    LocalReference, Mcp, PrefixMode, Protocol, Selector, SessionRouting, SingleTarget,
    StaticBackend, StaticTarget, Target, TargetStatus,
};
pub use definitions::definitions;
pub use kgateway::{
    Backend as KgatewayBackend, BackendSpec as KgatewayBackendSpec, KgatewayMcp, KgatewayProtocol,
    KgatewaySelector, KgatewaySelectors, KgatewayStatic, KgatewayTarget,
};
pub use parameters::{
    AgentgatewayParameters, AgentgatewayParametersSpec, Image, LogFormat, Logging, Overlay,
    OverlayMetadata, PullPolicy, Shutdown,
};
pub use policy::{
    AgentgatewayPolicy, AgentgatewayPolicySpec, AncestorReference, BackendAuth, BackendCredential,
    BackendHttp, BackendTcp, BackendTls, BackendTlsValidation, Cors, CredentialHeader,
    CredentialLocation, Header, HeaderFilter, HeaderModifiers, HttpVersion, InsecureSkipVerify,
    PolicyAncestor, PolicyStatus, PolicyTarget, PolicyTargetSelector, PolicyTimeouts,
    SecretReference, SubjectAltName,
};
