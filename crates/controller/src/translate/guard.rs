//! What guards fails closed: which objects are kept shut by the policies that are attached to them.

use config::{Close, Diagnostic};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::attached::{AttachedPolicy, Attachment};
use crate::object::{About, Object, ObjectName};
use crate::selector;
use crate::world::World;

/// The kinds of objects that a policy can be attached to and that we serve.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Guarded {
    Gateway,
    Route,
    Service,
    Backend,
    KgatewayBackend,
}

/// Every attachment of every policy.
pub(super) struct Guards {
    entries: Vec<Entry>,
}

struct Entry {
    kind: Guarded,
    name: ObjectName,
    section: Option<String>,
    close: Close,
}

impl Guarded {
    fn of(group: &str, kind: &str) -> Option<Self> {
        match (group, kind) {
            ("gateway.networking.k8s.io", "Gateway") => Some(Self::Gateway),
            ("gateway.networking.k8s.io", "HTTPRoute") => Some(Self::Route),
            ("" | "core", "Service") => Some(Self::Service),
            ("agentgateway.dev", "AgentgatewayBackend") => Some(Self::Backend),
            ("gateway.kgateway.dev", "Backend") => Some(Self::KgatewayBackend),
            _ => None,
        }
    }

    const ALL: [Self; 5] =
        [Self::Gateway, Self::Route, Self::Service, Self::Backend, Self::KgatewayBackend];

    /// The objects of this kind.
    fn objects(self, world: &World) -> Vec<&About> {
        fn about<T>(objects: &[Object<T>]) -> Vec<&About> {
            objects.iter().map(|object| &object.about).collect()
        }
        match self {
            Self::Gateway => about(&world.gateways),
            Self::Route => about(&world.routes),
            Self::Service => about(&world.services),
            Self::Backend => about(&world.backends),
            Self::KgatewayBackend => about(&world.kgateway_backends),
        }
    }
}

impl Guards {
    /// The attachments of all policies of a world; those to nothing that is there are reported, and
    /// kept for what comes.
    pub(super) fn of(world: &World, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut guards = Self { entries: Vec::new() };
        for policy in &world.policies {
            if policy.value.attachments.is_empty() {
                diagnostics.push(no_target(&policy.about));
                diagnostics.extend(guards.attach(world, policy, &Attachment::Anything).err());
            }
            for attachment in &policy.value.attachments {
                let attached = guards.attach(world, policy, attachment);
                diagnostics.extend(attached.err());
            }
        }
        guards
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
        sections: &[&str],
    ) -> Option<&Close> {
        let in_part = |entry: &&Entry| match &entry.section {
            Some(section) => sections.contains(&section.as_str()),
            None => true,
        };
        let of_object = |entry: &&Entry| entry.kind == kind && entry.name == *name;
        self.entries.iter().filter(of_object).find(in_part).map(|entry| &entry.close)
    }

    fn attach(
        &mut self,
        world: &World,
        policy: &Object<AttachedPolicy>,
        attachment: &Attachment,
    ) -> Result<(), Diagnostic> {
        let close = close(&policy.about);
        let namespace = policy.about.namespace();
        match attachment {
            Attachment::Name(target) => {
                let name = ObjectName::new(namespace, &target.name);
                let Some(kind) = Guarded::of(&target.group, &target.kind) else {
                    if is_served_elsewhere(&target.group, &target.kind) {
                        return Err(other_kind(&policy.about, &target.kind));
                    }
                    // Nobody can say what is meant, so whatever has the name is shut.
                    self.entries.extend(Guarded::ALL.map(|kind| {
                        let (name, close) = (name.clone(), close.clone());
                        Entry { kind, name, section: None, close }
                    }));
                    return Err(unknown_kind(&policy.about, &target.group, &target.kind));
                };
                let section = target.section_name.clone();
                self.entries.push(Entry { kind, name: name.clone(), section, close });
                let known = kind.objects(world).iter().any(|about| about.name == name);
                known
                    .then_some(())
                    .ok_or_else(|| unknown_target(&policy.about, &target.kind, &name))
            }
            Attachment::Labels(target) => {
                let selector = LabelSelector {
                    match_labels: Some(target.match_labels.clone()),
                    match_expressions: None,
                };
                let Some(kind) = Guarded::of(&target.group, &target.kind) else {
                    if is_served_elsewhere(&target.group, &target.kind) {
                        return Err(other_kind(&policy.about, &target.kind));
                    }
                    for kind in Guarded::ALL {
                        self.select(world, kind, namespace, &selector, None, &close);
                    }
                    return Err(unknown_kind(&policy.about, &target.group, &target.kind));
                };
                let section = target.section_name.clone();
                self.select(world, kind, namespace, &selector, section, &close);
                Ok(())
            }
            Attachment::Anything => {
                for kind in Guarded::ALL {
                    let everything = LabelSelector::default();
                    self.select(world, kind, namespace, &everything, None, &close);
                }
                Ok(())
            }
        }
    }

    fn select(
        &mut self,
        world: &World,
        kind: Guarded,
        namespace: &str,
        labels: &LabelSelector,
        section: Option<String>,
        close: &Close,
    ) {
        for about in kind.objects(world) {
            let selected = selector::matches(labels, &about.labels()).unwrap_or(true);
            if about.namespace() == namespace && selected {
                let (name, section, close) = (about.name.clone(), section.clone(), close.clone());
                self.entries.push(Entry { kind, name, section, close });
            }
        }
    }
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
