//! Targets that a selector finds: every port of every selected Service whose `appProtocol` says
//! MCP, as far as its namespace lets it be found.

use config::document::{Target, Transport};
use config::{Close, Diagnostic};
use k8s_openapi::api::core::v1::{Service, ServicePort};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::endpoints;
use crate::object::{About, Object};
use crate::policy::Rules;
use crate::selector::{self, SelectorError};
use crate::settings::CrossNamespace;
use crate::status::{LeftOut, reason};
use crate::translate::attached::Levels;
use crate::translate::closed::closed;
use crate::translate::grant::{self, Referent};
use crate::translate::guard::{Guarded, Guards};
use crate::translate::index::Placed;
use crate::translate::section;
use crate::translate::shape::Entry;
use crate::translate::target::address::{service_url, written_path};
use crate::translate::target::{Candidate, Finding, Findings};
use crate::translate::target_name::{self, Claim, Rank};

const NAME: &str = "agentgateway.dev/mcp-target-name";
const PATHS: [&str; 2] = ["agentgateway.dev/mcp-path", "kgateway.dev/mcp-path"];
/// The namespaces whose backends may select a Service: `team-a, team-b`, or `*` for all.
const ALLOWED: &str = "agentgateway.dev/mcp-allow-from";

/// Which namespaces, and which Services there.
type Selectors<'a> = (Option<&'a LabelSelector>, Option<&'a LabelSelector>);

impl<'a> Finding<'a, '_> {
    /// The targets of an entry's selectors: those of the backend's own namespace first, then the
    /// oldest Service first (in files the one that is written first), its ports as they are written.
    pub(super) fn selected(
        &self,
        entry: &Entry<'a>,
        selectors: Selectors<'a>,
        findings: &mut Findings,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Vec<Candidate<'a>> {
        let backend = self.shape.about;
        let mut services = match self.services(selectors) {
            Ok(services) => services,
            Err(error) => {
                let message = format!("{error}; it selects nothing");
                findings.problem(backend, "target.selector", &entry.field, message, diagnostics);
                return Vec::new();
            }
        };
        services.sort_by(|left, right| {
            let is_other = |service: &About| service.namespace() != backend.namespace();
            let (left, right) = (&left.about, &right.about);
            is_other(left).cmp(&is_other(right)).then_with(|| left.by_arrival(right))
        });
        let is_meant = selectors.1.is_some_and(|services| *services != LabelSelector::default());
        let mut candidates = Vec::new();
        let mut is_barred = false;
        for service in services {
            let ports = ports(service);
            if ports.is_empty() {
                // A selector without labels finds everything; that most of it speaks no MCP is no news.
                if is_meant {
                    report(backend, entry, no_port(service), findings, diagnostics);
                }
                continue;
            }
            if let Some(left_out) = self.not_permitted(service) {
                report(backend, entry, left_out, findings, diagnostics);
                is_barred = true;
                continue;
            }
            for (port, transport) in ports {
                let mut candidate = self.candidate(entry, service, port, transport, diagnostics);
                let sections = section::of_port(port.port, Some(port));
                candidate.of_service =
                    self.guards.levels(Guarded::Service, &service.about.name, &sections);
                if let Some(close) = close(service, port, self.guards, diagnostics) {
                    candidate.shut(close);
                }
                candidates.push(candidate);
            }
        }
        if candidates.is_empty() {
            let message = match is_barred {
                false => "no Service has these labels and a port whose `appProtocol` says MCP",
                true => "no Service that has these labels may be selected",
            };
            diagnostics.push(backend.warning("target.none-selected", &entry.field, message));
            findings.remarks.push(format!("{}: {message}", entry.field));
        }
        candidates
    }

    /// The Services that the selectors mean, in the order of the world.
    fn services(
        &self,
        (namespaces, services): Selectors<'a>,
    ) -> Result<Vec<&'a Object<Service>>, SelectorError> {
        let everything = LabelSelector::default();
        let services = services.unwrap_or(&everything);
        for selector in namespaces.into_iter().chain([services]) {
            selector::check(selector)?;
        }
        let mut found: Vec<Placed<'a>> = Vec::new();
        let mut search = |namespace: &str| {
            for placed in self.world.services_of(namespace) {
                if selector::matches(services, placed.1.about.labels())? {
                    found.push(*placed);
                }
            }
            Ok(())
        };
        match namespaces {
            None => search(self.shape.about.namespace())?,
            Some(namespaces) => {
                for namespace in self.world.namespaces_of_services() {
                    let labels = self.world.namespace_labels(namespace);
                    if selector::matches(namespaces, &labels)? {
                        search(namespace)?;
                    }
                }
            }
        }
        found.sort_by_key(|(place, _)| *place);
        Ok(found.into_iter().map(|(_, service)| service).collect())
    }

    /// Why a Service of another namespace may not be selected, if it may not.
    fn not_permitted(&self, service: &Object<Service>) -> Option<LeftOut> {
        let (backend, about) = (self.shape.about, &service.about);
        let allowed = about.annotation(ALLOWED).unwrap_or_default().split(',').map(str::trim);
        let mut allowed = allowed.filter(|namespace| !namespace.is_empty());
        let referent = Referent { group: "", kind: "Service", name: &about.name };
        let is_permitted = self.world.settings.cross_namespace == CrossNamespace::Any
            || allowed.any(|namespace| namespace == "*" || namespace == backend.namespace())
            || grant::is_permitted(self.world, self.shape.kind, backend.namespace(), referent);
        (!is_permitted).then(|| LeftOut {
            service: about.name.clone(),
            reason: reason::REF_NOT_PERMITTED,
            message: not_permitted(backend),
        })
    }

    fn candidate(
        &self,
        entry: &Entry<'a>,
        service: &'a Object<Service>,
        port: &ServicePort,
        transport: Transport,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Candidate<'a> {
        let (backend, about) = (self.shape.about, &service.about);
        let path = PATHS.iter().find_map(|key| about.annotation(key));
        let endpoints = endpoints::key(&about.name, port.port);
        let held = self.shape.held.iter().find(|one| one.service.as_ref() == Some(&endpoints));
        let path = written_path(path, transport);
        let target = Target {
            url: Some(service_url(self.world, &about.name, port.port, &path)),
            transport: (transport == Transport::Sse).then_some(transport),
            endpoints: Some(endpoints),
            ..Target::default()
        };
        let rank = if about.namespace() == backend.namespace() { Rank::Own } else { Rank::Other };
        let (wanted, message) = wanted_name(about, port, diagnostics);
        let claim = Claim {
            wanted,
            held: held.map(|held| held.name.clone()),
            rank,
            namespace: about.namespace().to_owned(),
            port: port.port,
        };
        Candidate {
            claim,
            target,
            service: Some(about),
            field: entry.field.clone(),
            place: about.place(""),
            message,
            of_service: Levels::default(),
            policies: Rules::default(),
        }
    }
}

/// Why a Service of another namespace is left out, and what to do about it.
pub(super) fn not_permitted(backend: &About) -> String {
    let namespace = backend.namespace();
    format!(
        "backends of `{namespace}` may not select it: annotate it with \
         `{ALLOWED}: {namespace}`, or write a ReferenceGrant beside it"
    )
}

/// A Service that is no target.
fn report(
    backend: &About,
    entry: &Entry<'_>,
    left_out: LeftOut,
    findings: &mut Findings,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if findings.left_out.contains(&left_out) {
        return;
    }
    let message = format!("Service {} is left out: {}", left_out.service, left_out.message);
    diagnostics.push(backend.warning("target.left-out", &entry.field, message));
    findings.left_out.push(left_out);
}

fn no_port(service: &Object<Service>) -> LeftOut {
    LeftOut {
        service: service.about.name.clone(),
        reason: reason::NO_USABLE_PORT,
        message: "no port of it says that it speaks MCP: write \
                  `appProtocol: agentgateway.dev/mcp`, or `agentgateway.dev/mcp-sse`"
            .to_owned(),
    }
}

/// The ports that say that they speak MCP, and how.
fn ports(service: &Object<Service>) -> Vec<(&ServicePort, Transport)> {
    let ports = service.value.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    ports.filter_map(|port| Some((port, transport(port)?))).collect()
}

/// How a port speaks MCP, if it says that it does.
fn transport(port: &ServicePort) -> Option<Transport> {
    match port.app_protocol.as_deref()? {
        "agentgateway.dev/mcp" | "kgateway.dev/mcp" => Some(Transport::Streamable),
        "agentgateway.dev/mcp-sse" | "kgateway.dev/mcp-sse" => Some(Transport::Sse),
        _ => None,
    }
}

/// The name in the annotation, or `<service>-<port name>`, or `<service>-<port number>`; and what is
/// wrong with the annotation.
fn wanted_name(
    about: &About,
    port: &ServicePort,
    diagnostics: &mut Vec<Diagnostic>,
) -> (String, String) {
    let written = about.annotation(NAME);
    if let Some(name) = written.filter(|name| target_name::is_valid(name)) {
        return (name.to_owned(), String::new());
    }
    let port_name = port.name.as_deref().filter(|name| !name.is_empty());
    let name = match port_name {
        Some(port) => format!("{}-{port}", about.name.name),
        None => format!("{}-{}", about.name.name, port.port),
    };
    let Some(written) = written else { return (name, String::new()) };
    let message = format!(
        "`{written}` cannot be a target's name: lower case letters, digits, `-` and `.`; it is \
         called `{name}`"
    );
    let field = format!("metadata.annotations.{NAME}");
    diagnostics.push(about.error("target.name", &field, message.as_str()));
    (name, message)
}

/// What keeps a Service's port shut, reported on the Service.
fn close(
    service: &Object<Service>,
    port: &ServicePort,
    guards: &Guards,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Close> {
    let sections = section::of_port(port.port, Some(port));
    let close = guards.part(Guarded::Service, &service.about.name, &sections)?;
    let diagnostic = service.about.error("target.closed", "spec.ports", closed(close));
    if !diagnostics.contains(&diagnostic) {
        diagnostics.push(diagnostic);
    }
    Some(close.clone())
}
