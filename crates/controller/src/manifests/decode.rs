//! One object of a file: which kind it is, and its decoding with the places of what does not fit.

use std::sync::Arc;

use config::{Diagnostic, Origins};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::manifests::Manifests;
use crate::manifests::salvage::salvage;
use crate::object::{About, DEFAULT_NAMESPACE, Object, ObjectName, field_path};
use crate::policy::{AttachedPolicy, Attachment};

/// The kinds of policies that guard what they are attached to.
const GUARDS: [&str; 2] = ["AgentgatewayPolicy", "BackendTLSPolicy"];
/// The id of what is said of an object of which nothing can be used.
pub(crate) const UNDECODABLE: &str = "object.invalid";
const GATEWAY_API: &str = "gateway.networking.k8s.io";
/// How the names of the definitions of the Gateway API's kinds end.
const DEFINED: &str = ".gateway.networking.k8s.io";

/// Collects the objects of one file.
#[derive(Default)]
pub(super) struct Decoder {
    pub(super) manifests: Manifests,
}

impl Decoder {
    /// Takes in one object, or a line that says why not.
    pub(super) fn decode(&mut self, mut value: Value, origins: Origins) {
        if value.is_null() {
            return;
        }
        let (group, about) = about(&value, origins);
        if group.is_none() || about.kind.is_empty() || about.name.name.is_empty() {
            let message =
                "not a Kubernetes object: it needs `apiVersion`, `kind` and `metadata.name`";
            self.report(about.error("object.malformed", "", message));
            // What it was to guard must not open because of that.
            let is_attached = AttachedPolicy::read(&about, &value, false).is_some();
            if GUARDS.contains(&about.kind.as_str()) || is_attached {
                self.guard(&value, about, false)
                    .into_iter()
                    .for_each(|diagnostic| self.report(diagnostic));
            }
            return;
        }
        let group = group.unwrap_or_default();
        let kind = about.kind.clone();
        let world = &mut self.manifests.world;
        let decoded = match (group.as_str(), kind.as_str()) {
            (GATEWAY_API, "GatewayClass") => decode(value, about, &mut world.classes),
            (GATEWAY_API, "Gateway") => decode(value, about, &mut world.gateways),
            (GATEWAY_API, "HTTPRoute") => {
                let mut diagnostics = salvage(&mut value, &about);
                diagnostics.extend(decode(value, about, &mut world.routes));
                diagnostics
            }
            (GATEWAY_API, "ReferenceGrant") => decode(value, about, &mut world.grants),
            ("agentgateway.dev", "AgentgatewayBackend") => {
                decode(value, about, &mut world.backends)
            }
            ("gateway.kgateway.dev", "Backend") => {
                decode(value, about, &mut world.kgateway_backends)
            }
            ("", "Service") => decode(value, about, &mut world.services),
            ("", "Namespace") => decode(value, about, &mut world.namespaces),
            ("", "Secret") => decode(value, about, &mut world.secrets),
            ("", "ConfigMap") => decode(value, about, &mut world.config_maps),
            ("agentgateway.dev", "AgentgatewayParameters") => {
                decode(value, about, &mut world.parameters)
            }
            ("apiextensions.k8s.io", "CustomResourceDefinition")
                if about.name.name.ends_with(DEFINED) =>
            {
                world.definitions.push(about);
                Vec::new()
            }
            ("discovery.k8s.io", "EndpointSlice") => decode(value, about, &mut world.slices),
            ("agentgateway.dev", "AgentgatewayPolicy") | (GATEWAY_API, "BackendTLSPolicy") => {
                self.guard(&value, about, true)
            }
            (_, kind) if GUARDS.contains(&kind) => self.guard(&value, about, false),
            (group, _) => match AttachedPolicy::read(&about, &value, false) {
                Some(policy) if guards(group) => self.attach(policy, about),
                _ => vec![about.warning("kind.ignored", "", "not used; ignored")],
            },
        };
        for diagnostic in decoded {
            self.report(diagnostic);
        }
    }

    /// A policy of a kind that guards, whatever else it says.
    fn guard(&mut self, value: &Value, about: About, is_known: bool) -> Vec<Diagnostic> {
        match AttachedPolicy::read(&about, value, is_known) {
            Some(policy) => self.attach(policy, about),
            None => {
                let diagnostic = about.error(
                    "policy.unattached",
                    "spec",
                    "it has neither `targetRefs` nor `targetSelectors`, so it closes everything in \
                     its namespace",
                );
                let value = AttachedPolicy::unreadable("it is attached to nothing");
                self.manifests.world.policies.push(Object { about, value });
                vec![diagnostic]
            }
        }
    }

    fn attach(&mut self, policy: AttachedPolicy, about: About) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        if policy.attachments.contains(&Attachment::Anything) {
            diagnostics.push(about.error(
                "policy.unreadable",
                "spec",
                "it cannot be read what it is attached to, so it closes everything in its \
                 namespace",
            ));
        }
        self.manifests.world.policies.push(Object { about, value: policy });
        diagnostics
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.manifests.diagnostics.push(diagnostic);
    }
}

/// The API group of an object, if it says one, and what is true of it whatever it says.
fn about(value: &Value, origins: Origins) -> (Option<String>, About) {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let version = value.get("apiVersion").and_then(Value::as_str);
    let group = version.map(|version| {
        version.split_once('/').map(|(group, _)| group.to_owned()).unwrap_or_default()
    });
    let kind = text(value.get("kind"));
    let metadata = value.get("metadata");
    let field = |name: &str| text(metadata.and_then(|metadata| metadata.get(name)));
    let namespace = match (kind.as_str(), field("namespace")) {
        ("GatewayClass" | "Namespace" | "CustomResourceDefinition", _) => String::new(),
        (_, namespace) if namespace.is_empty() => DEFAULT_NAMESPACE.to_owned(),
        (_, namespace) => namespace,
    };
    let about = About {
        kind,
        name: ObjectName { namespace, name: field("name") },
        metadata: metadata
            .and_then(|metadata| serde_json::from_value::<ObjectMeta>(metadata.clone()).ok())
            .unwrap_or_default(),
        origins: Arc::new(origins),
        unknown: Vec::new(),
    };
    (group, about)
}

/// Decodes an object into its kind's list; answers what is wrong with it.
fn decode<T: DeserializeOwned>(
    value: Value,
    mut about: About,
    objects: &mut Vec<Object<T>>,
) -> Vec<Diagnostic> {
    if let Err(error) = serde_path_to_error::deserialize::<_, T>(&value) {
        let field = error.path().to_string();
        // The words could quote what is in it.
        let why = match about.kind.as_str() {
            "Secret" => "this is not text".to_owned(),
            _ => error.inner().to_string(),
        };
        let message = format!("{why}; the object is left out");
        return vec![about.error(UNDECODABLE, &field, message)];
    }
    let mut unknown = Vec::new();
    let decoded = serde_ignored::deserialize(value, |path| unknown.push(field_path(&path)));
    let value: T = match decoded {
        Ok(value) => value,
        Err(error) => return vec![about.error(UNDECODABLE, "", error.to_string())],
    };
    unknown.retain(|field| field.starts_with("spec."));
    about.unknown = unknown;
    if let Some(first) = objects.iter().find(|object| object.about.name == about.name) {
        let at = first.about.place("metadata.name").map(|place| format!(" at {place}"));
        let message = format!("already defined{}; that one is used", at.unwrap_or_default());
        return vec![about.error("object.twice", "metadata.name", message)];
    }
    let report = |field: &String| about.warning("field.unknown", field, "unknown field");
    let diagnostics = about.unknown.iter().map(report).collect();
    objects.push(Object { about, value });
    diagnostics
}

/// Whether policies of this API group apply to what we serve, so that one we do not know may be a
/// guard.
fn guards(group: &str) -> bool {
    group.contains("agentgateway")
        || group == "gateway.kgateway.dev"
        || group == GATEWAY_API
        || group == "gateway.networking.x-k8s.io"
}
