//! The Secrets that a document names: they go beside it, and never stand in its text.

use config::{Document, Secrets};

use crate::object::ObjectName;
use crate::translate::index::Index;
use crate::translate::listener;

/// Every Secret that `document` names and that is there.
pub(super) fn named_by(document: &Document, world: &Index<'_>) -> Secrets {
    let mut secrets = Secrets::default();
    for key in certificates(document) {
        let Some((namespace, name)) = key.split_once('/') else { continue };
        if let Some(secret) = world.secret(&ObjectName::new(namespace, name)) {
            secrets.insert(key, listener::values(&secret.value));
        }
    }
    secrets
}

/// The keys of all certificates that listeners show.
pub(crate) fn certificates(document: &Document) -> impl Iterator<Item = &String> {
    let listeners = document.listeners.iter().filter_map(|listener| listener.tls.as_ref());
    listeners.flat_map(|tls| &tls.certificates)
}
