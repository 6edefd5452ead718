//! A document's meaning. Never fails: what is broken is reported and leaves the rest running, and
//! what guards fails closed.

mod action;
mod backend;
mod conditions;
mod credential;
mod filter;
mod hostname;
mod listener;
mod report;
mod route;
mod service;
mod target;
mod tls;
mod upstream_tls;
mod variables;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Diagnostic;
use crate::document::{Document, Names};
use crate::origins::Origins;
use crate::snapshot::Snapshot;
use action::Leads;
use report::Report;
pub use upstream_tls::is_certificate_name;

/// The environment that `${VAR}` is taken from, given by the caller.
pub type Variables = BTreeMap<String, String>;

/// What a document means.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// What runs.
    pub snapshot: Snapshot,
    /// What does not, and why.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles a document. `origins` places the diagnostics; where a document does not come from
/// files it is empty.
pub fn compile(document: &Document, origins: &Origins, variables: &Variables) -> Compiled {
    let mut report = Report::new(origins);
    let names = names(&document.names, &mut report);
    let (limits, zero) = document.limits.usable();
    for name in &zero {
        let message = "nothing would get through; the default is used";
        report.error("limits.zero", &format!("limits.{name}"), message);
    }
    let usable = Document { limits, ..document.clone() };
    let document = if zero.is_empty() { document } else { &usable };
    let targets = target::targets(document, variables, &mut report);
    let mut backends = backend::backends(document, &targets, variables, &mut report);
    let services = service::services(document, variables, &mut report);
    let mut leads = Leads { backends: &mut backends, services: &services };
    let listeners = listener::listeners(document, &mut leads, &mut report);
    let snapshot = Snapshot {
        listeners,
        backends,
        services,
        endpoints: Arc::new(document.endpoints.clone()),
        names,
        limits: document.limits.clone(),
        admin: document.admin.address,
        drain: document.drain.clone(),
    };
    Compiled { snapshot, diagnostics: report.into_diagnostics() }
}

fn names(names: &Names, report: &mut Report<'_>) -> Names {
    if Names::LENGTHS.contains(&names.max_length) {
        return names.clone();
    }
    let (least, most) = (Names::LENGTHS.start(), Names::LENGTHS.end());
    let length = Names::default().max_length;
    let message = format!("this has to be from {least} to {most}; {length} is used");
    report.error("names.maxLength", "names.maxLength", message);
    Names::default()
}
