//! What AgentgatewayParameters make of the objects of a Gateway: typed fields first, the class' before the
//! Gateway's own, then what is laid over the objects in the same order.

use serde_json::{Map, Value, json};

use crate::deploy::ProxySettings;
use crate::object::ObjectName;
use crate::resources::{AgentgatewayParametersSpec, Image, LogFormat, Overlay};
use crate::world::World;

/// How long a proxy takes new requests once it is to end, in seconds, where nobody says.
const ANNOUNCE: u64 = 10;
/// How long it may take to its end, where nobody says.
const END: u64 = 60;
/// What it needs for its own end beside its requests'.
const OWN_END: u64 = 10;

/// How the proxies of a Gateway are to be, from the parameters of its class and its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Parameters<'a>(pub(crate) Vec<&'a AgentgatewayParametersSpec>);

/// How long a proxy that is to end goes on, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shutdown {
    /// How long it takes new requests.
    pub(crate) announce: u64,
    /// How long requests may take after that.
    pub(crate) limit: u64,
    /// When it is ended whatever it does.
    pub(crate) grace: u64,
}

impl<'a> Parameters<'a> {
    /// What the class of a Gateway says, then its own.
    pub(crate) fn of(world: &'a World, name: &ObjectName) -> Self {
        let gateway = world.gateways.iter().find(|gateway| gateway.about.name == *name);
        let Some(gateway) = gateway else { return Self::default() };
        let class = &gateway.value.spec.gateway_class_name;
        let class = world.classes.iter().find(|object| object.about.name.name == *class);
        let of_class = class.and_then(|class| class.value.spec.parameters_ref.as_ref());
        let of_class = of_class.map(|reference| {
            ObjectName::new(reference.namespace.clone().unwrap_or_default(), &reference.name)
        });
        let infrastructure = gateway.value.spec.infrastructure.as_ref();
        let own = infrastructure.and_then(|asked| asked.parameters_ref.as_ref());
        let own = own.map(|reference| ObjectName::new(gateway.about.namespace(), &reference.name));
        let found = [of_class, own].into_iter().flatten().filter_map(|name| {
            let mut all = world.parameters.iter();
            all.find(|parameters| parameters.about.name == name).map(|found| &found.value.spec)
        });
        Self(found.collect())
    }

    /// How a proxy ends.
    pub(crate) fn shutdown(&self) -> Shutdown {
        let written = |field: fn(&crate::resources::Shutdown) -> Option<i64>| {
            let said = self.0.iter().rev().filter_map(|one| one.shutdown.as_ref());
            said.filter_map(field).find_map(|seconds| u64::try_from(seconds).ok())
        };
        let announce = written(|shutdown| shutdown.min).unwrap_or(ANNOUNCE);
        let end = written(|shutdown| shutdown.max).unwrap_or(END).max(announce);
        let limit = (end - announce).saturating_sub(OWN_END);
        Shutdown { announce, limit, grace: end.max(1) }
    }

    /// The replicas that a Deployment is to have, where somebody says.
    pub(super) fn replicas(&self) -> Option<i32> {
        let overlays = self.0.iter().rev().filter_map(|one| one.deployment.as_ref()?.spec.as_ref());
        let written = overlays.filter_map(|spec| spec.get("replicas")?.as_i64());
        written.filter_map(|replicas| i32::try_from(replicas).ok()).next()
    }

    /// The image, and when it is pulled.
    pub(super) fn image(&self, settings: &ProxySettings) -> (String, Option<String>) {
        let said = |field: fn(&Image) -> Option<&String>| {
            self.0.iter().rev().filter_map(|one| one.image.as_ref()).find_map(field)
        };
        let usual = Parts::of(&settings.image);
        let registry = said(|image| image.registry.as_ref()).map(String::as_str);
        let registry = registry.or(usual.registry).map(|name| format!("{name}/"));
        let repository = said(|image| image.repository.as_ref()).map(String::as_str);
        let digest = said(|image| image.digest.as_ref());
        let tag = said(|image| image.tag.as_ref()).map(|tag| format!(":{tag}"));
        let version = digest.map(|digest| format!("@{digest}")).or(tag);
        let image = format!(
            "{}{}{}",
            registry.unwrap_or_default(),
            repository.unwrap_or(usual.repository),
            version.as_deref().unwrap_or(usual.version)
        );
        let policies = self.0.iter().rev().filter_map(|one| one.image.as_ref()?.pull_policy);
        let policy = policies.map(|policy| format!("{policy:?}")).next();
        (image, policy.or_else(|| settings.pull_policy.clone()))
    }

    /// What is said of the one container of a proxy beside its image.
    pub(super) fn container(&self, container: &mut Value) {
        for one in &self.0 {
            if let Some(resources) = &one.resources {
                overlay(container, &json!({ "resources": Value::Null }));
                overlay(container, &json!({ "resources": resources }));
            }
            if let Some(level) = one.logging.as_ref().and_then(|logging| logging.level.as_ref()) {
                overlay(container, &json!({ "env": [{ "name": "RUST_LOG", "value": level }] }));
            }
            if !one.env.is_empty() {
                overlay(container, &json!({ "env": one.env }));
            }
        }
    }

    /// How its log is written.
    pub(super) fn log_format(&self) -> &'static str {
        let formats = self.0.iter().rev().filter_map(|one| one.logging.as_ref()?.format);
        match formats.into_iter().next() {
            Some(LogFormat::Text) => "text",
            Some(LogFormat::Json) | None => "json",
        }
    }

    /// Whether something is said of this kind.
    pub(super) fn has(&self, kind: &str) -> bool {
        self.0.iter().any(|one| overlay_of(one, kind).is_some())
    }

    /// Lays over an object what is said of its kind.
    pub(super) fn lay_over(&self, kind: &str, object: &mut Value) {
        for over in self.0.iter().filter_map(|one| overlay_of(one, kind)) {
            if let Some(metadata) = &over.metadata {
                overlay(object, &json!({ "metadata": metadata }));
            }
            if let Some(spec) = &over.spec {
                overlay(object, &json!({ "spec": spec }));
            }
        }
    }
}

fn overlay_of<'a>(one: &'a AgentgatewayParametersSpec, kind: &str) -> Option<&'a Overlay> {
    match kind {
        "Deployment" => one.deployment.as_ref(),
        "Service" => one.service.as_ref(),
        "ServiceAccount" => one.service_account.as_ref(),
        "PodDisruptionBudget" => one.pod_disruption_budget.as_ref(),
        "HorizontalPodAutoscaler" => one.horizontal_pod_autoscaler.as_ref(),
        _ => None,
    }
}

/// The parts of an image's name.
struct Parts<'a> {
    registry: Option<&'a str>,
    repository: &'a str,
    /// With its `:` or `@`.
    version: &'a str,
}

impl<'a> Parts<'a> {
    fn of(image: &'a str) -> Self {
        let is_registry = |first: &str| first.contains(['.', ':']) || first == "localhost";
        let (registry, rest) = match image.split_once('/') {
            Some((first, rest)) if is_registry(first) => (Some(first), rest),
            _ => (None, image),
        };
        let end = rest.find('@').or_else(|| rest.rfind(':')).unwrap_or(rest.len());
        let (repository, version) = rest.split_at(end);
        Self { registry, repository, version }
    }
}

/// Lays `over` over `value`: fields are merged, null takes a field out, and of lists whose elements have names,
/// such as containers, volumes and variables, those of one name are merged; any other list is replaced. That is
/// what Kubernetes' strategic merge does for all fields that pods are made of, but for its `$patch` directives.
pub(super) fn overlay(value: &mut Value, over: &Value) {
    match (value, over) {
        (Value::Object(fields), Value::Object(over)) => {
            for (name, over) in over {
                if over.is_null() {
                    fields.remove(name);
                } else {
                    overlay(fields.entry(name).or_insert(Value::Null), over);
                }
            }
        }
        (value @ Value::Null, Value::Object(over)) => {
            *value = Value::Object(Map::new());
            overlay(value, &Value::Object(over.clone()));
        }
        (Value::Array(list), Value::Array(over))
            if key(list).is_some() && key(list) == key(over) =>
        {
            let key = key(list).unwrap_or_default();
            for over in over {
                match list.iter_mut().find(|one| one.get(key) == over.get(key)) {
                    Some(one) => overlay(one, over),
                    None => list.push(over.clone()),
                }
            }
        }
        (value, over) => *value = over.clone(),
    }
}

/// By which field the elements of a list are told apart, as the API's merge keys have it.
fn key(list: &[Value]) -> Option<&'static str> {
    let keys = ["mountPath", "containerPort", "port", "name", "topologyKey"];
    keys.into_iter().find(|key| !list.is_empty() && list.iter().all(|one| one.get(*key).is_some()))
}
