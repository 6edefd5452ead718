//! The Secrets that a document names: they go beside it, and never stand in its text.

use std::collections::BTreeMap;

use config::{Document, Secret, Secrets};
use k8s_openapi::api::core::v1;

use crate::object::ObjectName;
use crate::translate::index::Index;

/// The values of a certificate's Secret.
const CERTIFICATE: [&str; 2] = ["tls.crt", "tls.key"];

/// What a document calls a Secret.
pub(crate) fn secret_key(name: &ObjectName) -> String {
    name.to_string()
}

/// Every Secret that `document` names and that is there.
pub(super) fn named_by(document: &Document, world: &Index<'_>) -> Secrets {
    let mut secrets = Secrets::default();
    for key in certificates(document) {
        let Some((namespace, name)) = key.split_once('/') else { continue };
        if let Some(secret) = world.secret(&ObjectName::new(namespace, name)) {
            secrets.insert(key, values(&secret.value));
        }
    }
    secrets
}

/// The keys of all certificates that listeners show.
pub(crate) fn certificates(document: &Document) -> impl Iterator<Item = &String> {
    let listeners = document.listeners.iter().filter_map(|listener| listener.tls.as_ref());
    listeners.flat_map(|tls| &tls.certificates)
}

fn values(secret: &v1::Secret) -> BTreeMap<String, Secret> {
    let value = |name: &str| {
        let data = secret.data.as_ref().and_then(|data| data.get(name));
        let data = data.and_then(|bytes| std::str::from_utf8(&bytes.0).ok());
        let plain = secret.string_data.as_ref().and_then(|data| data.get(name));
        Some((name.to_owned(), Secret::new(plain.map(String::as_str).or(data)?)))
    };
    CERTIFICATE.into_iter().filter_map(value).collect()
}
