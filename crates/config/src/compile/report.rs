//! The diagnostics of one compilation, placed by the document's origins.

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::Close;
use crate::origins::Origins;

/// Collects what is wrong.
pub(super) struct Report<'a> {
    origins: &'a Origins,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Report<'a> {
    pub(super) fn new(origins: &'a Origins) -> Self {
        Self { origins, diagnostics: Vec::new() }
    }

    pub(super) fn error(&mut self, id: &'static str, path: &str, message: impl Into<String>) {
        self.push(Severity::Error, id, path, message.into());
    }

    pub(super) fn warning(&mut self, id: &'static str, path: &str, message: impl Into<String>) {
        self.push(Severity::Warning, id, path, message.into());
    }

    /// Reports an error that closes something, and gives what it is closed with.
    pub(super) fn close(
        &mut self,
        id: &'static str,
        path: &str,
        message: impl Into<String>,
    ) -> Close {
        let message = message.into();
        let reason = format!("{path}: {message}");
        self.push(Severity::Error, id, path, message);
        Close { id: id.to_owned(), reason }
    }

    pub(super) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.diagnostics
    }

    fn push(&mut self, severity: Severity, id: &'static str, path: &str, message: String) {
        let place = self.origins.place(path).cloned();
        self.diagnostics.push(Diagnostic { severity, id, path: path.to_owned(), message, place });
    }
}
