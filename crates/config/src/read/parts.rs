//! The listeners, routes, backends, targets and services of a document: each read by itself, and closed where
//! what guards it could not be read.

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Action, Backend, Close, Listener, Route, Service, Target, TargetEntry};
use crate::feature;
use crate::node::{Entry, Node, Unknown, join};
use crate::read::{Reader, guard};

impl Reader {
    pub(super) fn listener(&mut self, node: &Node) {
        let path = format!("listeners[{}]", self.reading.document.listeners.len());
        let read = self.element::<Listener>(node, &path);
        let author = self.author;
        match read.value {
            Ok(mut listener) => {
                let closes = |unknown: &Unknown| author.closes_listener(unknown);
                let close = self.closing(&path, &read.unknown, closes, &mut listener.requires);
                listener.close = close.or(listener.close);
                self.reading.document.listeners.push(listener);
            }
            Err(reason) => {
                let close = Some(Close { id: "document.type".to_owned(), reason });
                let name = guard::text_of(node, "name");
                self.broken = Some(Listener { name, close, ..Listener::default() });
            }
        }
    }

    pub(super) fn route(&mut self, node: &Node) {
        let path = format!("routes[{}]", self.reading.document.routes.len());
        let read = self.element::<Route>(node, &path);
        let author = self.author;
        let route = match read.value {
            Ok(mut route) => {
                let closes = |unknown: &Unknown| author.closes_route(unknown);
                let close = self.closing(&path, &read.unknown, closes, &mut route.requires);
                let action = close.map_or(route.action, Action::Close);
                Route { action, ..route }
            }
            Err(reason) => guard::closed_route(node, reason),
        };
        self.reading.document.routes.push(route);
    }

    pub(super) fn backend(&mut self, node: &Node) {
        let path = format!("backends[{}]", self.reading.document.backends.len());
        let read = self.element::<Backend>(&node.without("targets"), &path);
        let mut backend = match read.value {
            Ok(mut backend) => {
                let close = self.closing(
                    &path,
                    &read.unknown,
                    guard::is_unknown_guard,
                    &mut backend.requires,
                );
                backend.close = close.or(backend.close);
                backend
            }
            Err(reason) => Backend {
                name: guard::text_of(node, "name"),
                close: Some(Close { id: "document.type".to_owned(), reason }),
                ..Backend::default()
            },
        };
        let entries = node.as_mapping().map(|mapping| mapping.entries.as_slice());
        let entry = entries.unwrap_or_default().iter().find(|entry| entry.key == "targets");
        if let Some(entry) = entry {
            let place = entry.value.position.in_file(&self.file);
            self.reading.origins.insert(format!("{path}.targets"), place);
            backend.targets = self.targets_of(entry, &path);
        }
        self.reading.document.backends.push(backend);
    }

    fn targets_of(&mut self, entry: &Entry, path: &str) -> Vec<TargetEntry> {
        let mut targets = Vec::new();
        let Some(nodes) = entry.value.as_sequence() else {
            if !entry.value.is_null() {
                let path = join(path, "targets");
                let place = entry.value.position.in_file(&self.file);
                self.reading.diagnostics.push(Diagnostic {
                    severity: Severity::Error,
                    id: "document.type",
                    path,
                    message: "this has to be a list".to_owned(),
                    place: Some(place),
                });
            }
            return targets;
        };
        for node in nodes {
            let path = format!("{path}.targets[{}]", targets.len());
            if node.as_mapping().is_some() {
                let target = self.target(node, &path);
                targets.extend(target.map(|target| TargetEntry::Inline(Box::new(target))));
            } else if let Ok(name) = self.element::<String>(node, &path).value {
                targets.push(TargetEntry::Named(name));
            }
        }
        targets
    }

    /// A target; closed if its guards could not be read, none if not even its name could.
    pub(super) fn target(&mut self, node: &Node, path: &str) -> Option<Target> {
        let read = self.element::<Target>(node, path);
        match read.value {
            Ok(mut target) => {
                let close = self.closing(
                    path,
                    &read.unknown,
                    guard::is_unknown_guard,
                    &mut target.requires,
                );
                target.close = close.or(target.close);
                Some(target)
            }
            Err(reason) => {
                let name = guard::text_of(node, "name");
                let close = Some(Close { id: "document.type".to_owned(), reason });
                (!name.is_empty()).then(|| Target { name, close, ..Target::default() })
            }
        }
    }

    /// A service; closed if its guards could not be read, none if not even its name could.
    pub(super) fn service(&mut self, node: &Node) {
        let path = format!("services[{}]", self.reading.document.services.len());
        let read = self.element::<Service>(node, &path);
        let service = match read.value {
            Ok(mut service) => {
                let close = self.closing(
                    &path,
                    &read.unknown,
                    guard::is_unknown_guard,
                    &mut service.requires,
                );
                service.close = close.or(service.close);
                service
            }
            Err(reason) => {
                let name = guard::text_of(node, "name");
                let close = Some(Close { id: "document.type".to_owned(), reason });
                Service { name, close, ..Service::default() }
            }
        };
        if !service.name.is_empty() {
            self.reading.document.services.push(service);
        }
    }

    /// What keeps the element at `path` shut: an unknown field that `closes` it, or a feature that it
    /// requires, which is taken out of it then.
    fn closing(
        &mut self,
        path: &str,
        unknown: &[Unknown],
        closes: impl Fn(&Unknown) -> bool,
        requires: &mut Vec<String>,
    ) -> Option<Close> {
        let unknown_fields = unknown.len();
        let mut closing = unknown.iter().filter(|unknown| closes(unknown)).peekable();
        let close = closing.peek().map(|unknown| guard::close_for(unknown));
        for unknown in closing {
            // What was said of this element came last.
            let just_said = self.reading.diagnostics.iter_mut().rev().take(unknown_fields);
            let same = |one: &&mut Diagnostic| one.path == unknown.path;
            for diagnostic in just_said.filter(same) {
                diagnostic.severity = Severity::Error;
            }
        }
        let missing = feature::close_for(requires);
        if let Some(close) = &missing {
            requires.clear();
            let (path, message) = (path.to_owned(), close.reason.clone());
            let (id, place) = ("document.requires", self.reading.origins.place(&path).cloned());
            let severity = Severity::Error;
            self.reading.diagnostics.push(Diagnostic { severity, id, path, message, place });
        }
        close.or(missing)
    }
}
