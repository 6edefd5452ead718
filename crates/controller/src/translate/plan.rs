//! What a world means as a whole, and the part of it that belongs into a document.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use config::document::{
    self, Action, Backend, Document, Filters, Lead, ListenerTls, RouteTimeouts, TargetEntry,
    WeightedBackend,
};
use config::{Close, Origins, Place};

use crate::object::{Object, ObjectName};
use crate::status::BackendOutcome;
use crate::translate::gateway::Served;
use crate::translate::listener::Listener;
use crate::translate::route::Route;

/// Everything that is served, of all Gateways.
pub(super) struct Plan<'a> {
    gateways: Vec<Served<'a>>,
    routes: Vec<Route>,
    backends: BTreeMap<String, PlannedBackend>,
    /// The places of each Gateway's routes.
    routes_of: BTreeMap<ObjectName, Vec<usize>>,
}

/// A backend, how it fares, and where it and its targets were written.
pub(super) struct PlannedBackend {
    pub(super) backend: Backend,
    pub(super) outcome: BackendOutcome,
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

impl<'a> Plan<'a> {
    pub(super) fn new(
        gateways: Vec<Served<'a>>,
        routes: Vec<Route>,
        backends: BTreeMap<String, PlannedBackend>,
    ) -> Self {
        let mut routes_of: BTreeMap<ObjectName, Vec<usize>> = BTreeMap::new();
        for (place, route) in routes.iter().enumerate() {
            for (_, gateway) in &route.listeners {
                let places = routes_of.entry(gateway.clone()).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        Self { gateways, routes, backends, routes_of }
    }

    /// The Gateways that are ours.
    pub(super) fn gateways(&self) -> &[Served<'a>] {
        &self.gateways
    }

    /// Whether a rule is attached to a listener of this Gateway.
    pub(super) fn has_routes(&self, gateway: &ObjectName) -> bool {
        self.routes_of.contains_key(gateway)
    }

    /// The backends of the generation that these objects are, by the names of these.
    pub(super) fn outcomes<T>(
        &self,
        objects: &[Object<T>],
        name: fn(&ObjectName) -> String,
    ) -> BTreeMap<ObjectName, BackendOutcome> {
        let outcomes = objects.iter().filter_map(|object| {
            let planned = self.backends.get(&name(&object.about.name))?;
            Some((object.about.name.clone(), planned.outcome.clone()))
        });
        outcomes.collect()
    }

    /// The keys of the addresses that targets connect to.
    pub(super) fn endpoints(&self) -> BTreeSet<&str> {
        let entries = self.backends.values().flat_map(|planned| &planned.backend.targets);
        let keys = entries.filter_map(|entry| match entry {
            TargetEntry::Inline(target) => target.endpoints.as_deref(),
            TargetEntry::Named(_) => None,
        });
        keys.collect()
    }

    /// The document of one share, its listeners bound to `address`. It holds the backends that its
    /// routes lead to and no others.
    pub(super) fn document(&self, share: &Share<'_>, address: IpAddr) -> (Document, Origins) {
        let mut writing = Writing::default();
        let shared = self.gateways.iter().filter(|served| share.has(served.name()));
        for listener in shared.flat_map(Served::in_force) {
            writing.add_listener(listener, address);
        }
        match share {
            Share::All => {
                self.routes.iter().for_each(|route| writing.add_route(self, route, share))
            }
            Share::Gateway(gateway) => {
                for place in self.routes_of.get(*gateway).into_iter().flatten() {
                    if let Some(route) = self.routes.get(*place) {
                        writing.add_route(self, route, share);
                    }
                }
            }
        }
        let Writing { mut document, origins, .. } = writing;
        if document.routes.is_empty() {
            document.routes.push(nothing_attached(&document.listeners));
        }
        (document, origins)
    }
}

/// A document while it is written.
#[derive(Default)]
struct Writing {
    document: Document,
    origins: Origins,
    /// The names of its backends.
    backends: BTreeSet<String>,
}

impl Writing {
    fn add_listener(&mut self, listener: &Listener, address: IpAddr) {
        let Some((protocol, port)) = listener.served_as else { return };
        let path = format!("listeners[{}]", self.document.listeners.len());
        remember(&mut self.origins, path, listener.place.as_ref());
        self.document.listeners.push(document::Listener {
            name: listener.name.clone(),
            address: SocketAddr::new(address, port),
            hostname: listener.hostname.clone(),
            protocol,
            tls: tls(listener),
            ..document::Listener::default()
        });
    }

    fn add_route(&mut self, plan: &Plan<'_>, route: &Route, share: &Share<'_>) {
        let served_on = route.listeners.iter().filter(|(_, gateway)| share.has(gateway));
        let listeners: Vec<String> = served_on.map(|(name, _)| name.clone()).collect();
        if listeners.is_empty() {
            return;
        }
        let path = format!("routes[{}]", self.document.routes.len());
        remember(&mut self.origins, path, route.place.as_ref());
        for name in leads(&route.action) {
            self.add_backend(plan, name);
        }
        for stand_in in &route.stand_ins {
            if self.backends.insert(stand_in.name.clone()) {
                self.document.backends.push(stand_in.clone());
            }
        }
        self.document.routes.push(document::Route {
            name: route.name.clone(),
            listeners,
            hostnames: route.hostnames.clone(),
            matches: route.matches.clone(),
            filters: Filters::default(),
            timeouts: RouteTimeouts::default(),
            action: route.action.clone(),
        });
    }

    fn add_backend(&mut self, plan: &Plan<'_>, name: &str) {
        let Some(planned) = plan.backends.get(name) else { return };
        if !self.backends.insert(name.to_owned()) {
            return;
        }
        let path = format!("backends[{}]", self.document.backends.len());
        for (index, place) in planned.target_places.iter().enumerate() {
            remember(&mut self.origins, format!("{path}.targets[{index}]"), place.as_ref());
        }
        remember(&mut self.origins, path, planned.place.as_ref());
        self.document.backends.push(planned.backend.clone());
    }
}

/// The keys of a listener's certificates, `namespace/name`.
fn tls(listener: &Listener) -> Option<ListenerTls> {
    let certificates: Vec<String> =
        listener.certificates.iter().map(ObjectName::to_string).collect();
    (!certificates.is_empty()).then(|| ListenerTls { certificates, ..ListenerTls::default() })
}

fn leads(action: &Action) -> Vec<&str> {
    match action {
        Action::Backend(name) => vec![name],
        Action::Backends(shares) => shares.iter().filter_map(backend_of).collect(),
        Action::Service(_) | Action::Redirect(_) | Action::Close(_) | Action::Fail(_) => Vec::new(),
    }
}

fn backend_of(share: &WeightedBackend) -> Option<&str> {
    match &share.lead {
        Lead::Backend(name) => Some(name),
        Lead::Service(_) | Lead::Fail(_) => None,
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
        filters: Filters::default(),
        timeouts: RouteTimeouts::default(),
        action: Action::Close(close),
    }
}
