//! What is wrong with the objects of a cluster, said once in the log.

use std::collections::HashSet;

use config::{Diagnostic, Severity};
use tracing::{info, warn};

/// What has been said and is still so.
#[derive(Debug, Default)]
pub(crate) struct Said(HashSet<String>);

impl Said {
    /// Says what is new.
    pub(crate) fn say<'a>(&mut self, diagnostics: impl Iterator<Item = &'a Diagnostic>) {
        let mut now = HashSet::new();
        for diagnostic in diagnostics {
            let text = diagnostic.to_string();
            if !self.0.contains(&text) && !now.contains(&text) {
                match diagnostic.severity {
                    Severity::Error => {
                        warn!(id = diagnostic.id, "{}: {}", diagnostic.path, diagnostic.message)
                    }
                    Severity::Warning => {
                        info!(id = diagnostic.id, "{}: {}", diagnostic.path, diagnostic.message)
                    }
                }
            }
            now.insert(text);
        }
        self.0 = now;
    }
}
