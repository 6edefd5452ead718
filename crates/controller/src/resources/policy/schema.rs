//! The schema of what an `AgentgatewayPolicy` says, as far as it is known without being read: its
//! sections by name, and which of them go together.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::json;

use crate::resources::policy::connection::{BackendAuth, BackendHttp, BackendTcp, BackendTls};
use crate::resources::policy::traffic::{Cors, HeaderModifiers, PolicyTimeouts};
use crate::resources::schema::{Field, Rule, kept, replace, rules};

/// What holds of a whole policy.
pub(super) const SPEC: [Rule; 11] = [
    (
        "has(self.targetRefs) != has(self.targetSelectors)",
        "write exactly one of `targetRefs`, objects by name, and `targetSelectors`, objects by label",
    ),
    (
        "has(self.traffic) || has(self.frontend) || has(self.backend)",
        "write at least one of `traffic`, `frontend` and `backend`",
    ),
    (
        "!has(self.targetRefs) || self.targetRefs.all(one, one.kind == self.targetRefs[0].kind)",
        "write `targetRefs` of one kind; objects of other kinds need a policy of their own",
    ),
    (
        "!has(self.targetSelectors) || \
         self.targetSelectors.all(one, one.kind == self.targetSelectors[0].kind)",
        "write `targetSelectors` of one kind; objects of other kinds need a policy of their own",
    ),
    (
        "!has(self.backend) || !has(self.backend.mcp) || \
         ((!has(self.targetRefs) || self.targetRefs.all(one, one.kind != 'Service')) && \
         (!has(self.targetSelectors) || self.targetSelectors.all(one, one.kind != 'Service')))",
        "`backend.mcp` is for MCP backends: attach it to an AgentgatewayBackend, a route or a Gateway",
    ),
    (
        "!has(self.backend) || !has(self.backend.mcp) || \
         ((!has(self.targetRefs) || self.targetRefs.all(one, \
         one.kind != 'AgentgatewayBackend' || !has(one.sectionName))) && \
         (!has(self.targetSelectors) || self.targetSelectors.all(one, \
         one.kind != 'AgentgatewayBackend' || !has(one.sectionName))))",
        "`backend.mcp` is for a whole AgentgatewayBackend: leave out `sectionName`",
    ),
    (
        "!has(self.frontend) || \
         ((!has(self.targetRefs) || self.targetRefs.all(one, one.kind == 'Gateway')) && \
         (!has(self.targetSelectors) || self.targetSelectors.all(one, one.kind == 'Gateway')))",
        "`frontend` is for Gateways: attach it to a Gateway",
    ),
    (
        "!has(self.traffic) || \
         ((!has(self.targetRefs) || self.targetRefs.all(one, one.kind in \
         ['Gateway', 'HTTPRoute', 'GRPCRoute', 'ListenerSet', 'InferencePool'])) && \
         (!has(self.targetSelectors) || self.targetSelectors.all(one, one.kind in \
         ['Gateway', 'HTTPRoute', 'GRPCRoute', 'ListenerSet', 'InferencePool'])))",
        "`traffic` is for Gateways, HTTPRoutes, GRPCRoutes, ListenerSets and InferencePools: attach it to one",
    ),
    (
        "!has(self.traffic) || !has(self.traffic.jwtAuthentication) || !has(self.backend) || \
         !has(self.backend.mcp) || !has(self.backend.mcp.authentication)",
        "write `traffic.jwtAuthentication` alone; `backend.mcp.authentication` is the older way to say it",
    ),
    (
        "!has(self.traffic) || !has(self.traffic.phase) || self.traffic.phase != 'PreRouting' || \
         ((!has(self.targetRefs) || self.targetRefs.all(one, one.kind in ['Gateway', 'ListenerSet'])) && \
         (!has(self.targetSelectors) || \
         self.targetSelectors.all(one, one.kind in ['Gateway', 'ListenerSet'])))",
        "`phase: PreRouting` is for Gateways and ListenerSets: attach it to one, or leave `phase` out",
    ),
    (
        "!has(self.strategy) || has(self.traffic)",
        "`strategy` is for `traffic`: add it, or leave out `strategy`",
    ),
];

/// What holds of each object that a policy is attached to.
pub(super) const ATTACHABLE: [Rule; 2] = [
    (
        "(has(self.group) ? self.group : '') + '/' + self.kind in [\
         'gateway.networking.k8s.io/Gateway', 'gateway.networking.k8s.io/HTTPRoute', \
         'gateway.networking.k8s.io/GRPCRoute', 'gateway.networking.k8s.io/ListenerSet', \
         '/Service', 'agentgateway.dev/AgentgatewayBackend', \
         'inference.networking.k8s.io/InferencePool']",
        "write `group: gateway.networking.k8s.io` with `kind` Gateway, HTTPRoute, GRPCRoute or ListenerSet; \
         `group: \"\"` with Service; `group: agentgateway.dev` with AgentgatewayBackend; or \
         `group: inference.networking.k8s.io` with InferencePool",
    ),
    (
        "self.kind != 'Service' || !has(self.sectionName) || self.sectionName.matches('^[0-9]{1,5}$')",
        "the `sectionName` of a Service is the number of a port, in quotes: \"8080\"",
    ),
];

/// `phase: PreRouting` has no route yet.
const BEFORE_ROUTING: Rule = (
    "!has(self.phase) || self.phase != 'PreRouting' || !(has(self.rateLimit) || has(self.csrf) || \
     has(self.headerModifiers) || has(self.hostRewrite) || has(self.timeouts) || has(self.retry) || \
     has(self.directResponse) || has(self.buffer))",
    "with `phase: PreRouting` write only `extAuth`, `authorization`, `transformation`, `extProc`, \
     `jwtAuthentication`, `basicAuthentication`, `apiKeyAuthentication` and `cors`",
);

/// `spec.traffic`.
pub(super) fn traffic(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = kept(&TRAFFIC);
    replace(&mut schema, "cors", Cors::json_schema(generator).to_value());
    replace(&mut schema, "headerModifiers", HeaderModifiers::json_schema(generator).to_value());
    replace(&mut schema, "timeouts", PolicyTimeouts::json_schema(generator).to_value());
    let phase = json!({
        "description": "When it applies: `PostRouting`, with the route known, or `PreRouting`. Unset means `PostRouting`.",
        "type": "string",
        "enum": ["PostRouting", "PreRouting"],
    });
    replace(&mut schema, "phase", phase);
    let host = json!({
        "description": "Whether the Host of requests becomes the server's: `Auto` or `None`.",
        "type": "string",
        "enum": ["Auto", "None"],
    });
    replace(&mut schema, "hostRewrite", host);
    let delay = json!({
        "description": "How long requests wait before they go on.",
        "x-kubernetes-preserve-unknown-fields": true,
    });
    replace(&mut schema, "delay", delay);
    schema.insert("x-kubernetes-validations".to_owned(), rules(&[BEFORE_ROUTING]));
    schema
}

/// `spec.frontend`.
pub(super) fn frontend(_: &mut SchemaGenerator) -> Schema {
    kept(&FRONTEND)
}

/// `spec.backend`.
pub(super) fn backend(generator: &mut SchemaGenerator) -> Schema {
    let mut schema = backend_policies(generator);
    let mut mcp = kept(&MCP);
    mcp.insert("description".to_owned(), "Who may use which tools.".into());
    replace(&mut schema, "mcp", mcp.to_value());
    schema
}

/// The policies of a connection to a server, and those of a whole backend.
pub(in crate::resources) fn connection_policies(generator: &mut SchemaGenerator) -> Schema {
    connection(&CONNECTION, generator)
}

/// The policies of a backend.
pub(in crate::resources) fn backend_policies(generator: &mut SchemaGenerator) -> Schema {
    let fields: Vec<Field> = CONNECTION.iter().chain(&BACKEND).copied().collect();
    connection(&fields, generator)
}

/// These fields, and those of a connection that are in force.
fn connection(fields: &[Field], generator: &mut SchemaGenerator) -> Schema {
    let mut schema = kept(fields);
    replace(&mut schema, "tcp", BackendTcp::json_schema(generator).to_value());
    replace(&mut schema, "tls", BackendTls::json_schema(generator).to_value());
    replace(&mut schema, "http", BackendHttp::json_schema(generator).to_value());
    replace(&mut schema, "auth", BackendAuth::json_schema(generator).to_value());
    schema
}

/// `spec.strategy`.
pub(super) fn strategy(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "x-kubernetes-preserve-unknown-fields": true,
        "properties": {
            "inheritance": {
                "description": "Whether a policy of a narrower object replaces single fields (`Default`) or is \
                                replaced as a whole (`Override`).",
                "type": "string",
                "enum": ["Default", "Override"],
            },
        },
    })
}

const CONNECTION: [Field; 1] =
    [("tunnel", "A proxy on the way to the server: `backendRef` or `url`.")];

const BACKEND: [Field; 5] = [
    ("mcp", "Who may use which tools: `authorization`, `authentication`, `guardrails`."),
    ("ai", "Policies of model providers."),
    ("transformation", "How requests and answers are changed: `request`, `response`."),
    ("health", "When a server counts as unhealthy: `unhealthyCondition`, `eviction`."),
    ("extAuth", "A service that is asked whether a request may pass."),
];

const TRAFFIC: [Field; 12] = [
    ("transformation", "How requests and answers are changed: `request`, `response`."),
    ("extProc", "A service that processes requests and answers."),
    ("extAuth", "A service that is asked whether a request may pass."),
    ("rateLimit", "How many requests may pass: `local`, `global`."),
    ("csrf", "Which other origins may send requests that change something: `additionalOrigins`."),
    ("retry", "When a request is tried again."),
    ("authorization", "Who may call: `action` and `policy.matchExpressions`."),
    ("jwtAuthentication", "Which tokens are taken: `mode`, `providers`, `location`, `mcp`."),
    ("basicAuthentication", "Which users and passwords are taken."),
    ("apiKeyAuthentication", "Which keys are taken."),
    ("directResponse", "What is answered without asking a server."),
    ("buffer", "How much of a request is collected before it goes on."),
];

const FRONTEND: [Field; 9] = [
    ("tcp", "How connections of clients are kept."),
    ("networkAuthorization", "Which addresses may connect."),
    ("tls", "How clients connect by TLS."),
    ("http", "Bounds of requests: `maxBufferSize`, `http1MaxHeaders`."),
    ("proxyProtocol", "Whether connections begin with the PROXY protocol."),
    ("connect", "What CONNECT requests may do."),
    ("accessLog", "What the line of each request says."),
    ("tracing", "Where spans are sent."),
    ("metrics", "Which fields metrics have."),
];

const MCP: [Field; 3] = [
    (
        "authorization",
        "Who may use which tools, prompts and resources: `action`, `policy.matchExpressions`.",
    ),
    ("authentication", "Which tokens are taken. Older than `traffic.jwtAuthentication`."),
    ("guardrails", "Services that look at calls and results: `processors`."),
];
