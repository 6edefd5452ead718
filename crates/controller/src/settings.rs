//! What an installation says of itself: whose Gateways it serves, and how far it looks.

/// How translation reads a world.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// The GatewayClass whose Gateways are ours, where no such object says otherwise.
    pub class: String,
    /// The controller that a GatewayClass names to make its Gateways ours.
    pub controller: String,
    /// The domain below which Services have names: `<service>.<namespace>.svc.<domain>`.
    pub cluster_domain: String,
    /// Which Services of other namespaces a selector finds.
    pub cross_namespace: CrossNamespace,
    /// The ports that a proxy needs for itself, on which no listener can be.
    pub reserved_ports: Vec<u16>,
}

/// Which Services of other namespaces a selector finds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum CrossNamespace {
    /// Those that a ReferenceGrant or an annotation of their own lets be found.
    #[default]
    Granted,
    /// All.
    Any,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            class: "agentgateway".to_owned(),
            controller: "agentgateway.dev/agentgateway".to_owned(),
            cluster_domain: "cluster.local".to_owned(),
            cross_namespace: CrossNamespace::default(),
            reserved_ports: Vec::new(),
        }
    }
}
