//! Backends: the targets they name, in their order.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexMap;

use super::Variables;
use super::report::Report;
use super::target::{Scope, Targets, target};
use crate::document::{self, Action, Document, ElicitationLabel, PrefixMode, TargetEntry};
use crate::implied;
use crate::named::{backends_named, targets_named};
use crate::read::closest;
use crate::snapshot::{Backend, Target};

pub(super) type Backends = IndexMap<String, Arc<Backend>>;

pub(super) fn backends(
    document: &Document,
    targets: &Targets<'_>,
    variables: &Variables,
    report: &mut Report<'_>,
) -> Backends {
    let mut backends = Backends::new();
    if document.backends.is_empty() {
        backends.insert(implied::BACKEND.to_owned(), Arc::new(default_backend(document, targets)));
        return backends;
    }
    for (index, written) in document.backends.iter().enumerate() {
        let path = format!("backends[{index}]");
        if written.name.is_empty() {
            report.error("backend.name", &path, "a backend has a name");
            continue;
        }
        if backends.contains_key(&written.name) {
            let message = format!("`{}` is already defined; this one is left out", written.name);
            report.error("name.repeated", &path, message);
            continue;
        }
        let mut building = Building { document, targets, variables, path: &path, report };
        let backend = building.backend(written);
        backends.insert(written.name.clone(), Arc::new(backend));
    }
    unserved_targets(document, targets, report);
    unserved_backends(document, report);
    backends
}

/// Reports the targets that no backend names: nobody can reach them.
fn unserved_targets(document: &Document, targets: &Targets<'_>, report: &mut Report<'_>) {
    let named = targets_named(document);
    for (index, written) in document.targets.iter().enumerate() {
        let name = written.name.as_str();
        let is_usable = targets.get(name).is_some_and(Option::is_some);
        if is_usable && !named.contains(&name) {
            let message =
                format!("no backend has `{name}` among its `targets`, so it is not served");
            report.warning("target.unserved", &format!("targets[{index}]"), message);
        }
    }
}

/// Reports the backends that no route leads to. Where a route is shut, nobody knows where it led.
fn unserved_backends(document: &Document, report: &mut Report<'_>) {
    let is_shut = document.routes.iter().any(|route| matches!(route.action, Action::Close(_)));
    if document.routes.is_empty() || is_shut {
        return;
    }
    let named = backends_named(document);
    for (index, written) in document.backends.iter().enumerate() {
        let name = written.name.as_str();
        if !name.is_empty() && !named.contains(&name) {
            let message = format!("no route leads to `{name}`, so it is not served");
            report.warning("backend.unserved", &format!("backends[{index}]"), message);
        }
    }
}

/// All targets, for a document that has no backends.
fn default_backend(document: &Document, targets: &Targets<'_>) -> Backend {
    let mut all = Vec::new();
    let mut names = HashSet::new();
    for written in &document.targets {
        let target = targets.get(written.name.as_str()).and_then(Option::as_ref);
        if let Some(target) = target.filter(|_| names.insert(written.name.as_str())) {
            all.push(Arc::clone(target));
        }
    }
    Backend {
        name: implied::BACKEND.into(),
        targets: all,
        prefix_mode: PrefixMode::default(),
        failure_mode: None,
        elicitation_label: ElicitationLabel::default(),
        closed: None,
    }
}

struct Building<'a, 'o> {
    document: &'a Document,
    targets: &'a Targets<'a>,
    variables: &'a Variables,
    path: &'a str,
    report: &'a mut Report<'o>,
}

impl Building<'_, '_> {
    fn backend(&mut self, written: &document::Backend) -> Backend {
        let mut targets: Vec<Arc<Target>> = Vec::new();
        for (index, entry) in written.targets.iter().enumerate() {
            let path = format!("{}.targets[{index}]", self.path);
            let Some(target) = self.entry(entry, &path, &written.name) else { continue };
            if targets.iter().any(|known| known.name == target.name) {
                let message = format!("`{}` is already in this backend", target.name);
                self.report.error("name.repeated", &path, message);
                continue;
            }
            targets.push(target);
        }
        if written.targets.is_empty() && written.close.is_none() {
            self.report.warning("backend.empty", self.path, "this backend has no targets");
        }
        Backend {
            name: written.name.as_str().into(),
            targets,
            prefix_mode: written.prefix_mode,
            failure_mode: written.failure_mode,
            elicitation_label: written.elicitation_label,
            closed: written.close.clone(),
        }
    }

    fn entry(&mut self, entry: &TargetEntry, path: &str, owner: &str) -> Option<Arc<Target>> {
        match entry {
            TargetEntry::Named(name) => self.named(name, path),
            TargetEntry::Inline(written) => {
                let (variables, secrets) = (self.variables, &self.document.secrets);
                let report = &mut *self.report;
                let mut scope = Scope { path, owner, variables, secrets, report };
                target(written, &self.document.limits, &mut scope).map(Arc::new)
            }
        }
    }

    fn named(&mut self, name: &str, path: &str) -> Option<Arc<Target>> {
        if let Some(target) = self.targets.get(name) {
            return target.clone();
        }
        let mut message = format!("there is no target named `{name}`");
        let known = self.document.targets.iter().map(|target| target.name.as_str());
        if let Some(known) = closest(name, known) {
            message = format!("{message}; did you mean `{known}`?");
        }
        self.report.error("target.unknown", path, message);
        None
    }
}
