//! Several files as one document.

mod alone;

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Document;
use crate::origins::Origins;
use crate::read::Reading;

/// Puts several readings together, in their order. Of two elements of a kind with the same name
/// the first stays, and the second is left out; both places are reported. So it is with two files
/// that set `names`, `limits`, `admin` or `drain` differently. One that is closed closes all. What is there by default because
/// a file writes no routes is written down where another file has some.
pub fn merge(mut readings: Vec<Reading>) -> Reading {
    alone::write_down(&mut readings);
    let mut merged = Reading::default();
    for reading in readings {
        let Reading { document, origins, diagnostics, .. } = reading;
        merged.diagnostics.extend(diagnostics);
        if let (None, Some(place)) = (merged.origins.place(""), origins.place("")) {
            merged.origins.insert("", place.clone());
        }
        absorb(&mut merged, document, &origins);
    }
    merged
}

fn absorb(merged: &mut Reading, other: Document, origins: &Origins) {
    let Reading { document, origins: into, diagnostics, .. } = merged;
    let mut lists = Lists { into, origins, diagnostics };
    lists.extend("listeners", &mut document.listeners, other.listeners, |one| &one.name);
    lists.extend("routes", &mut document.routes, other.routes, |one| &one.name);
    lists.extend("backends", &mut document.backends, other.backends, |one| &one.name);
    lists.extend("targets", &mut document.targets, other.targets, |one| &one.name);
    lists.extend("services", &mut document.services, other.services, |one| &one.name);
    lists.single("names", &mut document.names, other.names);
    lists.single("limits", &mut document.limits, other.limits);
    lists.single("admin", &mut document.admin, other.admin);
    lists.single("drain", &mut document.drain, other.drain);
    // What closes one file as a whole closes all of them: what it was meant to guard may stand in
    // another one.
    if document.close.is_none() {
        document.close = other.close;
    }
    document.secrets.extend(other.secrets);
    for (key, addresses) in other.endpoints {
        let path = format!("endpoints.{key}");
        if document.endpoints.contains_key(&key) {
            lists.twice(&path, &path, &key);
            continue;
        }
        lists.into.adopt(origins, &path, &path);
        document.endpoints.insert(key, addresses);
    }
}

struct Lists<'a> {
    into: &'a mut Origins,
    origins: &'a Origins,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Lists<'_> {
    fn extend<T>(
        &mut self,
        list: &str,
        elements: &mut Vec<T>,
        others: Vec<T>,
        name: fn(&T) -> &String,
    ) {
        let mut known = HashMap::new();
        for (index, element) in elements.iter().enumerate() {
            known.entry(name(element).clone()).or_insert(index);
        }
        if elements.is_empty()
            && let Some(place) = self.origins.place(list)
        {
            self.into.insert(list, place.clone());
        }
        for (index, element) in others.into_iter().enumerate() {
            let path = format!("{list}[{index}]");
            let element_name = name(&element).clone();
            if let Some(first) = known.get(&element_name)
                && !element_name.is_empty()
            {
                self.twice(&format!("{list}[{first}]"), &path, &element_name);
                continue;
            }
            self.into.adopt(self.origins, &path, &format!("{list}[{}]", elements.len()));
            known.insert(element_name, elements.len());
            elements.push(element);
        }
    }

    fn single<T: Default + PartialEq>(&mut self, path: &str, element: &mut T, other: T) {
        if other == T::default() || other == *element {
            return;
        }
        if *element != T::default() {
            self.twice(path, path, path);
            return;
        }
        self.into.adopt(self.origins, path, path);
        *element = other;
    }

    /// Reports what is defined at `first` and again at `second`.
    fn twice(&mut self, first: &str, second: &str, name: &str) {
        let (here, there) = (self.into.place(first), self.origins.place(second));
        let elsewhere = |place: Option<&crate::diagnostic::Place>| match place {
            Some(place) => format!(" at {place}"),
            None => String::new(),
        };
        let kept = format!("`{name}` is defined again{}; this one counts", elsewhere(there));
        let dropped =
            format!("`{name}` is already defined{}; this one is left out", elsewhere(here));
        let sides = [(first, here, kept), (second, there, dropped)];
        for (path, place, message) in sides {
            self.diagnostics.push(Diagnostic {
                severity: Severity::Error,
                id: "name.repeated",
                path: path.to_owned(),
                message,
                place: place.cloned(),
            });
        }
    }
}
