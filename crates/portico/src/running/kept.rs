//! What is read once, at the start of the gateway, and stays until it ends.

use config::document::Admin;
use config::{Diagnostic, Document, Drain, Limits, Origins, Severity};

/// What was read once.
pub(super) struct Kept {
    limits: Limits,
    drain: Drain,
    /// What the files said, which the command line may say otherwise.
    written_admin: Admin,
    admin: Admin,
}

impl Kept {
    /// `document` is the one at the start, and `admin` where the admin port was asked for.
    pub(super) fn new(document: Document, admin: Admin) -> Self {
        let Document { limits, drain, admin: written_admin, .. } = document;
        Self { limits, drain, written_admin, admin }
    }

    /// Puts back what is read at the start only, and says so where it was changed.
    pub(super) fn put_back(&self, document: &mut Document, origins: &Origins) -> Vec<Diagnostic> {
        let changed = [
            ("limits", document.limits != self.limits),
            ("drain", document.drain != self.drain),
            ("admin", document.admin != self.written_admin),
        ];
        document.limits.clone_from(&self.limits);
        document.drain.clone_from(&self.drain);
        document.admin.clone_from(&self.admin);
        let changed = changed.into_iter().filter(|(_, is_changed)| *is_changed);
        let message =
            |field| format!("`{field}` is read at the start: the change waits for a restart");
        changed.map(|(field, _)| waits(field, message(field), origins)).collect()
    }
}

fn waits(path: &str, message: String, origins: &Origins) -> Diagnostic {
    Diagnostic {
        severity: Severity::Warning,
        id: "document.static",
        path: path.to_owned(),
        message,
        place: origins.place(path).cloned(),
    }
}

#[cfg(test)]
mod tests;
