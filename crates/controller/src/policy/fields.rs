//! Every field that a policy may have, and what becomes of it. The page for people is made of the same
//! table that decides.

use std::fmt::Write;

use Fate::{Closes, Ignored, Works};

/// What becomes of a field.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fate {
    /// It is in force. What it means, where that is not all that its name says.
    Works(&'static str),
    /// It keeps shut what its policy is attached to, because without it more would be let through than was
    /// meant. Why it is not in force.
    Closes(&'static str),
    /// Nothing follows from it. Why that does no harm.
    Ignored(&'static str),
}

/// What becomes of the field at a path, `None` where nothing is known of it or of a field in it.
pub(super) enum Known {
    /// All of it shares this.
    Field(Fate),
    /// It depends on the fields in it.
    Group,
    /// It is not in the table.
    Unknown,
}

/// What becomes of the field at `path`, lists without their indices: `backend.auth.credentials.secretRef`.
pub(super) fn known(path: &str) -> Known {
    if let Some((_, fate)) = FIELDS.iter().find(|(field, _)| *field == path) {
        return Known::Field(*fate);
    }
    let is_inside =
        |field: &str| field.strip_prefix(path).is_some_and(|rest| rest.starts_with('.'));
    match FIELDS.iter().any(|(field, _)| is_inside(field)) {
        true => Known::Group,
        false => Known::Unknown,
    }
}

const NOT_BUILT: Fate = Closes("not built yet");
const FIELDS: [(&str, Fate); 72] = [
    (
        "strategy.inheritance",
        Works(
            "`Override`: each part of `traffic` counts more than what narrower policies, or a route itself, say of it",
        ),
    ),
    (
        "traffic.phase",
        Works("of what works, nothing needs a route: `PreRouting` is the same as `PostRouting`"),
    ),
    (
        "traffic.timeouts.request",
        Works(
            "the end of an answer; to MCP servers, of a call. Streams on which clients listen have no end",
        ),
    ),
    (
        "traffic.headerModifiers.request",
        Works(
            "MCP servers see of it what is forwarded to them; nobody may set headers of a connection",
        ),
    ),
    ("traffic.headerModifiers.response", Works("")),
    ("traffic.cors", Works("as the CORS filter of an HTTPRoute")),
    ("traffic.transformation", NOT_BUILT),
    ("traffic.extProc", NOT_BUILT),
    ("traffic.extAuth", NOT_BUILT),
    ("traffic.rateLimit", NOT_BUILT),
    ("traffic.csrf", NOT_BUILT),
    ("traffic.authorization", NOT_BUILT),
    ("traffic.jwtAuthentication", NOT_BUILT),
    ("traffic.basicAuthentication", NOT_BUILT),
    ("traffic.apiKeyAuthentication", NOT_BUILT),
    ("traffic.directResponse", NOT_BUILT),
    (
        "traffic.hostRewrite",
        Ignored(
            "MCP servers see their own host, ordinary servers the client's: use `URLRewrite` of a route",
        ),
    ),
    (
        "traffic.retry",
        Ignored("a request is sent again where it provably was not executed, and only then"),
    ),
    ("traffic.buffer", Ignored("bodies stream; what has to be collected is bounded by the proxy")),
    ("traffic.delay", Ignored("nothing waits")),
    ("frontend.tcp", Ignored("the system's keep-alive is used")),
    ("frontend.networkAuthorization", NOT_BUILT),
    ("frontend.tls", NOT_BUILT),
    (
        "frontend.http",
        Ignored("the proxy's own bounds hold: 4 MiB of a request to MCP, 32 KiB of headers"),
    ),
    ("frontend.proxyProtocol", NOT_BUILT),
    ("frontend.connect", Ignored("CONNECT is never served")),
    (
        "frontend.accessLog",
        Ignored("every request has its line, as JSON where the proxy is told so"),
    ),
    ("frontend.tracing", Ignored("no spans are sent")),
    ("frontend.metrics", Ignored("metrics have the labels that they have")),
    ("backend.tcp.connectTimeout", Works("TCP and TLS together")),
    ("backend.tcp.keepalive", Ignored("idle connections are closed before they are lost")),
    ("backend.tls.certificateSource", Works("`Inline`; `SPIFFE` closes")),
    (
        "backend.tls.mtlsCertificateRef",
        Works(
            "a Secret with `tls.crt` and `tls.key`; its `ca.crt` is trusted where `caCertificateRefs` is unset",
        ),
    ),
    ("backend.tls.caCertificateRefs", Works("the `ca.crt` of a ConfigMap, or of a Secret")),
    ("backend.tls.insecureSkipVerify", Works("")),
    ("backend.tls.sni", Works("also the name that the certificate is for")),
    ("backend.tls.verifySubjectAltNames", Works("DNS names, IP addresses and URIs")),
    (
        "backend.tls.alpnProtocols",
        Works(
            "`h2` and `http/1.1`: which of them is spoken is said by `http.version`; others close",
        ),
    ),
    ("backend.tls.keyExchangeGroups", NOT_BUILT),
    ("backend.http.version", Works("MCP servers are spoken to in HTTP/1.1: `HTTP2` closes them")),
    ("backend.http.requestTimeout", Works("the end of an answer; to MCP servers, of a call")),
    ("backend.tunnel", NOT_BUILT),
    ("backend.auth.key", Works("never shown, in the log or on the admin port")),
    (
        "backend.auth.secretRef.name",
        Works("a Secret of the same namespace; without it, what would show it is closed"),
    ),
    ("backend.auth.secretRef.key", Works("unset: `Authorization`")),
    ("backend.auth.secretRef.group", Works("the core group; others close")),
    ("backend.auth.secretRef.kind", Works("`Secret`; others close")),
    ("backend.auth.location.header", Works("unset: `Authorization` with `Bearer ` before it")),
    ("backend.auth.location.queryParameter", NOT_BUILT),
    ("backend.auth.location.cookie", NOT_BUILT),
    ("backend.auth.credentials.location.header", Works("")),
    ("backend.auth.credentials.location.queryParameter", NOT_BUILT),
    ("backend.auth.credentials.location.cookie", NOT_BUILT),
    ("backend.auth.credentials.secretRef", Works("as `auth.secretRef`")),
    ("backend.auth.passthrough", Closes("credentials of clients are never passed on")),
    ("backend.auth.aws", NOT_BUILT),
    ("backend.auth.azure", NOT_BUILT),
    ("backend.auth.gcp", NOT_BUILT),
    ("backend.auth.oauthTokenExchange", NOT_BUILT),
    ("backend.auth.crossAppAccess", NOT_BUILT),
    ("backend.auth.jwtSign", NOT_BUILT),
    ("backend.mcp.authorization", NOT_BUILT),
    ("backend.mcp.authentication", NOT_BUILT),
    ("backend.mcp.guardrails", NOT_BUILT),
    ("backend.ai", Closes("model providers are not served")),
    ("backend.transformation", NOT_BUILT),
    (
        "backend.health",
        Ignored("no server is left out; one that is down is asked again with growing pauses"),
    ),
    ("backend.extAuth", NOT_BUILT),
    // BackendTLSPolicy.
    ("validation.caCertificateRefs", Works("the `ca.crt` of ConfigMaps")),
    ("validation.wellKnownCACertificates", Works("`System`")),
    ("validation.hostname", Works("the name that is asked for, and that the certificate is for")),
    ("validation.subjectAltNames", Works("of the types `Hostname` and `URI`")),
];

/// What is said above the table.
const HEAD: &str = "\
# Policies

What becomes of every field of an `AgentgatewayPolicy`, of `spec.policies` of an `AgentgatewayBackend` and of
`policies` of its static targets (both have the fields of `backend`, without that word), and of a
`BackendTLSPolicy` (`validation`). `portico policies` prints this page.

- **works**: it is in force.
- **closes**: it is not, and it may be meant to keep somebody out. What the policy is attached to answers 503, and
  the policy says `Accepted=False` with the field and the reason. A field that is in no row closes, too.
- **ignored**: nothing follows from it, and that does no harm. The policy says `Accepted=True` with the reason
  `PartiallyValid` and the field.

Of several policies each part (`timeouts`, `headerModifiers`, `cors`; `tcp`, `tls`, `http`, `auth`) is taken as a
whole from the narrowest that says it:

- `traffic`: Gateway < listener < HTTPRoute < rule. What a rule writes itself (`filters`, `timeouts`) counts more than
  any of them. A policy with `strategy.inheritance: Override` counts more than both, part by part.
- `backend`: Gateway < listener < HTTPRoute < rule < Service < its port < Backend < its target < `policies` in the
  Backend < `policies` in the target. A `BackendTLSPolicy` is a policy of its Service, with `tls` alone.

What `backend.auth` of a Gateway, listener or route holds is shown to every server that their routes lead to, those of
other namespaces among them. What the policies of a Service show of Secrets needs a ReferenceGrant for these where a
Backend or route of another namespace leads to it, and is closed without one; a key that a policy writes itself stays in
its namespace. A grant for a Backend is one for whatever that Backend shows.

Of two policies on one thing the older counts, part by part, and the other says so.

Policies of other kinds (`TrafficPolicy` and others of `gateway.kgateway.dev`, of groups with `agentgateway` in their
name, and of the Gateway API) close what they are attached to where they stand in files beside a configuration. In a
cluster they belong to the controller that is installed for them, and are not read.

";

/// The page that says for every field what becomes of it, in Markdown.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("| Field | | |\n|---|---|---|\n");
    for (field, fate) in &FIELDS {
        let (word, text) = match fate {
            Works(text) => ("works", text),
            Closes(text) => ("closes", text),
            Ignored(text) => ("ignored", text),
        };
        // Writing into text does not fail.
        let _ = writeln!(page, "| `{field}` | {word} | {text} |");
    }
    page
}
