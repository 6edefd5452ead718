//! Turns the objects of a world into documents: one for each Gateway, or one for all. Pure, and it
//! never reads EndpointSlices.

mod action;
mod gateway;
mod guard;
mod listener;
mod matches;
mod plan;
mod port;
mod reference;
mod route;
mod section;
mod shape;
mod target;
mod target_name;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use config::{Diagnostic, Reading};

use crate::endpoints::endpoints;
use crate::manifests::Manifests;
use crate::object::ObjectName;
use crate::settings::Settings;
use crate::status::Statuses;
use crate::world::World;
use guard::Guards;
use plan::{Plan, Share};

/// What the objects of a world mean.
#[derive(Debug, Default)]
pub struct Translated {
    /// The document of each Gateway that is ours. They name endpoints by key and hold none.
    pub documents: BTreeMap<ObjectName, Reading>,
    /// What is to be said of the objects that are ours.
    pub statuses: Statuses,
    /// What is wrong with the objects.
    pub diagnostics: Vec<Diagnostic>,
}

/// Translates every Gateway of a world. Listeners are bound to every address of their machine.
pub fn translate(world: &World, settings: &Settings) -> Translated {
    let mut diagnostics = Vec::new();
    let plan = plan(world, settings, &mut diagnostics);
    let mut documents = BTreeMap::new();
    for gateway in plan.gateways() {
        let share = Share::Gateway(gateway);
        let (document, origins) = plan.document(&share, IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let reading = Reading { document, origins, diagnostics: Vec::new() };
        documents.insert(gateway.clone(), reading);
    }
    Translated { documents, statuses: Statuses::default(), diagnostics }
}

/// All files together as one native document: Gateways merged, listeners on loopback, endpoints
/// filled in. What is wrong with the files and with what they say is in its diagnostics.
pub fn document(files: Vec<Manifests>) -> Reading {
    let mut world = World::default();
    let mut diagnostics = Vec::new();
    for file in files {
        diagnostics.extend(file.diagnostics);
        diagnostics.extend(world.merge(file.world));
    }
    let plan = plan(&world, &Settings::default(), &mut diagnostics);
    let (mut document, origins) = plan.document(&Share::All, IpAddr::V4(Ipv4Addr::LOCALHOST));
    document.endpoints = endpoints(&world.services, &world.slices);
    document.endpoints.retain(|key, _| plan.reads_endpoints(key));
    Reading { document, origins, diagnostics }
}

fn plan(world: &World, settings: &Settings, diagnostics: &mut Vec<Diagnostic>) -> Plan {
    let guards = Guards::of(world, &target::names(world), diagnostics);
    let gateways = gateway::served(world, settings, diagnostics);
    let listeners = listener::listeners(&gateways, &guards, diagnostics);
    let backends = target::backends(world, &guards, diagnostics);
    let routes = route::routes(world, &gateways, &listeners, &guards, diagnostics);
    let plan = Plan { listeners, routes, backends };
    for gateway in gateways.iter().filter(|gateway| !plan.has_routes(&gateway.about.name)) {
        let message = "no HTTPRoute is attached to it, so it serves nothing";
        diagnostics.push(gateway.about.warning("gateway.no-route", "spec", message));
    }
    plan
}

#[cfg(test)]
mod tests;
