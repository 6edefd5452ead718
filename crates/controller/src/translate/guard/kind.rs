//! The kinds of objects that policies are attached to, and what is there of each.

use std::collections::BTreeMap;

use crate::object::{About, Object, ObjectName};
use crate::translate::section;
use crate::translate::shape;
use crate::world::World;

/// The kinds of objects that a policy can be attached to and that we serve.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
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

    /// The objects of this kind.
    pub(super) fn objects(self, world: &World) -> Vec<&About> {
        fn about<T>(objects: &[Object<T>]) -> Vec<&About> {
            objects.iter().map(|object| &object.about).collect()
        }
        match self {
            Self::Gateway => about(&world.gateways),
            Self::Route => about(&world.routes),
            Self::Service => about(&world.services),
            Self::Backend => about(&world.backends),
            Self::KgatewayBackend => about(&world.kgateway_backends),
        }
    }

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

    /// What the parts of an object are called, each in every way; `targets` are the names of each
    /// backend's targets.
    pub(super) fn sections(
        self,
        world: &World,
        targets: &BTreeMap<String, Vec<String>>,
        name: &ObjectName,
    ) -> Vec<String> {
        match self {
            Self::Gateway => {
                let gateway = value(&world.gateways, name);
                let listeners = gateway.into_iter().flat_map(|gateway| &gateway.spec.listeners);
                listeners.flat_map(section::of_listener).collect()
            }
            Self::Route => {
                let route = value(&world.routes, name);
                let rules = route.into_iter().flat_map(|route| route.spec.rules.iter().flatten());
                rules.flat_map(section::of_rule).collect()
            }
            Self::Service => {
                let service = value(&world.services, name);
                let spec = service.and_then(|service| service.spec.as_ref());
                let ports = spec.into_iter().flat_map(|spec| spec.ports.iter().flatten());
                ports.flat_map(|port| section::of_port(port.port, Some(port))).collect()
            }
            Self::Backend => of_backend(targets, &shape::backend_name(name)),
            Self::KgatewayBackend => of_backend(targets, &shape::kgateway_backend_name(name)),
        }
    }
}

fn value<'a, T>(objects: &'a [Object<T>], name: &ObjectName) -> Option<&'a T> {
    objects.iter().find(|object| object.about.name == *name).map(|object| &object.value)
}

fn of_backend(targets: &BTreeMap<String, Vec<String>>, name: &str) -> Vec<String> {
    targets.get(name).cloned().unwrap_or_default()
}
