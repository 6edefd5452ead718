//! Turns Kubernetes objects into documents that a proxy executes. Everything here is pure: objects
//! in, documents and diagnostics out; no I/O, no client, no clock.

mod attached;
mod endpoints;
mod hostname;
mod manifests;
mod object;
mod resources;
mod selector;
mod settings;
mod status;
mod translate;
mod world;

pub use attached::{AttachedPolicy, Attachment};
pub use endpoints::{endpoints, key as endpoints_key};
pub use manifests::{Manifests, read};
pub use object::{About, Object, ObjectName};
pub use resources::*;
pub use settings::{CrossNamespace, Settings};
pub use status::{
    Ancestor, AncestorStatus, BackendOutcome, Condition, ConditionStatus, GatewayStatus, LeftOut,
    ListenerStatus, ParentStatus, Statuses, TargetOutcome, reason,
};
pub use translate::{Translated, document, referenced_secrets, translate};
pub use world::World;
