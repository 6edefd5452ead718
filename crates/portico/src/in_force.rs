//! What the gateway serves at the moment, for whoever shows or reports it.

use std::sync::Arc;

use config::{Diagnostic, Document, Reading};

/// What is in force.
#[derive(Debug, Default)]
pub(crate) struct InForce {
    /// What the source said.
    pub(crate) reading: Arc<Reading>,
    /// What was made of it.
    pub(crate) document: Arc<Document>,
    /// What is wrong with it.
    pub(crate) diagnostics: Vec<Diagnostic>,
}
