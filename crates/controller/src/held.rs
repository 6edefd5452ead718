//! The names that targets have had so far. Whoever has one keeps it: the status of a Backend says so too, but
//! may be written later than somebody else comes and asks for it. Of several replicas only the one that writes
//! statuses remembers; the others follow what it has written, so that all come to the same names.

use std::collections::BTreeMap;

use crate::object::About;
use crate::resources::{BackendStatus, TargetStatus};
use crate::status::{BackendOutcome, Statuses};
use crate::world::World;

/// The names of the targets of each Backend that a selector found, by the `uid` of that.
#[derive(Debug, Default)]
pub(crate) struct Held(BTreeMap<String, Vec<TargetStatus>>);

impl Held {
    /// Writes what is held into the world, in the place of what statuses say.
    pub(crate) fn enter(&self, world: &mut World) {
        for backend in &mut world.backends {
            self.enter_one(&backend.about, &mut backend.value.status);
        }
        for backend in &mut world.kgateway_backends {
            self.enter_one(&backend.about, &mut backend.value.status);
        }
    }

    /// Takes in how the targets of a world are called now.
    pub(crate) fn keep(&mut self, world: &World, statuses: &Statuses) {
        let current = world.backends.iter();
        let current = current.map(|one| (&one.about, statuses.backends.get(&one.about.name)));
        let kgateway = world.kgateway_backends.iter();
        let kgateway =
            kgateway.map(|one| (&one.about, statuses.kgateway_backends.get(&one.about.name)));
        let named = current
            .chain(kgateway)
            .filter_map(|(about, outcome)| Some((about.metadata.uid.clone()?, targets(outcome?))));
        self.0 = named.collect();
    }

    fn enter_one(&self, about: &About, status: &mut Option<BackendStatus>) {
        let held = about.metadata.uid.as_ref().and_then(|uid| self.0.get(uid));
        if let Some(held) = held {
            status.get_or_insert_default().targets.clone_from(held);
        }
    }
}

fn targets(outcome: &BackendOutcome) -> Vec<TargetStatus> {
    let found = outcome.targets.iter().filter(|target| target.service.is_some());
    let held = found.map(|target| TargetStatus {
        name: target.name.clone(),
        service: target.service.clone(),
        ..TargetStatus::default()
    });
    held.collect()
}

#[cfg(test)]
mod tests;
