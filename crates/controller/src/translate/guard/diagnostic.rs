//! What files are told of policies that are attached to what is not there.

use config::Diagnostic;

use crate::object::{About, ObjectName};
use crate::translate::guard::Guarded;
use crate::translate::guard::report::known;

pub(super) fn unknown_kind(policy: &About, group: &str, kind: &str) -> Diagnostic {
    let message = format!(
        "attached to the kind `{kind}` of the group `{group}`, which is none; \
         everything of that name here is closed"
    );
    policy.error("policy.target-kind", "spec", message)
}

pub(super) fn no_target(policy: &About) -> Diagnostic {
    let message = "attached to nothing: write `targetRefs` or `targetSelectors`; \
                   until then everything in its namespace is closed";
    policy.error("policy.target-missing", "spec", message.to_owned())
}

pub(super) fn other_kind(policy: &About, kind: &str) -> Diagnostic {
    let message = format!("attached to a {kind}, which is nothing that is served here");
    policy.warning("policy.target-kind", "spec", message)
}

pub(super) fn unknown_target(policy: &About, kind: &str, name: &ObjectName) -> Diagnostic {
    let message = format!("attached to {kind} {name}, which is not there; it guards nothing yet");
    policy.error("policy.target-unknown", "spec", message)
}

pub(super) fn unknown_section(
    policy: &About,
    kind: Guarded,
    name: &ObjectName,
    section: &str,
    sections: &[String],
) -> Diagnostic {
    let kind = kind.name();
    let message = format!(
        "attached to the section `{section}` of {kind} {name}, which has {}; all of it is closed",
        known(sections)
    );
    policy.error("policy.section-unknown", "spec", message)
}
