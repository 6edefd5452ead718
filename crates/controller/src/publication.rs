//! What the proxies of each Gateway are told: its document, and the addresses that it names.

use std::collections::{BTreeMap, BTreeSet};
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

/// A document as it is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// What proxies call it when they report.
    pub version: String,
    /// The document as JSON.
    pub json: Vec<u8>,
    /// The keys of the addresses that it names.
    pub keys: BTreeSet<String>,
}

impl Version {
    /// A document as it is published. `version` says what proxies call it.
    pub(crate) fn new(document: &Document, version: fn(&[u8]) -> String) -> Self {
        let json = serde_json::to_vec(document).unwrap_or_default();
        Self { version: version(&json), json, keys: keys(document) }
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

fn keys(document: &Document) -> BTreeSet<String> {
    let entries = document.backends.iter().flat_map(|backend| &backend.targets);
    let inline = entries.filter_map(|entry| match entry {
        TargetEntry::Inline(target) => Some(&**target),
        TargetEntry::Named(_) => None,
    });
    let targets = inline.chain(&document.targets);
    targets.filter_map(|target: &Target| target.endpoints.clone()).collect()
}
