//! From what a source says to what the gateway serves: ports moved, compiled, reported, applied.

use std::sync::Arc;

use arc_swap::ArcSwap;
use config::document::Admin;
use config::{Diagnostic, Document, Origins, Reading, Severity};
use proxy::metrics::Metrics;
use proxy::{Gateway, ListenError};

use crate::check;
use crate::in_force::InForce;
use crate::ports::{self, PortMapping};
use crate::report::Reporter;
use crate::running::kept::Kept;

/// Applies one document after the other.
pub(super) struct Applier {
    ports: Vec<PortMapping>,
    kept: Kept,
    in_force: Arc<ArcSwap<InForce>>,
    reporter: Reporter,
    metrics: Arc<Metrics>,
}

impl Applier {
    /// Nothing is applied yet; `document` has the fields that are read at the start only, and
    /// `admin` is where the admin port was asked for.
    pub(super) fn new(
        ports: Vec<PortMapping>,
        document: Document,
        admin: Admin,
        metrics: Arc<Metrics>,
    ) -> Self {
        let kept = Kept::new(document, admin);
        Self { ports, kept, in_force: Arc::default(), reporter: Reporter::default(), metrics }
    }

    /// What is in force, for whoever shows it.
    pub(super) fn in_force(&self) -> Arc<ArcSwap<InForce>> {
        self.in_force.clone()
    }

    /// The document in force now.
    pub(super) fn document(&self) -> Arc<Document> {
        self.in_force.load().document.clone()
    }

    /// Makes `gateway` serve what `reading` says, and logs what is wrong with it. Returns the
    /// listeners that could not be opened.
    pub(super) async fn apply(
        &mut self,
        gateway: &Gateway,
        reading: Arc<Reading>,
    ) -> Vec<ListenError> {
        let mut document = reading.document.clone();
        let unused = ports::apply(&self.ports, &mut document);
        let mut diagnostics = reading.diagnostics.clone();
        diagnostics.extend(unused.into_iter().map(unused_port));
        diagnostics.extend(self.kept.put_back(&mut document, &reading.origins));
        let compiled = config::compile(&document, &reading.origins, &check::variables());
        diagnostics.extend_from_slice(&compiled.diagnostics);

        let failed = gateway.apply(compiled).await;
        diagnostics.extend(failed.iter().map(|error| unbound(error, &document, &reading.origins)));
        self.reporter.report(&diagnostics);
        self.metrics.unknown_fields(reading.unknown_fields);
        let document = Arc::new(document);
        self.in_force.store(Arc::new(InForce { reading, document, diagnostics }));
        failed
    }
}

/// A listener that could not be opened, where it is written.
fn unbound(error: &ListenError, document: &Document, origins: &Origins) -> Diagnostic {
    let listener = document.listeners.iter().position(|one| one.address == error.address);
    let path = match listener {
        Some(index) => format!("listeners[{index}].address"),
        None => "listeners".to_owned(),
    };
    let message = match error.stays {
        Some(address) => format!("{error}; {address} is served until it can be had"),
        None => error.to_string(),
    };
    let place = origins.place(&path).cloned();
    Diagnostic { severity: Severity::Error, id: "listener.unbound", path, message, place }
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
