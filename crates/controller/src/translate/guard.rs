//! What policies are attached to, and what guards fails closed: which objects are kept shut by the policies
//! that are attached to them.

mod diagnostic;
mod kind;
mod report;

use std::collections::BTreeMap;

use config::{Close, Diagnostic};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::object::{About, Object, ObjectName};
use crate::policy::{AttachedPolicy, Attachment, Finding, Rules, said};
use crate::resources::{PolicyTarget, PolicyTargetSelector};
use crate::selector;
use crate::status::AncestorStatus;
use crate::translate::attached::{Attached, Levels};
use crate::translate::connection::materials;
use crate::translate::index::Index;
use diagnostic::{no_target, other_kind, unknown_kind, unknown_section, unknown_target};
pub(super) use kind::Guarded;
use kind::Objects;
pub(super) use report::MOST_ANCESTORS;
use report::{Report, ancestor};

/// Every attachment of every policy.
#[derive(Default)]
pub(super) struct Guards {
    entries: BTreeMap<(Guarded, ObjectName), Vec<Entry>>,
}

/// What older policies say of the Services of a policy, by the name of that.
pub(super) type Overruled = BTreeMap<ObjectName, BTreeMap<ObjectName, String>>;

/// What is to be said of each policy.
#[derive(Default)]
pub(super) struct Policies {
    pub(super) policies: BTreeMap<ObjectName, Vec<AncestorStatus>>,
    /// What of BackendTLSPolicies is not in force at which Service, because an older policy says it.
    pub(super) overruled: Overruled,
}

struct Entry {
    section: Option<String>,
    effect: Effect,
}

/// What a policy does to what it is attached to.
enum Effect {
    Close(Close),
    Apply(Attached),
}

impl Guards {
    /// The attachments of all policies of a world; those to nothing that is there are reported, and
    /// kept for what comes. `targets` are the names of each backend's targets.
    pub(super) fn of(
        world: &Index<'_>,
        targets: &BTreeMap<String, Vec<String>>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> (Self, Policies) {
        let (mut guards, mut policies) = (Self::default(), Policies::default());
        if world.world.policies.is_empty() {
            return (guards, policies);
        }
        let objects = Objects::of(world.world);
        let mut all: Vec<&Object<AttachedPolicy>> = world.world.policies.iter().collect();
        all.sort_by(|left, right| left.about.by_arrival(&right.about));
        for policy in all {
            let mut attaching = Attaching {
                world,
                objects: &objects,
                targets,
                policy,
                guards: &mut guards,
                report: Report::default(),
                diagnostics,
            };
            attaching.attach_all();
            attaching.tell();
            let report = attaching.report;
            let name = policy.about.name.clone();
            if policy.about.kind == "AgentgatewayPolicy" {
                policies.policies.insert(name, report.ancestors());
            } else if !report.overruled.is_empty() {
                policies.overruled.insert(name, report.overruled);
            }
        }
        (guards, policies)
    }

    /// Why the whole object is shut, if it is.
    pub(super) fn whole(&self, kind: Guarded, name: &ObjectName) -> Option<&Close> {
        let mut entries = self.entries(kind, name).filter(|entry| entry.section.is_none());
        entries.find_map(Entry::close)
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
        self.entries(kind, name).filter(in_part).find_map(Entry::close)
    }

    /// The policies that are attached to an object and to a part of it, which may be called several ways.
    pub(super) fn levels(&self, kind: Guarded, name: &ObjectName, sections: &[String]) -> Levels {
        let mut levels = Levels::default();
        let [whole, part] = &mut levels;
        for entry in self.entries(kind, name) {
            let Effect::Apply(attached) = &entry.effect else { continue };
            match &entry.section {
                None => whole.push(attached.clone()),
                Some(section) if sections.contains(section) => part.push(attached.clone()),
                Some(_) => {}
            }
        }
        levels
    }

    fn entries(&self, kind: Guarded, name: &ObjectName) -> impl Iterator<Item = &Entry> {
        // A map that is empty, as it mostly is, costs no copy of the name.
        let entries = match self.entries.is_empty() {
            true => None,
            false => self.entries.get(&(kind, name.clone())),
        };
        entries.into_iter().flatten()
    }

    /// The parts of `rules` that an older policy says of the same thing.
    fn conflicts(
        &self,
        kind: Guarded,
        name: &ObjectName,
        section: Option<&str>,
        rules: &Rules,
    ) -> Vec<Finding> {
        let same = self.entries(kind, name).filter(|entry| entry.section.as_deref() == section);
        let mut conflicts: Vec<Finding> = Vec::new();
        for entry in same {
            let Effect::Apply(older) = &entry.effect else { continue };
            for part in older.rules.parts().filter(|part| rules.parts().any(|own| own == *part)) {
                if conflicts.iter().all(|known| known.field != part) {
                    let message = format!("{}, which is older, says it", older.policy);
                    conflicts.push(Finding { field: part.to_owned(), message });
                }
            }
        }
        conflicts
    }

    fn add(&mut self, kind: Guarded, name: &ObjectName, entry: Entry) {
        self.entries.entry((kind, name.clone())).or_default().push(entry);
    }
}

impl Entry {
    fn close(&self) -> Option<&Close> {
        match &self.effect {
            Effect::Close(close) => Some(close),
            Effect::Apply(_) => None,
        }
    }
}

/// The attachments of one policy while they are collected.
struct Attaching<'a> {
    world: &'a Index<'a>,
    objects: &'a Objects<'a>,
    targets: &'a BTreeMap<String, Vec<String>>,
    policy: &'a Object<AttachedPolicy>,
    guards: &'a mut Guards,
    report: Report,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Attaching<'_> {
    fn attach_all(&mut self) {
        let policy = self.policy;
        if policy.value.attachments.is_empty() {
            self.diagnostics.push(no_target(&policy.about));
            self.select_all(&LabelSelector::default());
        }
        for attachment in &policy.value.attachments {
            match attachment {
                Attachment::Name(target) => self.attach_by_name(target),
                Attachment::Labels(target) => self.attach_by_labels(target),
                Attachment::Anything => self.select_all(&LabelSelector::default()),
            }
        }
    }

    /// Says what of it keeps shut and what is ignored, wherever it is attached.
    fn tell(&mut self) {
        let (about, rules) = (&self.policy.about, &self.policy.value.rules);
        let mut closing = rules.closing.clone();
        closing.extend(self.missing());
        for Finding { field, message } in closing {
            let message = format!("{message}; what it is attached to is closed");
            self.diagnostics.push(about.error("policy.closes", &format!("spec.{field}"), message));
        }
        for Finding { field, message } in &rules.ignored {
            let message = format!("ignored: {message}");
            let field = format!("spec.{field}");
            self.diagnostics.push(about.warning("policy.ignored", &field, message));
        }
    }

    /// What it refers to and is not there.
    fn missing(&self) -> Option<Finding> {
        let Finding { field, message } =
            materials(self.world, &self.policy.value.rules.connection).err()?;
        let field = match self.policy.about.kind.as_str() {
            "BackendTLSPolicy" => "validation.caCertificateRefs".to_owned(),
            _ => format!("backend.{field}"),
        };
        Some(Finding { field, message })
    }

    fn attach_by_name(&mut self, target: &PolicyTarget) {
        let policy = &self.policy.about;
        let name = ObjectName::new(policy.namespace(), &target.name);
        let Some(kind) = Guarded::of(&target.group, &target.kind) else {
            // Nobody can say what is meant, so whatever has the name is shut.
            if self.is_unknown(&target.group, &target.kind) {
                for kind in Guarded::ALL {
                    self.guards.add(kind, &name, shut(policy, "it is attached to no kind"));
                }
                let message = format!("`{}` of group `{}` is no kind", target.kind, target.group);
                self.report.not_found(policy, target, message);
            }
            return;
        };
        if !kind.has(self.world, &name) {
            self.diagnostics.push(unknown_target(policy, &target.kind, &name));
            self.report.not_found(policy, target, format!("there is no {} {name}", target.kind));
            self.guards.add(kind, &name, shut(policy, "it came before what it is attached to"));
            return;
        }
        self.entry(kind, &name, target.section_name.as_deref());
    }

    fn attach_by_labels(&mut self, target: &PolicyTargetSelector) {
        let selector = LabelSelector {
            match_labels: Some(target.match_labels.clone()),
            match_expressions: None,
        };
        match Guarded::of(&target.group, &target.kind) {
            Some(kind) => self.select(kind, &selector, target.section_name.as_deref()),
            None if self.is_unknown(&target.group, &target.kind) => self.select_all(&selector),
            None => {}
        }
    }

    /// Reports a kind that is none of ours; whether it is nobody's.
    fn is_unknown(&mut self, group: &str, kind: &str) -> bool {
        let is_unknown = !is_served_elsewhere(group, kind);
        self.diagnostics.push(if is_unknown {
            unknown_kind(&self.policy.about, group, kind)
        } else {
            other_kind(&self.policy.about, kind)
        });
        is_unknown
    }

    fn select_all(&mut self, labels: &LabelSelector) {
        for kind in Guarded::ALL {
            self.select(kind, labels, None);
        }
    }

    fn select(&mut self, kind: Guarded, labels: &LabelSelector, section: Option<&str>) {
        for about in self.objects.in_namespace(kind, self.policy.about.namespace()) {
            if selector::matches(labels, about.labels()).unwrap_or(true) {
                self.entry(kind, &about.name, section);
            }
        }
    }

    /// Attaches it to an object that is there, or to the part of it that is meant. Where there is no such
    /// part, nobody can say what is meant, so the whole object is shut.
    fn entry(&mut self, kind: Guarded, name: &ObjectName, section: Option<&str>) {
        let policy = &self.policy.about;
        let section = section.filter(|section| !section.is_empty());
        if let Some(section) = section {
            let sections = kind.sections(self.world, self.targets, name);
            if !sections.iter().any(|one| one == section) {
                let diagnostic = unknown_section(policy, kind, name, section, &sections);
                self.diagnostics.push(diagnostic);
                if kind.is_ours(self.world, name) {
                    let ancestor = ancestor(kind, name, Some(section));
                    self.report.no_section(ancestor, kind, &sections);
                }
                let why = format!("it is attached to the section `{section}`, which is not there");
                self.guards.add(kind, name, shut(policy, &why));
                return;
            }
        }
        let rules = &self.policy.value.rules;
        let closing = self.closing(kind);
        let conflicts = self.guards.conflicts(kind, name, section, rules);
        if !conflicts.is_empty() {
            let message = format!("not in force: {}", said(&conflicts));
            self.report.overruled.insert(name.clone(), said(&conflicts));
            self.diagnostics.push(policy.warning("policy.conflict", "spec", message));
        }
        if kind.is_ours(self.world, name) {
            let ancestor = ancestor(kind, name, section);
            match closing.as_slice() {
                [] => self.report.in_force(ancestor, &rules.ignored, &conflicts),
                closing => self.report.closes(ancestor, kind, closing),
            }
        }
        let effect = match closing.as_slice() {
            [] => Effect::Apply(Attached { policy: policy.name.clone(), rules: rules.clone() }),
            closing => Effect::Close(close(policy, &said(closing))),
        };
        self.guards.add(kind, name, Entry { section: section.map(str::to_owned), effect });
    }

    /// What of it keeps shut what it is attached to.
    fn closing(&self, kind: Guarded) -> Vec<Finding> {
        let rules = &self.policy.value.rules;
        let mut closing = rules.closing.clone();
        let is_server = match kind {
            Guarded::Gateway | Guarded::Route => false,
            Guarded::Service | Guarded::Backend | Guarded::KgatewayBackend => true,
        };
        if let Some(part) = rules.traffic.parts().next().filter(|_| is_server) {
            let message = format!(
                "it is for Gateways and HTTPRoutes; this is a kind of server: {}",
                kind.name()
            );
            closing.push(Finding { field: part.to_owned(), message });
        }
        closing.extend(self.missing());
        closing
    }
}

/// What keeps the whole of something shut.
fn shut(policy: &About, why: &str) -> Entry {
    Entry { section: None, effect: Effect::Close(close(policy, why)) }
}

fn close(policy: &About, why: &str) -> Close {
    Close {
        id: "policy.closes".to_owned(),
        reason: format!(
            "{} {} is attached to it and keeps it shut: {why}",
            policy.kind, policy.name
        ),
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
