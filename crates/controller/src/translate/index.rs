//! A world whose objects are found by name: made once for a translation, so that none of its parts
//! looks through all objects of a kind.

use std::collections::{BTreeMap, BTreeSet};

use gateway_api::gatewayclasses::GatewayClass;
use gateway_api::gateways::Gateway;
use gateway_api::httproutes::HttpRoute;
use gateway_api::referencegrants::ReferenceGrant;
use k8s_openapi::api::core::v1::{ConfigMap, Secret, Service};

use crate::object::{Object, ObjectName};
use crate::resources::{AgentgatewayBackend, KgatewayBackend};
use crate::settings::Settings;
use crate::world::World;

/// What the parts of a translation read.
pub(super) struct Index<'a> {
    pub(super) world: &'a World,
    pub(super) settings: &'a Settings,
    classes: BTreeMap<&'a str, &'a Object<GatewayClass>>,
    gateways: Names<'a, Gateway>,
    routes: Names<'a, HttpRoute>,
    backends: Names<'a, AgentgatewayBackend>,
    kgateway_backends: Names<'a, KgatewayBackend>,
    services: Names<'a, Service>,
    secrets: Names<'a, Secret>,
    config_maps: Names<'a, ConfigMap>,
    parameters: BTreeSet<&'a ObjectName>,
    grants: BTreeMap<&'a str, Vec<&'a ReferenceGrant>>,
    services_of: BTreeMap<&'a str, Vec<Placed<'a>>>,
    labels: BTreeMap<&'a str, &'a BTreeMap<String, String>>,
}

/// A Service, and its place among all of them: in files, the order in which they are written.
pub(super) type Placed<'a> = (usize, &'a Object<Service>);

type Names<'a, T> = BTreeMap<&'a ObjectName, &'a Object<T>>;

impl<'a> Index<'a> {
    pub(super) fn of(world: &'a World, settings: &'a Settings) -> Self {
        let mut grants: BTreeMap<&str, Vec<&ReferenceGrant>> = BTreeMap::new();
        // What is not known in a grant may narrow it: it grants nothing.
        for grant in world.grants.iter().filter(|grant| grant.about.unknown.is_empty()) {
            grants.entry(grant.about.namespace()).or_default().push(&grant.value);
        }
        let mut services_of: BTreeMap<&str, Vec<Placed<'_>>> = BTreeMap::new();
        for placed in world.services.iter().enumerate() {
            services_of.entry(placed.1.about.namespace()).or_default().push(placed);
        }
        let labels = world.namespaces.iter();
        let labels = labels.map(|object| (object.about.name.name.as_str(), object.about.labels()));
        let classes = world.classes.iter();
        let classes = classes.map(|object| (object.about.name.name.as_str(), object));
        Self {
            world,
            settings,
            classes: classes.collect(),
            gateways: names(&world.gateways),
            routes: names(&world.routes),
            backends: names(&world.backends),
            kgateway_backends: names(&world.kgateway_backends),
            services: names(&world.services),
            secrets: names(&world.secrets),
            config_maps: names(&world.config_maps),
            parameters: world.parameters.iter().map(|object| &object.about.name).collect(),
            grants,
            services_of,
            labels: labels.collect(),
        }
    }

    pub(super) fn class(&self, name: &str) -> Option<&'a Object<GatewayClass>> {
        self.classes.get(name).copied()
    }

    pub(super) fn gateway(&self, name: &ObjectName) -> Option<&'a Object<Gateway>> {
        self.gateways.get(name).copied()
    }

    pub(super) fn route(&self, name: &ObjectName) -> Option<&'a Object<HttpRoute>> {
        self.routes.get(name).copied()
    }

    pub(super) fn backend(&self, name: &ObjectName) -> Option<&'a Object<AgentgatewayBackend>> {
        self.backends.get(name).copied()
    }

    pub(super) fn has_kgateway_backend(&self, name: &ObjectName) -> bool {
        self.kgateway_backends.contains_key(name)
    }

    pub(super) fn has_parameters(&self, name: &ObjectName) -> bool {
        self.parameters.contains(name)
    }

    pub(super) fn service(&self, name: &ObjectName) -> Option<&'a Object<Service>> {
        self.services.get(name).copied()
    }

    pub(super) fn secret(&self, name: &ObjectName) -> Option<&'a Object<Secret>> {
        self.secrets.get(name).copied()
    }

    pub(super) fn config_map(&self, name: &ObjectName) -> Option<&'a Object<ConfigMap>> {
        self.config_maps.get(name).copied()
    }

    /// The grants that a namespace gives.
    pub(super) fn grants(&self, namespace: &str) -> &[&'a ReferenceGrant] {
        self.grants.get(namespace).map(Vec::as_slice).unwrap_or_default()
    }

    /// The Services of a namespace.
    pub(super) fn services_of(&self, namespace: &str) -> &[Placed<'a>] {
        self.services_of.get(namespace).map(Vec::as_slice).unwrap_or_default()
    }

    /// The namespaces that have Services.
    pub(super) fn namespaces_of_services(&self) -> impl Iterator<Item = &'a str> {
        self.services_of.keys().copied()
    }

    /// The labels of a namespace. One that is not known has the label that Kubernetes gives every
    /// namespace: its name.
    pub(super) fn namespace_labels(&self, namespace: &str) -> BTreeMap<String, String> {
        let mut labels = self.labels.get(namespace).copied().cloned().unwrap_or_default();
        labels.insert("kubernetes.io/metadata.name".to_owned(), namespace.to_owned());
        labels
    }
}

fn names<T>(objects: &[Object<T>]) -> Names<'_, T> {
    objects.iter().map(|object| (&object.about.name, object)).collect()
}
