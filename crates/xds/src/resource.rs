//! What is published: resources by type and name, each with a version that is a hash of its content,
//! so that every replica of the controller says the same.

use std::collections::BTreeMap;
use std::fmt::Write;

use bytes::Bytes;
use sha2::{Digest, Sha256};

/// What a resource is. The order is that in which news of them are sent: what a document names is
/// there before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ResourceType {
    /// A value that nobody else may see, named by a key of the document.
    Secret,
    /// The addresses behind one port of one Service, as a JSON array of socket addresses.
    Endpoints,
    /// The one document of a Gateway, as `config::document::Document` in JSON.
    Document,
}

impl ResourceType {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Secret, Self::Endpoints, Self::Document];

    /// Its name on the wire.
    pub fn url(self) -> &'static str {
        match self {
            Self::Secret => "type.googleapis.com/portico.xds.v1.Secret",
            Self::Endpoints => "type.googleapis.com/portico.xds.v1.Endpoints",
            Self::Document => "type.googleapis.com/portico.xds.v1.Document",
        }
    }

    /// The type with this name.
    pub fn of_url(url: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.url() == url)
    }
}

/// One resource.
#[derive(Clone, PartialEq, Eq)]
pub struct Resource {
    /// A hash of the payload.
    pub version: String,
    /// JSON.
    pub payload: Bytes,
}

impl Resource {
    /// A resource with this content.
    pub fn new(payload: impl Into<Bytes>) -> Self {
        let payload = payload.into();
        let mut version = String::with_capacity(32);
        for byte in Sha256::digest(&payload).iter().take(16) {
            // A string takes every write.
            let _ = write!(version, "{byte:02x}");
        }
        Self { version, payload }
    }
}

/// A payload may be a secret, and is not shown.
impl std::fmt::Debug for Resource {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Resource({}, {} bytes)", self.version, self.payload.len())
    }
}

/// Everything that the proxies of one Gateway are told, and nothing that they are not to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scope(BTreeMap<ResourceType, BTreeMap<String, Resource>>);

impl Scope {
    /// Takes in a resource; one of the same type and name goes.
    pub fn insert(&mut self, kind: ResourceType, name: impl Into<String>, resource: Resource) {
        self.0.entry(kind).or_default().insert(name.into(), resource);
    }

    /// Takes out a resource.
    pub fn remove(&mut self, kind: ResourceType, name: &str) {
        if let Some(resources) = self.0.get_mut(&kind) {
            resources.remove(name);
        }
    }

    /// The resources of one type, by name.
    pub fn of(&self, kind: ResourceType) -> impl Iterator<Item = (&str, &Resource)> {
        let resources = self.0.get(&kind).into_iter().flatten();
        resources.map(|(name, resource)| (name.as_str(), resource))
    }

    /// One resource.
    pub fn get(&self, kind: ResourceType, name: &str) -> Option<&Resource> {
        self.0.get(&kind)?.get(name)
    }
}
