//! What a world means as a whole, and the part of it that belongs into a document.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use config::document::{self, Action, Backend, Document, TargetEntry};
use config::{Close, Origins, Place};

use crate::object::ObjectName;
use crate::translate::listener::Listener;
use crate::translate::route::Route;

/// Everything that is served, of all Gateways.
pub(super) struct Plan {
    pub(super) listeners: Vec<Listener>,
    pub(super) routes: Vec<Route>,
    pub(super) backends: BTreeMap<String, PlannedBackend>,
}

/// A backend, and where it and its targets were written.
pub(super) struct PlannedBackend {
    pub(super) backend: Backend,
    pub(super) place: Option<Place>,
    pub(super) target_places: Vec<Option<Place>>,
}

/// Whose part of a plan.
pub(super) enum Share<'a> {
    All,
    Gateway(&'a ObjectName),
}

impl Share<'_> {
    fn has(&self, gateway: &ObjectName) -> bool {
        match self {
            Self::All => true,
            Self::Gateway(own) => gateway == *own,
        }
    }
}

impl Plan {
    /// The Gateways that have a listener.
    pub(super) fn gateways(&self) -> BTreeSet<&ObjectName> {
        self.listeners.iter().map(|listener| &listener.gateway).collect()
    }

    /// Whether a rule is attached to a listener of this Gateway.
    pub(super) fn has_routes(&self, gateway: &ObjectName) -> bool {
        let mut listeners = self.routes.iter().flat_map(|route| &route.listeners);
        listeners.any(|(_, of)| of == gateway)
    }

    /// Whether a target connects to the addresses of this key.
    pub(super) fn reads_endpoints(&self, key: &str) -> bool {
        let entries = self.backends.values().flat_map(|planned| &planned.backend.targets);
        entries.into_iter().any(|entry| match entry {
            TargetEntry::Inline(target) => target.endpoints.as_deref() == Some(key),
            TargetEntry::Named(_) => false,
        })
    }

    /// The document of one share, its listeners bound to `address`. It holds the backends that its
    /// routes lead to and no others.
    pub(super) fn document(&self, share: &Share<'_>, address: IpAddr) -> (Document, Origins) {
        let mut document = Document::default();
        let mut origins = Origins::default();
        for listener in self.listeners.iter().filter(|listener| share.has(&listener.gateway)) {
            let path = format!("listeners[{}]", document.listeners.len());
            remember(&mut origins, path, listener.place.as_ref());
            document.listeners.push(document::Listener {
                name: listener.name.clone(),
                address: SocketAddr::new(address, listener.port),
                hostname: listener.hostname.clone(),
                protocol: listener.protocol,
                ..document::Listener::default()
            });
        }
        for route in &self.routes {
            self.add_route(route, share, &mut document, &mut origins);
        }
        if document.routes.is_empty() {
            document.routes.push(nothing_attached(&document.listeners));
        }
        (document, origins)
    }

    fn add_route(
        &self,
        route: &Route,
        share: &Share<'_>,
        document: &mut Document,
        origins: &mut Origins,
    ) {
        let served_on = route.listeners.iter().filter(|(_, gateway)| share.has(gateway));
        let listeners: Vec<String> = served_on.map(|(name, _)| name.clone()).collect();
        if listeners.is_empty() {
            return;
        }
        let path = format!("routes[{}]", document.routes.len());
        remember(origins, path, route.place.as_ref());
        for name in leads(&route.action) {
            self.add_backend(name, document, origins);
        }
        for stand_in in &route.stand_ins {
            if !document.backends.iter().any(|backend| backend.name == stand_in.name) {
                document.backends.push(stand_in.clone());
            }
        }
        document.routes.push(document::Route {
            name: route.name.clone(),
            listeners,
            hostnames: route.hostnames.clone(),
            matches: route.matches.clone(),
            action: route.action.clone(),
        });
    }

    fn add_backend(&self, name: &str, document: &mut Document, origins: &mut Origins) {
        let Some(planned) = self.backends.get(name) else { return };
        if document.backends.iter().any(|backend| backend.name == name) {
            return;
        }
        let path = format!("backends[{}]", document.backends.len());
        for (index, place) in planned.target_places.iter().enumerate() {
            remember(origins, format!("{path}.targets[{index}]"), place.as_ref());
        }
        remember(origins, path, planned.place.as_ref());
        document.backends.push(planned.backend.clone());
    }
}

fn leads(action: &Action) -> Vec<&str> {
    match action {
        Action::Backend(name) => vec![name],
        Action::Backends(shares) => shares.iter().map(|share| share.name.as_str()).collect(),
        Action::Close(_) => Vec::new(),
    }
}

fn remember(origins: &mut Origins, path: String, place: Option<&Place>) {
    if let Some(place) = place {
        origins.insert(path, place.clone());
    }
}

/// A document without routes would serve every backend. Manifests without routes serve nothing, and
/// say why.
fn nothing_attached(listeners: &[document::Listener]) -> document::Route {
    let (id, reason) = match listeners {
        [] => ("gateway.none", "no Gateway is served, so that no route is"),
        _ => ("route.none", "no HTTPRoute is attached to a listener"),
    };
    let close = Close { id: id.to_owned(), reason: reason.to_owned() };
    document::Route {
        name: "none".to_owned(),
        listeners: listeners.iter().map(|listener| listener.name.clone()).collect(),
        hostnames: Vec::new(),
        matches: Vec::new(),
        action: Action::Close(close),
    }
}
