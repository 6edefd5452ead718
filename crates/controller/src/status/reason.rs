//! The types and reasons of conditions, those of the Gateway API and ours.

/// Types of conditions.
pub mod kind {
    /// Whether an object means something that can be served.
    pub const ACCEPTED: &str = "Accepted";
    /// Whether what an object refers to is there and may be referred to.
    pub const RESOLVED_REFS: &str = "ResolvedRefs";
    /// Whether an object is in force.
    pub const PROGRAMMED: &str = "Programmed";
    /// Whether listeners cannot be told apart.
    pub const CONFLICTED: &str = "Conflicted";
    /// Whether some rules of a route are not served.
    pub const PARTIALLY_INVALID: &str = "PartiallyInvalid";
    /// Whether this version of the Gateway API is known.
    pub const SUPPORTED_VERSION: &str = "SupportedVersion";
    /// Whether the certificate of one listener may answer for hosts of another.
    pub const OVERLAPPING_TLS_CONFIG: &str = "OverlappingTLSConfig";
    /// Whether a policy is attached to something.
    pub const ATTACHED: &str = "Attached";
}

/// All is well.
pub const ACCEPTED: &str = "Accepted";
/// Parameters are referred to that are not there, or of no kind that is known.
pub const INVALID_PARAMETERS: &str = "InvalidParameters";
/// The version of the Gateway API is known.
pub const SUPPORTED_VERSION: &str = "SupportedVersion";
/// It is not.
pub const UNSUPPORTED_VERSION: &str = "UnsupportedVersion";
/// Some listeners of a Gateway cannot be served.
pub const LISTENERS_NOT_VALID: &str = "ListenersNotValid";
/// Some listeners of a Gateway refer to what they may not or what is not there.
pub const LISTENERS_NOT_RESOLVED: &str = "ListenersNotResolved";
/// An address of a kind that is not served.
pub const UNSUPPORTED_ADDRESS: &str = "UnsupportedAddress";
/// A protocol that is not served.
pub const UNSUPPORTED_PROTOCOL: &str = "UnsupportedProtocol";
/// A port that cannot be listened on.
pub const PORT_UNAVAILABLE: &str = "PortUnavailable";
/// Listeners of one port have one hostname.
pub const HOSTNAME_CONFLICT: &str = "HostnameConflict";
/// Listeners of one port have protocols that cannot share it.
pub const PROTOCOL_CONFLICT: &str = "ProtocolConflict";
/// HTTPS listeners of one port have hosts in common.
pub const OVERLAPPING_HOSTNAMES: &str = "OverlappingHostnames";
/// Listeners can be told apart.
pub const NO_CONFLICTS: &str = "NoConflicts";
/// Everything that is referred to is there.
pub const RESOLVED_REFS: &str = "ResolvedRefs";
/// A certificate that is not there or none.
pub const INVALID_CERTIFICATE_REF: &str = "InvalidCertificateRef";
/// A kind of routes that a listener cannot take.
pub const INVALID_ROUTE_KINDS: &str = "InvalidRouteKinds";
/// No ReferenceGrant lets an object of another namespace be referred to.
pub const REF_NOT_PERMITTED: &str = "RefNotPermitted";
/// It cannot be served as it is written.
pub const INVALID: &str = "Invalid";
/// The listeners of a parent do not take routes of this kind or namespace.
pub const NOT_ALLOWED_BY_LISTENERS: &str = "NotAllowedByListeners";
/// No listener of a parent has a hostname in common with the route.
pub const NO_MATCHING_LISTENER_HOSTNAME: &str = "NoMatchingListenerHostname";
/// A parent has no such listener.
pub const NO_MATCHING_PARENT: &str = "NoMatchingParent";
/// Something is written that is not served.
pub const UNSUPPORTED_VALUE: &str = "UnsupportedValue";
/// Filters of one rule that cannot be together.
pub const INCOMPATIBLE_FILTERS: &str = "IncompatibleFilters";
/// What is referred to is not there.
pub const BACKEND_NOT_FOUND: &str = "BackendNotFound";
/// What is referred to is of a kind that nothing can be sent to.
pub const INVALID_KIND: &str = "InvalidKind";
/// What is written in a backend cannot be served.
pub const TRANSLATION_ERROR: &str = "TranslationError";
/// A backend of a kind that belongs to another product.
pub const UNSUPPORTED: &str = "Unsupported";
/// Some of what a policy says is in force, and the rest does no harm.
pub const PARTIALLY_VALID: &str = "PartiallyValid";
/// A policy keeps it shut.
pub const CLOSED: &str = "Closed";
/// A Service without a port that says that it speaks MCP.
pub const NO_USABLE_PORT: &str = "NoUsablePort";
/// What a policy is attached to is not there.
pub const TARGET_NOT_FOUND: &str = "TargetNotFound";
/// A policy is attached.
pub const ATTACHED: &str = "Attached";
/// An older policy is attached to the same thing.
pub const CONFLICTED: &str = "Conflicted";
/// Authorities that are not there or none.
pub const INVALID_CA_CERTIFICATE_REF: &str = "InvalidCACertificateRef";
/// There is no authority by which a server could be trusted.
pub const NO_VALID_CA_CERTIFICATE: &str = "NoValidCACertificate";
/// What is to come has not come yet.
pub const PENDING: &str = "Pending";
