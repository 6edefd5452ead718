//! Turns Kubernetes objects into documents that a proxy executes, and says in their statuses what became of
//! them. `translate` and everything below it is pure: objects in, documents and statuses out. Around it is
//! what watches a cluster, publishes documents, keeps what runs them, and writes the statuses.

mod endpoints;
mod hostname;
mod kind;
mod manifests;
mod object;
mod policy;
mod resources;
mod said;
mod selector;
mod settings;
pub mod status;
mod translate;
mod world;

mod deploy;
mod outcome;
mod proxies;
mod publication;
mod stores;
mod wanted;
mod written;

mod admission;
mod apply;
mod classes;
mod clients;
mod contents;
mod controller;
mod discovery;
mod held;
mod identity;
mod keeper;
mod leader;
mod metrics;
mod owned;
mod rival;
mod watch;
mod writer;

pub use admission::{Admission, Proxy, Refusal};
pub use clients::Clients;
pub use controller::{Controller, Options};
pub use deploy::{AUDIENCE, HEALTH_PORT, ProxySettings};
pub use endpoints::{endpoints, key as endpoints_key};
pub use identity::{Credentials, CredentialsError, CredentialsStore};
pub use kind::Kind;
pub use kube::Client;
pub use manifests::{Manifests, read};
pub use metrics::Metrics;
pub use object::{About, Object, ObjectName};
pub use policy::{AttachedPolicy, Attachment, page as policies_page};
pub use proxies::{Observation, Observed, Report, TargetState};
pub use publication::{Publication, SecretTexts, Told, Version};
pub use resources::*;
pub use rival::{complain, lease_name, rival};
pub use settings::{CrossNamespace, Settings};
pub use translate::{Referenced, Translated, document, referenced, translate};
pub use world::World;
