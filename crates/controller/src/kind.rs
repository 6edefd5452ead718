//! The kinds of objects that translation reads, and which versions of them are understood.

use kube::core::{ApiResource, GroupVersionKind};

/// A kind of objects that is watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Which Gateways are ours.
    GatewayClass,
    /// What is listened on.
    Gateway,
    /// Which requests go where.
    HttpRoute,
    /// Which references may cross namespaces.
    ReferenceGrant,
    /// How the certificates of servers are checked.
    BackendTlsPolicy,
    /// The MCP servers that clients see.
    AgentgatewayBackend,
    /// What guards.
    AgentgatewayPolicy,
    /// How proxies are deployed.
    AgentgatewayParameters,
    /// The MCP servers that clients see, in the two older shapes.
    KgatewayBackend,
    /// Where servers are.
    Service,
    /// The addresses behind Services.
    EndpointSlice,
    /// Labels of namespaces.
    Namespace,
    /// Which version of the Gateway API is installed. Watched by metadata.
    CustomResourceDefinition,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::GatewayClass,
        Self::Gateway,
        Self::HttpRoute,
        Self::ReferenceGrant,
        Self::BackendTlsPolicy,
        Self::AgentgatewayBackend,
        Self::AgentgatewayPolicy,
        Self::AgentgatewayParameters,
        Self::KgatewayBackend,
        Self::Service,
        Self::EndpointSlice,
        Self::Namespace,
        Self::CustomResourceDefinition,
    ];

    /// Its API group; empty for the core.
    pub fn group(self) -> &'static str {
        match self {
            Self::GatewayClass
            | Self::Gateway
            | Self::HttpRoute
            | Self::ReferenceGrant
            | Self::BackendTlsPolicy => "gateway.networking.k8s.io",
            Self::AgentgatewayBackend | Self::AgentgatewayPolicy | Self::AgentgatewayParameters => {
                "agentgateway.dev"
            }
            Self::CustomResourceDefinition => "apiextensions.k8s.io",
            Self::KgatewayBackend => "gateway.kgateway.dev",
            Self::EndpointSlice => "discovery.k8s.io",
            Self::Service | Self::Namespace => "",
        }
    }

    /// The versions that are understood, the best first.
    pub fn versions(self) -> &'static [&'static str] {
        match self {
            Self::ReferenceGrant => &["v1", "v1beta1"],
            Self::BackendTlsPolicy => &["v1", "v1alpha3"],
            Self::AgentgatewayBackend
            | Self::AgentgatewayPolicy
            | Self::AgentgatewayParameters
            | Self::KgatewayBackend => &["v1alpha1"],
            Self::GatewayClass
            | Self::Gateway
            | Self::HttpRoute
            | Self::Service
            | Self::EndpointSlice
            | Self::Namespace
            | Self::CustomResourceDefinition => &["v1"],
        }
    }

    /// Its name in an object.
    pub fn name(self) -> &'static str {
        match self {
            Self::GatewayClass => "GatewayClass",
            Self::Gateway => "Gateway",
            Self::HttpRoute => "HTTPRoute",
            Self::ReferenceGrant => "ReferenceGrant",
            Self::BackendTlsPolicy => "BackendTLSPolicy",
            Self::AgentgatewayBackend => "AgentgatewayBackend",
            Self::AgentgatewayPolicy => "AgentgatewayPolicy",
            Self::AgentgatewayParameters => "AgentgatewayParameters",
            Self::KgatewayBackend => "Backend",
            Self::Service => "Service",
            Self::EndpointSlice => "EndpointSlice",
            Self::Namespace => "Namespace",
            Self::CustomResourceDefinition => "CustomResourceDefinition",
        }
    }

    /// Its name in paths, for kinds that not every cluster has.
    pub fn plural(self) -> Option<&'static str> {
        match self {
            Self::GatewayClass => Some("gatewayclasses"),
            Self::Gateway => Some("gateways"),
            Self::HttpRoute => Some("httproutes"),
            Self::ReferenceGrant => Some("referencegrants"),
            Self::BackendTlsPolicy => Some("backendtlspolicies"),
            Self::AgentgatewayBackend => Some("agentgatewaybackends"),
            Self::AgentgatewayPolicy => Some("agentgatewaypolicies"),
            Self::AgentgatewayParameters => Some("agentgatewayparameters"),
            Self::KgatewayBackend => Some("backends"),
            Self::Service
            | Self::EndpointSlice
            | Self::Namespace
            | Self::CustomResourceDefinition => None,
        }
    }

    /// How its objects are read in `version`.
    pub(crate) fn resource(self, version: &str) -> ApiResource {
        let kind = GroupVersionKind::gvk(self.group(), version, self.name());
        match self.plural() {
            Some(plural) => ApiResource::from_gvk_with_plural(&kind, plural),
            None => ApiResource::from_gvk(&kind),
        }
    }
}
