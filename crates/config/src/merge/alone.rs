//! Files without routes beside files that have some: theirs would be the default routes, which a
//! document with routes does not have.

use std::collections::BTreeSet;

use crate::document::{Backend, Document, Listener, TargetEntry};
use crate::implied;
use crate::named::{backends_named, targets_named};
use crate::read::Reading;

/// Adds what the files that stand alone have by default, as one more reading, if another file has
/// routes: a backend of all their targets, its routes, and a listener. Names that are taken get a
/// number.
///
/// A file stands alone if it writes no routes and nobody who has routes names what is in it.
pub(super) fn write_down(readings: &mut Vec<Reading>) {
    let Some(reading) = by_default(readings) else { return };
    if !reading.document.listeners.is_empty() {
        keep_listeners(readings);
    }
    readings.push(reading);
}

/// Names the listeners of routes that are served on all of them, so that one more does not open
/// the routes elsewhere.
fn keep_listeners(readings: &mut [Reading]) {
    let listeners = readings.iter().flat_map(|reading| &reading.document.listeners);
    let listeners: Vec<String> = listeners.map(|listener| listener.name.clone()).collect();
    for route in readings.iter_mut().flat_map(|reading| &mut reading.document.routes) {
        if route.listeners.is_empty() {
            route.listeners.clone_from(&listeners);
        }
    }
}

fn by_default(readings: &[Reading]) -> Option<Reading> {
    let documents: Vec<&Document> = readings.iter().map(|reading| &reading.document).collect();
    let (alone, served) = split(&documents);
    let targets: Vec<&str> = names(alone.iter().flat_map(|one| &one.targets), |one| &one.name);
    let mut backends = names(alone.iter().flat_map(|one| &one.backends), |one| &one.name);
    if served.iter().all(|one| one.routes.is_empty()) || (targets.is_empty() && backends.is_empty())
    {
        return None;
    }

    let mut reading = Reading::default();
    let added = &mut reading.document;
    let name;
    if backends.is_empty() {
        let taken = names(documents.iter().flat_map(|one| &one.backends), |one| &one.name);
        name = free(implied::BACKEND, &taken);
        let targets = targets.into_iter().map(|name| TargetEntry::Named(name.to_owned()));
        added.backends.push(Backend {
            name: name.clone(),
            targets: targets.collect(),
            ..Backend::default()
        });
        backends.push(&name);
    }
    let mut listeners = names(alone.iter().flat_map(|one| &one.listeners), |one| &one.name);
    let listener;
    if listeners.is_empty() {
        let taken = names(documents.iter().flat_map(|one| &one.listeners), |one| &one.name);
        let default = Listener::default();
        listener = free(&default.name, &taken);
        added.listeners.push(Listener { name: listener.clone(), ..default });
        listeners.push(&listener);
    }
    let taken = names(documents.iter().flat_map(|one| &one.routes), |one| &one.name);
    for mut route in implied::routes(&backends) {
        route.name = free(&route.name, &taken);
        route.listeners = listeners.iter().map(|&name| name.to_owned()).collect();
        added.routes.push(route);
    }
    Some(reading)
}

/// The documents that stand alone, and those that are behind routes.
fn split<'a>(documents: &[&'a Document]) -> (Vec<&'a Document>, Vec<&'a Document>) {
    let (mut alone, mut served): (Vec<&Document>, Vec<&Document>) =
        documents.iter().copied().partition(|one| one.routes.is_empty());
    loop {
        let backends: BTreeSet<&str> = served.iter().flat_map(|one| backends_named(one)).collect();
        let targets: BTreeSet<&str> = served.iter().flat_map(|one| targets_named(one)).collect();
        let (more, rest): (Vec<&Document>, Vec<&Document>) = alone.into_iter().partition(|one| {
            one.backends.iter().any(|backend| backends.contains(backend.name.as_str()))
                || one.targets.iter().any(|target| targets.contains(target.name.as_str()))
        });
        alone = rest;
        if more.is_empty() {
            return (alone, served);
        }
        served.extend(more);
    }
}

/// The names that are written, each once, in their order.
fn names<'a, T: 'a>(
    elements: impl Iterator<Item = &'a T>,
    name: fn(&T) -> &String,
) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for element in elements {
        let name = name(element).as_str();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// The name itself, or with the first number that makes it new.
fn free(name: &str, taken: &[&str]) -> String {
    if !taken.contains(&name) {
        return name.to_owned();
    }
    let mut number = 2_u32;
    loop {
        let numbered = format!("{name}-{number}");
        if !taken.contains(&numbered.as_str()) {
            return numbered;
        }
        number = number.saturating_add(1);
    }
}
