//! What runs a Gateway: the objects that the controller creates for it, as server-side apply takes them.
//! Pure.

mod name;
mod parameters;
mod pod;

use std::collections::BTreeMap;

use gateway_api::gateways::Gateway;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use kube::Resource;
use serde_json::{Value, json};

use crate::object::{Object, ObjectName};

pub use name::proxy_name;
pub(crate) use parameters::Parameters;

/// The port on which the kubelet asks a proxy how it is, and where its metrics are.
pub const HEALTH_PORT: u16 = 15021;
/// Who alone may read the tokens of proxies.
pub const AUDIENCE: &str = "portico-xds";
/// The label by which everything that belongs to a Gateway is found.
pub const GATEWAY_LABEL: &str = "gateway.networking.k8s.io/gateway-name";
/// The label of everything that the controller has made.
pub const MANAGED_BY: (&str, &str) = ("app.kubernetes.io/managed-by", "portico");

/// What is the same for every proxy of a controller.
#[derive(Debug, Clone, Default)]
pub struct ProxySettings {
    /// The image that proxies run.
    pub image: String,
    /// `Always`, `IfNotPresent` or `Never`; unset: as Kubernetes decides.
    pub pull_policy: Option<String>,
    /// Where the controller is: `https://name.namespace.svc:port`.
    pub controller_url: String,
}

/// The objects of one Gateway, in the order in which they are needed.
#[derive(Debug, Clone, PartialEq)]
pub struct Deployed {
    /// What all of them are called, or begin with.
    pub name: ObjectName,
    /// What server-side apply is told. Session keys are not among them: they are made once.
    pub objects: Vec<Value>,
    /// What the operator should know.
    pub notes: Vec<String>,
}

/// What is known of a Gateway beside what it says.
#[derive(Debug, Clone, Default)]
pub struct Circumstances {
    /// The ports that are served.
    pub ports: BTreeMap<u16, &'static str>,
    /// The authorities that vouch for the controller, in PEM.
    pub authorities: String,
    /// How many replicas its Deployment asks for now.
    pub replicas: Option<i32>,
}

/// The objects of `gateway`.
pub(crate) fn deployed(
    gateway: &Object<Gateway>,
    circumstances: &Circumstances,
    parameters: &Parameters<'_>,
    settings: &ProxySettings,
) -> Deployed {
    let name = ObjectName::new(gateway.about.namespace(), proxy_name(&gateway.about.name.name));
    let deploying = Deploying { gateway, name, circumstances, parameters, settings };
    let mut objects = vec![
        deploying.object("v1", "ServiceAccount", json!({ "automountServiceAccountToken": false })),
        deploying.object(
            "v1",
            "ConfigMap",
            json!({ "data": { "ca.crt": circumstances.authorities } }),
        ),
        deploying.service(),
        deploying.deployment(),
    ];
    let mut notes = Vec::new();
    if deploying.name.name != gateway.about.name.name {
        notes.push(format!(
            "no Service can have the name of this Gateway; what runs it is called `{}`",
            deploying.name.name
        ));
    }
    let autoscaler = deploying.autoscaler();
    let may_be_several = deploying.replicas() > 1 || autoscaler.is_some();
    objects.extend(autoscaler);
    if may_be_several || deploying.parameters.has("PodDisruptionBudget") {
        objects.push(deploying.disruption_budget());
    }
    if may_be_several {
        notes.push(
            "sessions live in one replica: the Service sends each client address to one \
             (`sessionAffinity: ClientIP`)"
                .to_owned(),
        );
    }
    Deployed { name: deploying.name.clone(), objects, notes }
}

/// The name of the Secret with the session keys of a Gateway.
pub fn session_keys_name(name: &ObjectName) -> ObjectName {
    ObjectName::new(name.namespace.clone(), format!("{}-session-key", name.name))
}

struct Deploying<'a> {
    gateway: &'a Object<Gateway>,
    name: ObjectName,
    circumstances: &'a Circumstances,
    parameters: &'a Parameters<'a>,
    settings: &'a ProxySettings,
}

impl Deploying<'_> {
    /// An object of the Gateway: its identity, and what is particular to its kind.
    fn object(&self, version: &str, kind: &str, content: Value) -> Value {
        let mut object = json!({
            "apiVersion": version,
            "kind": kind,
            "metadata": metadata(self.gateway, &self.name),
        });
        if let (Some(object), Value::Object(content)) = (object.as_object_mut(), content) {
            object.extend(content);
        }
        self.parameters.lay_over(kind, &mut object);
        object
    }

    fn pod(&self) -> Value {
        pod::spec(&self.name, self.circumstances, self.parameters, self.settings, self.replicas())
    }

    fn replicas(&self) -> i32 {
        self.parameters.replicas().or(self.circumstances.replicas).unwrap_or(1)
    }

    fn service(&self) -> Value {
        let ports = self.circumstances.ports.iter().map(|(port, protocol)| {
            json!({
                "name": format!("{protocol}-{port}"),
                "port": port,
                "targetPort": port,
                "protocol": "TCP",
            })
        });
        let several = self.replicas() > 1 || self.parameters.has("HorizontalPodAutoscaler");
        let affinity = if several { "ClientIP" } else { "None" };
        let spec = json!({
            "type": "LoadBalancer",
            "selector": self.selector(),
            "sessionAffinity": affinity,
            "ports": ports.collect::<Vec<_>>(),
        });
        self.object("v1", "Service", json!({ "spec": spec }))
    }

    fn deployment(&self) -> Value {
        let mut labels = labels(self.gateway, &self.name);
        labels.extend(self.selector());
        let spec = json!({
            "selector": { "matchLabels": self.selector() },
            // The last of the old ones goes when a new one is ready.
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0 } },
            "template": {
                "metadata": { "labels": labels, "annotations": self.annotations() },
                "spec": self.pod(),
            },
        });
        self.object("apps/v1", "Deployment", json!({ "spec": spec }))
    }

    /// Only where somebody says how far it goes.
    fn autoscaler(&self) -> Option<Value> {
        let kind = "HorizontalPodAutoscaler";
        let target =
            json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": self.name.name });
        let spec = json!({ "spec": { "scaleTargetRef": target } });
        self.parameters.has(kind).then(|| self.object("autoscaling/v2", kind, spec))
    }

    fn disruption_budget(&self) -> Value {
        let spec = json!({ "maxUnavailable": 1, "selector": { "matchLabels": self.selector() } });
        self.object("policy/v1", "PodDisruptionBudget", json!({ "spec": spec }))
    }

    /// The labels of its pods.
    fn selector(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(GATEWAY_LABEL.to_owned(), self.name.name.clone())])
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        annotations(self.gateway)
    }
}

/// The metadata of an object of a Gateway.
pub(crate) fn metadata(gateway: &Object<Gateway>, name: &ObjectName) -> Value {
    let mut metadata = json!({
        "name": name.name,
        "namespace": name.namespace,
        "labels": labels(gateway, name),
        "ownerReferences": [owner(gateway)],
    });
    let annotations = annotations(gateway);
    if let (false, Some(metadata)) = (annotations.is_empty(), metadata.as_object_mut()) {
        metadata.insert("annotations".to_owned(), json!(annotations));
    }
    metadata
}

/// Whether an object of the cluster was made for this Gateway.
pub(crate) fn is_of(owners: &[OwnerReference], gateway: &Object<Gateway>) -> bool {
    let uid = gateway.about.metadata.uid.as_deref().unwrap_or_default();
    owners.iter().any(|owner| owner.uid == uid && owner.controller == Some(true))
}

fn owner(gateway: &Object<Gateway>) -> OwnerReference {
    OwnerReference {
        api_version: Gateway::api_version(&()).into_owned(),
        kind: Gateway::kind(&()).into_owned(),
        name: gateway.about.name.name.clone(),
        uid: gateway.about.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// What the Gateway asks for, and what its objects are found by.
fn labels(gateway: &Object<Gateway>, name: &ObjectName) -> BTreeMap<String, String> {
    let infrastructure = gateway.value.spec.infrastructure.as_ref();
    let mut labels = infrastructure.and_then(|asked| asked.labels.clone()).unwrap_or_default();
    let (managed_by, us) = MANAGED_BY;
    labels.extend([
        (managed_by.to_owned(), us.to_owned()),
        ("app.kubernetes.io/name".to_owned(), "portico-proxy".to_owned()),
        (GATEWAY_LABEL.to_owned(), name.name.clone()),
    ]);
    labels
}

fn annotations(gateway: &Object<Gateway>) -> BTreeMap<String, String> {
    let infrastructure = gateway.value.spec.infrastructure.as_ref();
    infrastructure.and_then(|asked| asked.annotations.clone()).unwrap_or_default()
}

#[cfg(test)]
mod tests;
