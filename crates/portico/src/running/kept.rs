//! What is read once, at the start of the gateway or of a target, and stays until that ends.

use std::collections::HashMap;

use config::document::{Admin, TargetEntry};
use config::{
    Diagnostic, Document, Drain, Limits, Origins, Severity, Snapshot, Target, TargetAddress,
    TargetKey,
};

/// What was read once.
pub(super) struct Kept {
    limits: Limits,
    drain: Drain,
    /// What the files said, which the command line may say otherwise.
    written_admin: Admin,
    admin: Admin,
    /// With how many processes each target was started.
    processes: HashMap<TargetKey, u32>,
}

impl Kept {
    /// `document` is the one at the start, and `admin` where the admin port was asked for.
    pub(super) fn new(document: Document, admin: Admin) -> Self {
        let Document { limits, drain, admin: written_admin, .. } = document;
        Self { limits, drain, written_admin, admin, processes: HashMap::new() }
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

    /// Remembers with how many processes targets start, and says where a running one is given
    /// another number.
    pub(super) fn processes(
        &mut self,
        snapshot: &Snapshot,
        document: &Document,
        origins: &Origins,
    ) -> Vec<Diagnostic> {
        let open = snapshot.backends.values().filter(|backend| backend.closed.is_none());
        let targets = open.flat_map(|backend| &backend.targets);
        let mut running = HashMap::new();
        let mut diagnostics = Vec::new();
        for target in targets.filter(|target| is_program(target)) {
            let written = target.settings.max_processes;
            let started = self.processes.get(&target.key).copied().unwrap_or(written);
            let is_new = running.insert(target.key.clone(), started).is_none();
            if is_new && started != written {
                let message = format!(
                    "the target was started with {started} processes at most: the change waits \
                     until it is started anew"
                );
                diagnostics.push(waits(&path(document, target), message, origins));
            }
        }
        self.processes = running;
        diagnostics
    }
}

fn is_program(target: &Target) -> bool {
    target.closed.is_none() && matches!(target.address, TargetAddress::Process(_))
}

/// Where the number of a target's processes is written.
fn path(document: &Document, target: &Target) -> String {
    let name = target.name.as_str();
    let owner = target.key.owner();
    if let Some(index) = document.backends.iter().position(|backend| backend.name == owner) {
        let entries = document.backends.get(index).map(|backend| backend.targets.as_slice());
        let is_it = |entry: &TargetEntry| match entry {
            TargetEntry::Inline(inline) => inline.name == name,
            TargetEntry::Named(_) => false,
        };
        let entry = entries.unwrap_or_default().iter().position(is_it).unwrap_or_default();
        return format!("backends[{index}].targets[{entry}].maxProcesses");
    }
    let index = document.targets.iter().position(|written| written.name == name);
    format!("targets[{}].maxProcesses", index.unwrap_or_default())
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
