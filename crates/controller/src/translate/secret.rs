//! The Secrets and ConfigMaps that have to be read, and what goes of them beside a document: it never stands
//! in its text.

use std::collections::BTreeSet;

use config::{Document, Secrets};

use crate::object::ObjectName;
use crate::settings::Settings;
use crate::translate::index::Index;
use crate::translate::{connection, listener};
use crate::world::World;

/// What something refers to. Nothing else has to be read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Referenced {
    /// Certificates and credentials.
    pub secrets: BTreeSet<ObjectName>,
    /// Authorities.
    pub config_maps: BTreeSet<ObjectName>,
}

/// The Secrets and ConfigMaps that the objects of a world refer to and may.
pub fn referenced(world: &World, settings: &Settings) -> Referenced {
    let (mut secrets, config_maps) = connection::referenced(world);
    secrets.extend(listener::referenced(&Index::of(world, settings)));
    Referenced { secrets, config_maps }
}

/// Every certificate of a listener that `document` names and that is there.
pub(super) fn named_by(document: &Document, world: &Index<'_>) -> Secrets {
    let mut secrets = Secrets::default();
    let listeners = document.listeners.iter().filter_map(|listener| listener.tls.as_ref());
    for key in listeners.flat_map(|tls| &tls.certificates) {
        let Some((namespace, name)) = key.split_once('/') else { continue };
        if let Some(secret) = world.secret(&ObjectName::new(namespace, name)) {
            secrets.insert(key, listener::values(&secret.value));
        }
    }
    secrets
}
