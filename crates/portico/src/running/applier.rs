//! From what a source says to what the gateway serves: ports moved, compiled, reported, applied.

use std::sync::Arc;

use arc_swap::ArcSwap;
use config::document::Admin;
use config::{Diagnostic, Document, Drain, Limits, Reading, Severity};
use proxy::{Gateway, ListenError};

use crate::check;
use crate::ports::{self, PortMapping};
use crate::report::Reporter;

/// What is read at the start and stays until the end.
struct Static {
    limits: Limits,
    drain: Drain,
    /// What the files said, which the command line may say otherwise.
    written_admin: Admin,
    admin: Admin,
}

/// Applies one document after the other.
pub(super) struct Applier {
    ports: Vec<PortMapping>,
    kept: Static,
    in_force: Arc<ArcSwap<Document>>,
    reporter: Reporter,
}

impl Applier {
    /// Nothing is applied yet; `document` has the fields that are read at the start only, and
    /// `admin` is where the admin port was asked for.
    pub(super) fn new(ports: Vec<PortMapping>, document: Document, admin: Admin) -> Self {
        let Document { limits, drain, admin: written_admin, .. } = document;
        Self {
            ports,
            kept: Static { limits, drain, written_admin, admin },
            in_force: Arc::default(),
            reporter: Reporter::default(),
        }
    }

    /// The document in force, for whoever shows it.
    pub(super) fn in_force(&self) -> Arc<ArcSwap<Document>> {
        self.in_force.clone()
    }

    /// The document in force now.
    pub(super) fn document(&self) -> Arc<Document> {
        self.in_force.load_full()
    }

    /// Makes `gateway` serve what `reading` says, and logs what is wrong with it. Returns the
    /// listeners that could not be opened.
    pub(super) async fn apply(&mut self, gateway: &Gateway, reading: &Reading) -> Vec<ListenError> {
        let mut document = reading.document.clone();
        let unused = ports::apply(&self.ports, &mut document);
        let mut diagnostics = reading.diagnostics.clone();
        diagnostics.extend(unused.into_iter().map(unused_port));
        diagnostics.extend(self.kept.put_back(&mut document));
        let compiled = config::compile(&document, &reading.origins, &check::variables());
        diagnostics.extend_from_slice(&compiled.diagnostics);
        self.reporter.report(&diagnostics);

        let document = Arc::new(document);
        let failed = gateway.apply(compiled).await;
        self.in_force.store(document);
        failed
    }
}

impl Static {
    /// Puts back what is read at the start only, and says so where it was changed.
    fn put_back(&self, document: &mut Document) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        if document.limits != self.limits {
            diagnostics.push(static_field("limits"));
            document.limits.clone_from(&self.limits);
        }
        if document.drain != self.drain {
            diagnostics.push(static_field("drain"));
            document.drain.clone_from(&self.drain);
        }
        if document.admin != self.written_admin {
            diagnostics.push(static_field("admin"));
        }
        document.admin.clone_from(&self.admin);
        diagnostics
    }
}

fn unused_port(mapping: PortMapping) -> Diagnostic {
    let PortMapping { from, to } = mapping;
    Diagnostic {
        severity: Severity::Warning,
        id: "port.unused",
        path: "listeners".to_owned(),
        message: format!("`--port {from}={to}` moves nothing: no listener has the port {from}"),
        place: None,
    }
}

fn static_field(field: &str) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        id: "document.static",
        path: field.to_owned(),
        message: format!("`{field}` is read at the start: the change waits for a restart"),
        place: None,
    }
}

#[cfg(test)]
mod tests;
