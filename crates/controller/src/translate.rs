//! Turns the objects of a world into documents: one for each Gateway, or one for all. Pure, and it
//! never reads EndpointSlices.

mod action;
mod attached;
mod backend_tls;
mod class;
mod closed;
mod connection;
mod faults;
mod filter;
mod gateway;
mod grant;
mod guard;
mod index;
mod key_pair;
mod listener;
mod matches;
mod parent;
mod plan;
mod planned;
mod port;
mod reference;
mod route;
mod secret;
mod section;
mod shape;
mod target;
mod target_name;
mod traffic;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use config::{Diagnostic, Reading};

use crate::endpoints::endpoints;
use crate::manifests::Manifests;
use crate::object::ObjectName;
use crate::settings::Settings;
use crate::status::Statuses;
use crate::world::World;
pub(crate) use connection::without_place;
use guard::Guards;
use index::Index;
use plan::{Plan, Share};
pub use secret::{Referenced, referenced};
pub(crate) use shape::{backend_name, kgateway_backend_name};

/// What the objects of a world mean.
#[derive(Debug, Default)]
pub struct Translated {
    /// The document of each Gateway that is ours, without listeners where none can be served. They name
    /// endpoints and certificates by key and hold none.
    pub documents: BTreeMap<ObjectName, Reading>,
    /// What is to be said of the objects that are ours.
    pub statuses: Statuses,
    /// What is wrong with the objects.
    pub diagnostics: Vec<Diagnostic>,
}

/// Translates every Gateway of a world. Listeners are bound to every address of their machine.
pub fn translate(world: &World, settings: &Settings) -> Translated {
    let mut diagnostics = Vec::new();
    let index = Index::of(world, settings);
    let (plan, statuses) = plan(&index, &mut diagnostics);
    let mut documents = BTreeMap::new();
    for gateway in plan.gateways() {
        let share = Share::Gateway(gateway.name());
        let address = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let (mut document, origins) = plan.document(&index, &share, address);
        document.secrets.extend(secret::named_by(&document, &index));
        let reading = Reading { document, origins, ..Reading::default() };
        documents.insert(gateway.name().clone(), reading);
    }
    Translated { documents, statuses, diagnostics }
}

/// All files together as one native document: Gateways merged, listeners on loopback, endpoints and
/// certificates filled in. What is wrong with the files and with what they say is in its diagnostics.
pub fn document(files: Vec<Manifests>) -> Reading {
    document_by(files, &Settings::default())
}

fn document_by(files: Vec<Manifests>, settings: &Settings) -> Reading {
    let mut world = World::default();
    let mut diagnostics = Vec::new();
    for file in files {
        diagnostics.extend(file.diagnostics);
        diagnostics.extend(world.merge(file.world));
    }
    let index = Index::of(&world, settings);
    let (plan, _) = plan(&index, &mut diagnostics);
    let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let (mut document, origins) = plan.document(&index, &Share::All, address);
    document.secrets.extend(secret::named_by(&document, &index));
    document.endpoints = endpoints(&world.services, &world.slices);
    let keys = plan.endpoints();
    document.endpoints.retain(|key, _| keys.contains(key.as_str()));
    Reading { document, origins, diagnostics, ..Reading::default() }
}

fn plan<'a>(world: &Index<'a>, diagnostics: &mut Vec<Diagnostic>) -> (Plan<'a>, Statuses) {
    for grant in &world.world.grants {
        let unknown = grant.about.unknown.iter();
        diagnostics.extend(unknown.map(|field| {
            let message = "not known, and may narrow it; the grant grants nothing";
            grant.about.error("grant.unknown", field, message)
        }));
    }
    let (guards, policies) = Guards::of(world, &target::names(world), diagnostics);
    let gateways = gateway::served(world, &guards, diagnostics);
    let backends = target::backends(world, &guards, diagnostics);
    let routes = route::routes(world, &gateways, &guards, diagnostics);
    let plan = Plan::new(gateways, routes.rules, backends);
    for gateway in plan.gateways().iter().filter(|gateway| !plan.has_routes(gateway.name())) {
        let message = "no HTTPRoute is attached to it, so it serves nothing";
        diagnostics.push(gateway.object.about.warning("gateway.no-route", "spec", message));
    }
    let gateways = plan.gateways().iter().map(|gateway| {
        let status = gateway::status(world, gateway, &routes.attached);
        (gateway.name().clone(), status)
    });
    let objects = world.world;
    let mut statuses = Statuses {
        classes: class::statuses(world),
        gateways: gateways.collect(),
        routes: routes.statuses,
        backends: plan.outcomes(&objects.backends, shape::backend_name),
        kgateway_backends: plan.outcomes(&objects.kgateway_backends, shape::kgateway_backend_name),
        policies: policies.policies,
        backend_tls_policies: BTreeMap::new(),
    };
    statuses.backend_tls_policies = backend_tls::statuses(world, &statuses, &policies.overruled);
    (plan, statuses)
}

#[cfg(test)]
mod tests;
