//! What a world means as a whole, and the part of it that belongs into a document.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use config::document::{
    self, Action, Backend, Document, Filters, Lead, ListenerTls, Protocol, RouteTimeouts, Service,
    TargetEntry,
};
use config::{Close, Origins, Place};

use crate::object::{Object, ObjectName};
use crate::policy::Connection;
use crate::status::BackendOutcome;
use crate::translate::action::{Answer, SaidAt};
use crate::translate::connection::{apply_to_service, apply_to_target, by_place};
use crate::translate::gateway::Served;
use crate::translate::index::Index;
use crate::translate::listener::Listener;
use crate::translate::planned::{PlannedBackend, PlannedService};
use crate::translate::route::Route;

/// Everything that is served, of all Gateways.
pub(super) struct Plan<'a> {
    gateways: Vec<Served<'a>>,
    routes: Vec<Route>,
    backends: BTreeMap<String, PlannedBackend>,
    /// The places of each Gateway's routes.
    routes_of: BTreeMap<ObjectName, Vec<usize>>,
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

    /// The keys of the addresses that targets and services connect to.
    pub(super) fn endpoints(&self) -> BTreeSet<&str> {
        let entries = self.backends.values().flat_map(|planned| &planned.backend.targets);
        let keys = entries.filter_map(|entry| match entry {
            TargetEntry::Inline(target) => target.endpoints.as_deref(),
            TargetEntry::Named(_) => None,
        });
        let services = self.backends.values().filter_map(|planned| planned.service.as_ref());
        let services = services.chain(self.routes.iter().flat_map(|route| &route.answer.services));
        keys.chain(services.filter_map(|planned| planned.service.endpoints.as_deref())).collect()
    }

    /// The document of one share, its listeners bound to `address`. It holds the backends that its
    /// routes lead to and no others.
    pub(super) fn document(
        &self,
        world: &Index<'_>,
        share: &Share<'_>,
        address: IpAddr,
    ) -> (Document, Origins) {
        let has_several_gateways = matches!(share, Share::All) && self.gateways.len() > 1;
        let mut writing = Writing::new(world, has_several_gateways);
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
struct Writing<'a, 'w> {
    world: &'a Index<'w>,
    document: Document,
    origins: Origins,
    /// Whether it is of all Gateways together.
    has_several_gateways: bool,
    /// The names of its backends.
    backends: BTreeSet<String>,
    /// The names of its services.
    services: BTreeSet<String>,
}

impl<'a, 'w> Writing<'a, 'w> {
    fn new(world: &'a Index<'w>, has_several_gateways: bool) -> Self {
        Self {
            world,
            document: Document::default(),
            origins: Origins::default(),
            has_several_gateways,
            backends: BTreeSet::new(),
            services: BTreeSet::new(),
        }
    }

    fn add_listener(&mut self, listener: &Listener, address: IpAddr) {
        let Some((protocol, port)) = listener.served_as else { return };
        let path = format!("listeners[{}]", self.document.listeners.len());
        remember(&mut self.origins, path, listener.place.as_ref());
        self.document.listeners.push(document::Listener {
            name: listener.name.clone(),
            address: SocketAddr::new(address, port),
            hostname: listener.hostname.clone(),
            protocol,
            tls: (protocol == Protocol::Https).then(|| tls(listener)),
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
        let answer = &route.answer;
        for lead in leads(&answer.action) {
            self.add_lead(plan, route, &lead);
        }
        for stand_in in &answer.stand_ins {
            if self.backends.insert(stand_in.name.clone()) {
                self.document.backends.push(stand_in.clone());
            }
        }
        self.document.routes.push(document::Route {
            name: route.name.clone(),
            listeners,
            hostnames: route.hostnames.clone(),
            matches: route.matches.clone(),
            filters: answer.filters.clone(),
            timeouts: answer.timeouts.clone(),
            action: self.named(route),
            requires: Vec::new(),
        });
    }

    fn add_lead(&mut self, plan: &Plan<'_>, route: &Route, lead: &Lead) {
        let answer = &route.answer;
        match lead {
            Lead::Backend(name) => self.add_backend(plan, route, name),
            Lead::Service(name) => {
                let is_it = |own: &&PlannedService| own.service.name == *name;
                let own = answer.services.iter().find(is_it);
                let planned = plan.backends.get(name);
                let server = own.or(planned.and_then(|planned| planned.service.as_ref()));
                let Some(server) = server else { return };
                let name = self.called(answer, name);
                if !self.services.insert(name.clone()) {
                    return;
                }
                if let Some(planned) = planned.filter(|_| own.is_none()) {
                    let path = format!("services[{}]", self.document.services.len());
                    remember(&mut self.origins, path, planned.place.as_ref());
                }
                let mut service = Service { name, ..server.service.clone() };
                let connection = connected(answer, &server.connection);
                let secrets = &mut self.document.secrets;
                apply_to_service(self.world, &connection, &mut service, secrets);
                self.document.services.push(service);
            }
            Lead::Fail(_) => {}
        }
    }

    fn add_backend(&mut self, plan: &Plan<'_>, route: &Route, name: &str) {
        let Some(planned) = plan.backends.get(name) else { return };
        let name = self.called(&route.answer, name);
        if !self.backends.insert(name.clone()) {
            return;
        }
        let path = format!("backends[{}]", self.document.backends.len());
        for (index, place) in planned.target_places.iter().enumerate() {
            remember(&mut self.origins, format!("{path}.targets[{index}]"), place.as_ref());
        }
        remember(&mut self.origins, path, planned.place.as_ref());
        let mut backend = Backend { name, ..planned.backend.clone() };
        // What nobody is let to is shown nothing, and nothing of it leaves its namespace.
        let open = planned.connections.iter().filter(|_| backend.close.is_none());
        for (entry, connection) in backend.targets.iter_mut().zip(open) {
            if let TargetEntry::Inline(target) = entry {
                let connection = connected(&route.answer, connection);
                let secrets = &mut self.document.secrets;
                apply_to_target(self.world, &connection, target, secrets);
            }
        }
        self.document.backends.push(backend);
    }

    /// What the server or backend `name` is called as a rule with this answer connects to it: by its name alone
    /// where nothing but the document's Gateway says how. Whoever says it more narrowly gives a name of its own to
    /// what is connected to in another way, and leaves all others theirs, and with them their sessions.
    fn called(&self, answer: &Answer, name: &str) -> String {
        let SaidAt { gateway, narrower } = &answer.said_at;
        let gateway = gateway.as_ref().filter(|_| self.has_several_gateways);
        let places: Vec<&str> = gateway.into_iter().chain(narrower).map(String::as_str).collect();
        match places.as_slice() {
            [] => name.to_owned(),
            places => by_place(name, &places.join("+")),
        }
    }

    /// The action of a route, by the names that what it leads to has for it.
    fn named(&self, route: &Route) -> Action {
        let answer = &route.answer;
        let is_stand_in = |name: &String| answer.stand_ins.iter().any(|one| one.name == *name);
        match &answer.action {
            Action::Backend(name) => Action::Backend(self.called(answer, name)),
            Action::Service(name) => Action::Service(self.called(answer, name)),
            Action::Backends(shares) => {
                let mut shares = shares.clone();
                for share in &mut shares {
                    match &mut share.lead {
                        Lead::Backend(name) if !is_stand_in(name) => {
                            *name = self.called(answer, name)
                        }
                        Lead::Service(name) => *name = self.called(answer, name),
                        Lead::Backend(_) | Lead::Fail(_) => {}
                    }
                }
                Action::Backends(shares)
            }
            Action::Redirect(_) | Action::Close(_) | Action::Fail(_) => answer.action.clone(),
        }
    }
}

/// How a server is connected to that a rule leads to.
fn connected(answer: &Answer, own: &Connection) -> Connection {
    let mut connection = own.clone();
    connection.inherit(&answer.connection);
    connection
}

/// What a listener proves itself with: the Secrets that it may use, by name.
fn tls(listener: &Listener) -> ListenerTls {
    let certificates = listener.certificates.iter().map(ToString::to_string).collect();
    ListenerTls { certificates, ..ListenerTls::default() }
}

fn leads(action: &Action) -> Vec<Lead> {
    match action {
        Action::Backend(name) => vec![Lead::Backend(name.clone())],
        Action::Service(name) => vec![Lead::Service(name.clone())],
        Action::Backends(shares) => shares.iter().map(|share| share.lead.clone()).collect(),
        Action::Redirect(_) | Action::Close(_) | Action::Fail(_) => Vec::new(),
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
        requires: Vec::new(),
    }
}
