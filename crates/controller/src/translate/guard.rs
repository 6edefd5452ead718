//! What guards fails closed: which objects are kept shut by the policies that are attached to them.

mod kind;

use std::collections::BTreeMap;

use config::{Close, Diagnostic};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::attached::{AttachedPolicy, Attachment};
use crate::object::{About, Object, ObjectName};
use crate::selector;
use crate::world::World;
pub(super) use kind::Guarded;

/// Every attachment of every policy.
#[derive(Default)]
pub(super) struct Guards {
    entries: Vec<Entry>,
}

struct Entry {
    kind: Guarded,
    name: ObjectName,
    section: Option<String>,
    close: Close,
}

impl Guards {
    /// The attachments of all policies of a world; those to nothing that is there are reported, and
    /// kept for what comes. `targets` are the names of each backend's targets.
    pub(super) fn of(
        world: &World,
        targets: &BTreeMap<String, Vec<String>>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut attaching = Attaching { world, targets, entries: Vec::new(), diagnostics };
        for policy in &world.policies {
            if policy.value.attachments.is_empty() {
                attaching.diagnostics.push(no_target(&policy.about));
                attaching.attach(policy, &Attachment::Anything);
            }
            for attachment in &policy.value.attachments {
                attaching.attach(policy, attachment);
            }
        }
        Self { entries: attaching.entries }
    }

    /// Why the whole object is shut, if it is.
    pub(super) fn whole(&self, kind: Guarded, name: &ObjectName) -> Option<&Close> {
        let found = self
            .entries
            .iter()
            .find(|entry| entry.kind == kind && entry.name == *name && entry.section.is_none());
        found.map(|entry| &entry.close)
    }

    /// Why a part of an object, which may be called several ways, is shut, if it or the whole
    /// object is.
    pub(super) fn part(
        &self,
        kind: Guarded,
        name: &ObjectName,
        sections: &[String],
    ) -> Option<&Close> {
        let in_part = |entry: &&Entry| match &entry.section {
            Some(section) => sections.contains(section),
            None => true,
        };
        let of_object = |entry: &&Entry| entry.kind == kind && entry.name == *name;
        self.entries.iter().filter(of_object).find(in_part).map(|entry| &entry.close)
    }
}

/// Attachments while they are collected.
struct Attaching<'a> {
    world: &'a World,
    targets: &'a BTreeMap<String, Vec<String>>,
    entries: Vec<Entry>,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Attaching<'_> {
    fn attach(&mut self, policy: &Object<AttachedPolicy>, attachment: &Attachment) {
        let policy = &policy.about;
        match attachment {
            Attachment::Name(target) => {
                let name = ObjectName::new(policy.namespace(), &target.name);
                let Some(kind) = Guarded::of(&target.group, &target.kind) else {
                    // Nobody can say what is meant, so whatever has the name is shut.
                    if self.is_unknown(policy, &target.group, &target.kind) {
                        self.entries
                            .extend(Guarded::ALL.map(|kind| whole(kind, name.clone(), policy)));
                    }
                    return;
                };
                if !kind.objects(self.world).iter().any(|about| about.name == name) {
                    self.diagnostics.push(unknown_target(policy, &target.kind, &name));
                    self.entries.push(whole(kind, name, policy));
                    return;
                }
                self.entry(policy, kind, &name, target.section_name.as_deref());
            }
            Attachment::Labels(target) => {
                let selector = LabelSelector {
                    match_labels: Some(target.match_labels.clone()),
                    match_expressions: None,
                };
                let Some(kind) = Guarded::of(&target.group, &target.kind) else {
                    if self.is_unknown(policy, &target.group, &target.kind) {
                        self.select_all(policy, &selector);
                    }
                    return;
                };
                self.select(policy, kind, &selector, target.section_name.as_deref());
            }
            Attachment::Anything => self.select_all(policy, &LabelSelector::default()),
        }
    }

    /// Reports a kind that is none of ours; whether it is nobody's.
    fn is_unknown(&mut self, policy: &About, group: &str, kind: &str) -> bool {
        let is_unknown = !is_served_elsewhere(group, kind);
        self.diagnostics.push(if is_unknown {
            unknown_kind(policy, group, kind)
        } else {
            other_kind(policy, kind)
        });
        is_unknown
    }

    fn select_all(&mut self, policy: &About, labels: &LabelSelector) {
        for kind in Guarded::ALL {
            self.select(policy, kind, labels, None);
        }
    }

    fn select(
        &mut self,
        policy: &About,
        kind: Guarded,
        labels: &LabelSelector,
        section: Option<&str>,
    ) {
        for about in kind.objects(self.world) {
            let selected = selector::matches(labels, &about.labels()).unwrap_or(true);
            if about.namespace() == policy.namespace() && selected {
                self.entry(policy, kind, &about.name, section);
            }
        }
    }

    /// Shuts an object that is there, or the part of it that is meant. Where there is no such part,
    /// nobody can say what is meant, so the whole object is shut.
    fn entry(&mut self, policy: &About, kind: Guarded, name: &ObjectName, section: Option<&str>) {
        let mut entry = whole(kind, name.clone(), policy);
        if let Some(section) = section.filter(|section| !section.is_empty()) {
            let sections = kind.sections(self.world, self.targets, name);
            if sections.iter().any(|one| one == section) {
                entry.section = Some(section.to_owned());
            } else {
                let diagnostic = unknown_section(policy, kind, name, section, &sections);
                self.diagnostics.push(diagnostic);
            }
        }
        self.entries.push(entry);
    }
}

fn whole(kind: Guarded, name: ObjectName, policy: &About) -> Entry {
    Entry { kind, name, section: None, close: close(policy) }
}

fn close(policy: &About) -> Close {
    Close {
        id: "policy.not-built".to_owned(),
        reason: format!("{} {} is attached to it and is not built yet", policy.kind, policy.name),
    }
}

/// Kinds that exist and that others serve: a policy on one of them guards nothing of ours.
fn is_served_elsewhere(group: &str, kind: &str) -> bool {
    let routes = ["GRPCRoute", "TCPRoute", "TLSRoute", "UDPRoute", "ListenerSet", "GatewayClass"];
    match group {
        "gateway.networking.k8s.io" => routes.contains(&kind),
        "inference.networking.k8s.io" => kind == "InferencePool",
        _ => false,
    }
}

fn unknown_kind(policy: &About, group: &str, kind: &str) -> Diagnostic {
    let message = format!(
        "attached to the kind `{kind}` of the group `{group}`, which is none; \
         everything of that name here is closed"
    );
    policy.error("policy.target-kind", "spec", message)
}

fn no_target(policy: &About) -> Diagnostic {
    let message = "attached to nothing: write `targetRefs` or `targetSelectors`; \
                   until then everything in its namespace is closed";
    policy.error("policy.target-missing", "spec", message.to_owned())
}

fn other_kind(policy: &About, kind: &str) -> Diagnostic {
    let message = format!("attached to a {kind}, which is nothing that is served here");
    policy.warning("policy.target-kind", "spec", message)
}

fn unknown_target(policy: &About, kind: &str, name: &ObjectName) -> Diagnostic {
    let message = format!("attached to {kind} {name}, which is not there; it guards nothing yet");
    policy.error("policy.target-unknown", "spec", message)
}

fn unknown_section(
    policy: &About,
    kind: Guarded,
    name: &ObjectName,
    section: &str,
    sections: &[String],
) -> Diagnostic {
    let known: Vec<String> = sections.iter().map(|section| format!("`{section}`")).collect();
    let known = match known.as_slice() {
        [] => "no sections".to_owned(),
        known => known.join(", "),
    };
    let kind = kind.name();
    let message = format!(
        "attached to the section `{section}` of {kind} {name}, which has {known}; \
         all of it is closed"
    );
    policy.error("policy.section-unknown", "spec", message)
}
