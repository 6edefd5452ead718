//! The objects that translation reads, all of them, from files or from a cluster's stores.

use std::collections::BTreeMap;

use config::Diagnostic;
use gateway_api::gatewayclasses::GatewayClass;
use gateway_api::gateways::Gateway;
use gateway_api::httproutes::HttpRoute;
use gateway_api::referencegrants::ReferenceGrant;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use serde_json::Value;

use crate::object::{About, Object, ObjectName};
use crate::policy::AttachedPolicy;
use crate::resources::{AgentgatewayBackend, AgentgatewayParameters, KgatewayBackend};

/// Every object that matters, by kind. Within a kind no two have one name.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// Which Gateways are ours.
    pub classes: Vec<Object<GatewayClass>>,
    /// What is listened on.
    pub gateways: Vec<Object<Gateway>>,
    /// Which requests go where.
    pub routes: Vec<Object<HttpRoute>>,
    /// Which references may cross namespaces.
    pub grants: Vec<Object<ReferenceGrant>>,
    /// The MCP servers that clients see.
    pub backends: Vec<Object<AgentgatewayBackend>>,
    /// The same in the two older shapes.
    pub kgateway_backends: Vec<Object<KgatewayBackend>>,
    /// What is attached to the objects above and guards them, of any kind.
    pub policies: Vec<Object<AttachedPolicy>>,
    /// Where servers are.
    pub services: Vec<Object<Service>>,
    /// The addresses behind Services. Read by `endpoints` only.
    pub slices: Vec<Object<EndpointSlice>>,
    /// Labels of namespaces.
    pub namespaces: Vec<Object<Namespace>>,
    /// How proxies are deployed. Translation knows whether they are there.
    pub parameters: Vec<Object<AgentgatewayParameters>>,
    /// Certificates and credentials: those that `referenced` names.
    pub secrets: Vec<Object<Secret>>,
    /// Authorities: those that `referenced` names.
    pub config_maps: Vec<Object<ConfigMap>>,
    /// The definitions of the Gateway API's own kinds, which say its version in an annotation.
    pub definitions: Vec<About>,
}

/// The policies that a backend writes itself: its own, and those of its targets by their fields.
pub(crate) type Inline<'a> = (&'a About, Option<&'a Value>, Vec<(String, &'a Value)>);

impl World {
    /// Takes in the objects of another file. One that is there already stays as it is; the other is
    /// left out, and both are reported.
    pub fn merge(&mut self, other: World) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        merge(&mut self.classes, other.classes, &mut diagnostics);
        merge(&mut self.gateways, other.gateways, &mut diagnostics);
        merge(&mut self.routes, other.routes, &mut diagnostics);
        merge(&mut self.grants, other.grants, &mut diagnostics);
        merge(&mut self.backends, other.backends, &mut diagnostics);
        merge(&mut self.kgateway_backends, other.kgateway_backends, &mut diagnostics);
        merge_policies(&mut self.policies, other.policies, &mut diagnostics);
        merge(&mut self.services, other.services, &mut diagnostics);
        merge(&mut self.slices, other.slices, &mut diagnostics);
        merge(&mut self.namespaces, other.namespaces, &mut diagnostics);
        merge(&mut self.parameters, other.parameters, &mut diagnostics);
        merge(&mut self.secrets, other.secrets, &mut diagnostics);
        merge(&mut self.config_maps, other.config_maps, &mut diagnostics);
        self.definitions.extend(other.definitions);
        diagnostics
    }

    /// The policies that backends write themselves: those of each as a whole, and those of its targets by
    /// the fields where these are.
    pub(crate) fn inline_policies(&self) -> impl Iterator<Item = Inline<'_>> {
        let current = self.backends.iter().map(|object| {
            let spec = &object.value.spec;
            let entries = spec.mcp.iter().flat_map(|mcp| mcp.targets.iter().enumerate());
            let targets = entries.filter_map(|(index, target)| {
                let policies = target.static_.as_ref()?.policies.as_ref()?;
                Some((format!("spec.mcp.targets[{index}]"), policies))
            });
            let single = spec.mcp.iter().filter_map(|mcp| mcp.target.as_ref()?.policies.as_ref());
            let single = single.map(|policies| ("spec.mcp.target".to_owned(), policies));
            (&object.about, spec.policies.as_ref(), targets.chain(single).collect())
        });
        let kgateway = self.kgateway_backends.iter().map(|object| {
            let spec = &object.value.spec;
            let entries = spec.mcp.iter().flat_map(|mcp| mcp.targets.iter().enumerate());
            let targets = entries.filter_map(|(index, target)| {
                let policies = target.static_.as_ref()?.policies.as_ref()?;
                Some((format!("spec.mcp.targets[{index}]"), policies))
            });
            (&object.about, spec.policies.as_ref(), targets.collect())
        });
        current.chain(kgateway)
    }

    /// Takes in objects that are known not to be there yet.
    pub(crate) fn append(&mut self, other: &World) {
        self.classes.extend_from_slice(&other.classes);
        self.gateways.extend_from_slice(&other.gateways);
        self.routes.extend_from_slice(&other.routes);
        self.grants.extend_from_slice(&other.grants);
        self.backends.extend_from_slice(&other.backends);
        self.kgateway_backends.extend_from_slice(&other.kgateway_backends);
        self.policies.extend_from_slice(&other.policies);
        self.services.extend_from_slice(&other.services);
        self.slices.extend_from_slice(&other.slices);
        self.namespaces.extend_from_slice(&other.namespaces);
        self.parameters.extend_from_slice(&other.parameters);
        self.secrets.extend_from_slice(&other.secrets);
        self.config_maps.extend_from_slice(&other.config_maps);
        self.definitions.extend_from_slice(&other.definitions);
    }
}

/// A value as an API server holds it, or as it is written in a file.
pub(crate) fn secret_text<'a>(secret: &'a Secret, name: &str) -> Option<&'a str> {
    let written = secret.string_data.as_ref().and_then(|data| data.get(name));
    let held = secret.data.as_ref().and_then(|data| data.get(name));
    let held = held.and_then(|bytes| str::from_utf8(&bytes.0).ok());
    written.map(String::as_str).or(held)
}

fn merge<T>(
    objects: &mut Vec<Object<T>>,
    others: Vec<Object<T>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let mut places: BTreeMap<ObjectName, usize> = BTreeMap::new();
    for (place, object) in objects.iter().enumerate() {
        places.entry(object.about.name.clone()).or_insert(place);
    }
    for other in others {
        let first = places.get(&other.about.name).and_then(|place| objects.get(*place));
        if let Some(first) = first {
            diagnostics.extend(twice(first, &other));
        } else {
            places.insert(other.about.name.clone(), objects.len());
            objects.push(other);
        }
    }
}

/// Of two policies of one kind and name both stay: what guards is never left out.
fn merge_policies(
    policies: &mut Vec<Object<AttachedPolicy>>,
    others: Vec<Object<AttachedPolicy>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    for other in others {
        let first = policies.iter().find(|policy| {
            policy.about.kind == other.about.kind && policy.about.name == other.about.name
        });
        if let Some(first) = first {
            diagnostics.extend(twice(first, &other));
        }
        policies.push(other);
    }
}

fn twice<T>(first: &Object<T>, second: &Object<T>) -> [Diagnostic; 2] {
    let at = |object: &Object<T>| match object.about.place("metadata.name") {
        Some(place) => format!(" at {place}"),
        None => String::new(),
    };
    let report = |object: &Object<T>, message: String| {
        object.about.error("object.twice", "metadata.name", message)
    };
    [
        report(first, format!("defined again{}; this one is used", at(second))),
        report(second, format!("already defined{}; that one is used", at(first))),
    ]
}
