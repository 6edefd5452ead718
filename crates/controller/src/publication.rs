//! What the proxies of each Gateway are told: its document, and the addresses that it names.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use config::Document;
use config::document::{Target, TargetEntry};

use crate::object::ObjectName;

/// What is published, by Gateway.
pub type Publication = BTreeMap<ObjectName, Arc<Told>>;

/// What the proxies of one Gateway are told, and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Its document.
    pub document: Arc<Version>,
    /// The addresses behind each key that the document names; a key without any is there, empty.
    pub endpoints: BTreeMap<String, Vec<SocketAddr>>,
}

/// Secrets as they are published, by the keys that the document has for them: JSON objects of their values.
/// Printed it tells how many there are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretTexts(BTreeMap<String, String>);

/// A document as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What proxies call it when they report.
    pub version: String,
    /// The document as JSON.
    pub json: Vec<u8>,
    /// The keys of the addresses that it names.
    pub keys: BTreeSet<String>,
    /// The Secrets that it names.
    pub secrets: SecretTexts,
}

impl Version {
    /// A document as it is published. `version` says what proxies call it.
    pub(crate) fn new(document: &Document, version: fn(&[u8]) -> String) -> Self {
        let json = serde_json::to_vec(document).unwrap_or_default();
        Self {
            version: version(&json),
            json,
            keys: keys(document),
            secrets: SecretTexts::of(document),
        }
    }
}

impl Told {
    /// A document with those of all addresses that it names.
    pub(crate) fn new(document: Arc<Version>, all: &BTreeMap<String, Vec<SocketAddr>>) -> Self {
        let of = |key: &String| (key.clone(), all.get(key).cloned().unwrap_or_default());
        let endpoints = document.keys.iter().map(of).collect();
        Self { document, endpoints }
    }
}

impl SecretTexts {
    fn of(document: &Document) -> Self {
        let text = |(key, values): (&String, &BTreeMap<String, config::Secret>)| {
            let values: BTreeMap<&str, &str> =
                values.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
            Some((key.clone(), serde_json::to_string(&values).ok()?))
        };
        Self(document.secrets.iter().filter_map(text).collect())
    }

    /// Each of them, for whoever sends it.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, text)| (key.as_str(), text.as_str()))
    }
}

impl fmt::Debug for SecretTexts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} secrets", self.0.len())
    }
}

fn keys(document: &Document) -> BTreeSet<String> {
    let entries = document.backends.iter().flat_map(|backend| &backend.targets);
    let inline = entries.filter_map(|entry| match entry {
        TargetEntry::Inline(target) => Some(&**target),
        TargetEntry::Named(_) => None,
    });
    let targets = inline.chain(&document.targets);
    let targets = targets.filter_map(|target: &Target| target.endpoints.clone());
    let services = document.services.iter().filter_map(|service| service.endpoints.clone());
    targets.chain(services).collect()
}
