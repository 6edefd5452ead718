//! The kinds of objects that policies are attached to, and what is there of each.

use std::collections::BTreeMap;

use crate::object::{About, Object, ObjectName};
use crate::translate::class;
use crate::translate::index::Index;
use crate::translate::section;
use crate::translate::shape;
use crate::world::World;

/// The kinds of objects that a policy can be attached to and that we serve.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::translate) enum Guarded {
    Gateway,
    Route,
    Service,
    Backend,
    KgatewayBackend,
}

impl Guarded {
    /// The kind, if it is one of ours.
    pub(super) fn of(group: &str, kind: &str) -> Option<Self> {
        match (group, kind) {
            ("gateway.networking.k8s.io", "Gateway") => Some(Self::Gateway),
            ("gateway.networking.k8s.io", "HTTPRoute") => Some(Self::Route),
            ("" | "core", "Service") => Some(Self::Service),
            ("agentgateway.dev", "AgentgatewayBackend") => Some(Self::Backend),
            ("gateway.kgateway.dev", "Backend") => Some(Self::KgatewayBackend),
            _ => None,
        }
    }

    /// Every kind.
    pub(super) const ALL: [Self; 5] =
        [Self::Gateway, Self::Route, Self::Service, Self::Backend, Self::KgatewayBackend];

    /// What Kubernetes calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gateway => "Gateway",
            Self::Route => "HTTPRoute",
            Self::Service => "Service",
            Self::Backend => "AgentgatewayBackend",
            Self::KgatewayBackend => "Backend",
        }
    }

    /// Whether there is such an object.
    pub(super) fn has(self, world: &Index<'_>, name: &ObjectName) -> bool {
        match self {
            Self::Gateway => world.gateway(name).is_some(),
            Self::Route => world.route(name).is_some(),
            Self::Service => world.service(name).is_some(),
            Self::Backend => world.backend(name).is_some(),
            Self::KgatewayBackend => world.has_kgateway_backend(name),
        }
    }

    /// Its API group.
    pub(super) fn group(self) -> &'static str {
        match self {
            Self::Gateway | Self::Route => "gateway.networking.k8s.io",
            Self::Service => "",
            Self::Backend => "agentgateway.dev",
            Self::KgatewayBackend => "gateway.kgateway.dev",
        }
    }

    /// What the parts of an object are called, each in every way; `targets` are the names of each
    /// backend's targets.
    pub(super) fn sections(
        self,
        world: &Index<'_>,
        targets: &BTreeMap<String, Vec<String>>,
        name: &ObjectName,
    ) -> Vec<String> {
        match self {
            Self::Gateway => {
                let gateway = world.gateway(name).map(|gateway| &gateway.value);
                let listeners = gateway.into_iter().flat_map(|gateway| &gateway.spec.listeners);
                listeners.flat_map(section::of_listener).collect()
            }
            Self::Route => {
                let route = world.route(name).map(|route| &route.value);
                let rules = route.into_iter().flat_map(|route| route.spec.rules.iter().flatten());
                rules.flat_map(section::of_rule).collect()
            }
            Self::Service => {
                let spec = world.service(name).and_then(|service| service.value.spec.as_ref());
                let ports = spec.into_iter().flat_map(|spec| spec.ports.iter().flatten());
                ports.flat_map(|port| section::of_port(port.port, Some(port))).collect()
            }
            Self::Backend => of_backend(targets, &shape::backend_name(name)),
            Self::KgatewayBackend => of_backend(targets, &shape::kgateway_backend_name(name)),
        }
    }

    /// Whether an object is ours to speak of. A Gateway may be another controller's, and so may a
    /// route be that is on such Gateways only.
    pub(super) fn is_ours(self, world: &Index<'_>, name: &ObjectName) -> bool {
        match self {
            Self::Gateway => is_our_gateway(world, name),
            Self::Route => {
                let route = world.route(name);
                let parents = route.iter().flat_map(|route| &route.value.spec.parent_refs);
                parents.flatten().any(|parent| {
                    let namespace = parent.namespace.as_deref().unwrap_or(&name.namespace);
                    is_our_gateway(world, &ObjectName::new(namespace, &parent.name))
                })
            }
            Self::Service | Self::Backend | Self::KgatewayBackend => true,
        }
    }
}

/// The objects of these kinds, by kind and namespace.
pub(super) struct Objects<'a> {
    objects: BTreeMap<Guarded, BTreeMap<&'a str, Vec<&'a About>>>,
}

impl<'a> Objects<'a> {
    pub(super) fn of(world: &'a World) -> Self {
        let mut all = Self { objects: BTreeMap::new() };
        all.add(Guarded::Gateway, &world.gateways);
        all.add(Guarded::Route, &world.routes);
        all.add(Guarded::Service, &world.services);
        all.add(Guarded::Backend, &world.backends);
        all.add(Guarded::KgatewayBackend, &world.kgateway_backends);
        all
    }

    fn add<T>(&mut self, kind: Guarded, objects: &'a [Object<T>]) {
        let of_kind = self.objects.entry(kind).or_default();
        for object in objects {
            let about = &object.about;
            of_kind.entry(about.namespace()).or_default().push(about);
        }
    }

    /// The objects of a kind in a namespace.
    pub(super) fn in_namespace(&self, kind: Guarded, namespace: &str) -> &[&'a About] {
        let of_kind = self.objects.get(&kind);
        let found = of_kind.and_then(|objects| objects.get(namespace));
        found.map(Vec::as_slice).unwrap_or_default()
    }
}

fn is_our_gateway(world: &Index<'_>, name: &ObjectName) -> bool {
    let gateway = world.gateway(name);
    gateway.is_some_and(|gateway| class::is_ours(world, gateway))
}

fn of_backend(targets: &BTreeMap<String, Vec<String>>, name: &str) -> Vec<String> {
    targets.get(name).cloned().unwrap_or_default()
}
