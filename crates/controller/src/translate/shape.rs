//! One shape for the three generations of backends, each part with the field it was written in.

use config::document::{FailureMode, PrefixMode, Transport};
use config::is_guard;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use serde_json::Value;

use crate::object::{About, Object, ObjectName};
use crate::policy::{Rules, of_backend, said};
use crate::resources::{
    self, AgentgatewayBackend, BackendStatus, KgatewayBackend, KgatewayMcp, KgatewayProtocol,
    KgatewayTarget, Mcp, Protocol, SingleTarget, StaticBackend, Target, TargetStatus,
};
use crate::status::reason;
use crate::translate::grant::Kind;

/// A backend, whatever its generation.
pub(super) struct Shape<'a> {
    /// What the document calls it.
    pub(super) name: String,
    /// The object.
    pub(super) about: &'a About,
    /// Its targets in order.
    pub(super) entries: Vec<Entry<'a>>,
    /// When names carry their target's name.
    pub(super) prefix_mode: PrefixMode,
    /// What lists do while a target is away.
    pub(super) failure_mode: Option<FailureMode>,
    /// The field that asks for requests without sessions.
    pub(super) stateless: Option<&'static str>,
    /// What in it keeps it shut.
    pub(super) shut: Option<Shut>,
    /// Its kind, as ReferenceGrants name it.
    pub(super) kind: Kind,
    /// The ordinary HTTP server that it is, instead of MCP servers.
    pub(super) server: Option<&'a StaticBackend>,
    /// Its targets, as its status names them.
    pub(super) held: &'a [TargetStatus],
    /// The policies that it writes itself.
    pub(super) policies: Rules,
}

/// What keeps a backend shut.
pub(super) struct Shut {
    /// The field that does.
    pub(super) field: String,
    /// Why, as its condition says.
    pub(super) reason: &'static str,
    /// The same in a sentence.
    pub(super) message: String,
}

impl Shut {
    fn new(field: &str, reason: &'static str, message: String) -> Self {
        Self { field: field.to_owned(), reason, message }
    }
}

/// An entry of its `targets`.
pub(super) struct Entry<'a> {
    /// Where it is written.
    pub(super) field: String,
    /// What it is called.
    pub(super) name: Option<&'a str>,
    /// What it is.
    pub(super) what: What<'a>,
}

/// What an entry is.
pub(super) enum What<'a> {
    /// Servers found by label.
    Selector { namespaces: Option<&'a LabelSelector>, services: Option<&'a LabelSelector> },
    /// A server by address.
    Static(Static<'a>),
    /// Neither or both.
    Unclear,
    /// Servers found by label, of which a field that is not known may say fewer.
    Unknown(String),
}

/// A server by address.
pub(super) struct Static<'a> {
    pub(super) host: Option<&'a str>,
    pub(super) service: Option<&'a str>,
    pub(super) port: i32,
    pub(super) path: Option<&'a str>,
    pub(super) transport: Transport,
    /// The policies that it writes itself.
    pub(super) policies: Option<&'a Value>,
}

/// What a document calls an `AgentgatewayBackend`.
pub(crate) fn backend_name(name: &ObjectName) -> String {
    name.to_string()
}

/// What a document calls a kgateway `Backend`, which may have the name of an `AgentgatewayBackend`.
pub(crate) fn kgateway_backend_name(name: &ObjectName) -> String {
    format!("gateway.kgateway.dev/{name}")
}

/// The current generation.
pub(super) fn current(object: &Object<AgentgatewayBackend>) -> Shape<'_> {
    let spec = &object.value.spec;
    let policies = of_backend(&object.about, spec.policies.as_ref());
    let foreign = [
        ("spec.ai", spec.ai.is_some()),
        ("spec.aws", spec.aws.is_some()),
        ("spec.a2a", spec.a2a.is_some()),
        ("spec.dynamicForwardProxy", spec.dynamic_forward_proxy.is_some()),
    ];
    let foreign = foreign.into_iter().find(|(_, is_there)| *is_there);
    let shut = if let Some((field, _)) = foreign {
        Some(Shut::new(field, reason::UNSUPPORTED, format!("`{field}` is not served")))
    } else if spec.mcp.is_none() && spec.static_.is_none() {
        Some(without_mcp())
    } else {
        inline_policies(&policies)
    };
    let mcp = spec.mcp.as_ref().filter(|_| spec.static_.is_none());
    let stateless = matches!(
        mcp.and_then(|mcp| mcp.session_routing),
        Some(resources::SessionRouting::Stateless)
    );
    Shape {
        name: backend_name(&object.about.name),
        about: &object.about,
        entries: mcp.map(|mcp| current_entries(mcp, &object.about)).unwrap_or_default(),
        prefix_mode: match mcp.and_then(|mcp| mcp.prefix_mode) {
            None | Some(resources::PrefixMode::Conditional) => PrefixMode::Conditional,
            Some(resources::PrefixMode::Always) => PrefixMode::Always,
            Some(resources::PrefixMode::Never) => PrefixMode::Never,
        },
        failure_mode: mcp.and_then(|mcp| mcp.failure_mode).map(failure_mode),
        stateless: stateless.then_some("spec.mcp.sessionRouting"),
        shut: shut.or_else(|| unknown_guard(&object.about)),
        kind: Kind::BACKEND,
        server: spec.static_.as_ref(),
        held: held(object.value.status.as_ref()),
        policies,
    }
}

/// Both older generations.
pub(super) fn kgateway(object: &Object<KgatewayBackend>) -> Shape<'_> {
    let spec = &object.value.spec;
    let policies = of_backend(&object.about, spec.policies.as_ref());
    let other_type = spec.type_.as_deref().filter(|kind| *kind != "MCP");
    let shut = if let Some(kind) = other_type {
        let message = format!("type `{kind}` is not served");
        Some(Shut::new("spec.type", reason::UNSUPPORTED, message))
    } else if spec.mcp.is_none() {
        Some(without_mcp())
    } else {
        inline_policies(&policies)
    };
    let mcp = spec.mcp.as_ref();
    Shape {
        name: kgateway_backend_name(&object.about.name),
        about: &object.about,
        entries: mcp.map(|mcp| kgateway_entries(mcp, &object.about)).unwrap_or_default(),
        prefix_mode: PrefixMode::Conditional,
        failure_mode: mcp.and_then(|mcp| mcp.failure_mode).map(failure_mode),
        stateless: None,
        shut: shut.or_else(|| unknown_guard(&object.about)),
        kind: Kind::KGATEWAY_BACKEND,
        server: None,
        held: held(object.value.status.as_ref()),
        policies,
    }
}

fn without_mcp() -> Shut {
    Shut::new("spec", reason::TRANSLATION_ERROR, "it has no `mcp`".to_owned())
}

fn inline_policies(policies: &Rules) -> Option<Shut> {
    let first = policies.closing.first()?;
    Some(Shut::new(&first.field, reason::TRANSLATION_ERROR, said(&policies.closing)))
}

fn unknown_guard(about: &About) -> Option<Shut> {
    let field = about.unknown.iter().find(|field| is_guard(field))?;
    let message = format!("`{field}` may be meant to guard it and is not known");
    Some(Shut::new(field, reason::TRANSLATION_ERROR, message))
}

fn held(status: Option<&BackendStatus>) -> &[TargetStatus] {
    status.map(|status| status.targets.as_slice()).unwrap_or_default()
}

fn failure_mode(mode: resources::FailureMode) -> FailureMode {
    match mode {
        resources::FailureMode::FailClosed => FailureMode::FailClosed,
        resources::FailureMode::FailOpen => FailureMode::FailOpen,
    }
}

fn current_entries<'a>(mcp: &'a Mcp, about: &'a About) -> Vec<Entry<'a>> {
    let entries = mcp.targets.iter().enumerate().map(|(index, target)| {
        let field = format!("spec.mcp.targets[{index}]");
        let what = narrowed(about, &field, current_what(target));
        Entry { field, name: Some(&target.name), what }
    });
    let single = mcp.target.iter().map(|target| Entry {
        field: "spec.mcp.target".to_owned(),
        name: Some(target.name.as_deref().unwrap_or(&about.name.name)),
        what: What::Static(single(target)),
    });
    entries.chain(single).collect()
}

/// The same, unless a field of its selector is not known: then nobody can say what is selected.
fn narrowed<'a>(about: &About, field: &str, what: What<'a>) -> What<'a> {
    let inside = format!("{field}.selector");
    let unknown = about.unknown.iter().find(|unknown| unknown.starts_with(&inside));
    match (what, unknown) {
        (What::Selector { .. }, Some(unknown)) => What::Unknown(unknown.clone()),
        (what, _) => what,
    }
}

fn current_what(target: &Target) -> What<'_> {
    match (&target.selector, &target.static_) {
        (Some(selector), None) => What::Selector {
            namespaces: selector.namespaces.as_ref(),
            services: selector.services.as_ref(),
        },
        (None, Some(target)) => What::Static(Static {
            host: target.host.as_deref(),
            service: target.backend_ref.as_ref().map(|reference| reference.name.as_str()),
            port: target.port,
            path: target.path.as_deref(),
            transport: transport(target.protocol),
            policies: target.policies.as_ref(),
        }),
        _ => What::Unclear,
    }
}

fn single(target: &SingleTarget) -> Static<'_> {
    Static {
        host: target.host.as_deref(),
        service: target.backend_ref.as_ref().map(|reference| reference.name.as_str()),
        port: target.port,
        path: target.path.as_deref(),
        transport: transport(target.protocol),
        policies: target.policies.as_ref(),
    }
}

fn transport(protocol: Option<Protocol>) -> Transport {
    match protocol {
        None | Some(Protocol::StreamableHttp) => Transport::Streamable,
        Some(Protocol::Sse) => Transport::Sse,
    }
}

fn kgateway_entries<'a>(mcp: &'a KgatewayMcp, about: &About) -> Vec<Entry<'a>> {
    let entries = mcp.targets.iter().enumerate().map(|(index, target)| {
        let field = format!("spec.mcp.targets[{index}]");
        let what = narrowed(about, &field, kgateway_what(target));
        Entry { field, name: kgateway_target_name(target), what }
    });
    entries.collect()
}

/// The second generation names the entry, the first its `static`; a nameless one goes by its host's
/// first label.
fn kgateway_target_name(target: &KgatewayTarget) -> Option<&str> {
    let inner = target.static_.as_ref();
    let written = target.name.as_deref().or_else(|| inner?.name.as_deref());
    written.or_else(|| inner?.host.split('.').next())
}

fn kgateway_what(target: &KgatewayTarget) -> What<'_> {
    match (&target.selector, &target.selectors, &target.static_) {
        (Some(selector), None, None) => What::Selector {
            namespaces: selector.namespace.as_ref(),
            services: selector.service.as_ref(),
        },
        (None, Some(selectors), None) => What::Selector {
            namespaces: selectors.namespace_selector.as_ref(),
            services: selectors.service_selector.as_ref(),
        },
        (None, None, Some(target)) => What::Static(Static {
            host: Some(&target.host),
            service: None,
            port: target.port,
            path: target.path.as_deref(),
            transport: match target.protocol {
                Some(KgatewayProtocol::Sse) => Transport::Sse,
                None | Some(KgatewayProtocol::Undefined | KgatewayProtocol::StreamableHttp) => {
                    Transport::Streamable
                }
            },
            policies: target.policies.as_ref(),
        }),
        _ => What::Unclear,
    }
}
