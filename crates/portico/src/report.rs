//! Diagnostics for people: on standard output for `check`, in the log for `run`.

use std::collections::BTreeSet;

use config::{Diagnostic, Severity};
use tracing::{error, info, warn};

/// The number of errors among `diagnostics`.
pub(crate) fn errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count()
}

/// `2 errors, 1 warning`.
pub(crate) fn summary(diagnostics: &[Diagnostic]) -> String {
    let errors = errors(diagnostics);
    let warnings = diagnostics.len() - errors;
    let plural = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        count => format!("{count} {word}s"),
    };
    match (errors, warnings) {
        (0, 0) => "no problems".to_owned(),
        (0, warnings) => plural(warnings, "warning"),
        (errors, 0) => plural(errors, "error"),
        (errors, warnings) => {
            format!("{}, {}", plural(errors, "error"), plural(warnings, "warning"))
        }
    }
}

/// Logs diagnostics, each once for as long as it stands.
#[derive(Debug, Default)]
pub(crate) struct Reporter(BTreeSet<String>);

impl Reporter {
    /// Logs what is new among `diagnostics`, and that all is well when the last one went.
    pub(crate) fn report(&mut self, diagnostics: &[Diagnostic]) {
        let mut standing = BTreeSet::new();
        for diagnostic in diagnostics {
            let text = diagnostic.to_string();
            let is_new = !self.0.contains(&text) && !standing.contains(&text);
            match diagnostic.severity {
                Severity::Error if is_new => error!("{text}"),
                Severity::Warning if is_new => warn!("{text}"),
                Severity::Error | Severity::Warning => {}
            }
            standing.insert(text);
        }
        if standing.is_empty() && !self.0.is_empty() {
            info!("The configuration has no problems any more.");
        }
        self.0 = standing;
    }
}

#[cfg(test)]
mod tests;
