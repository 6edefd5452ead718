//! The certificates of HTTPS listeners: which Secrets they are, and whether these can be used. A
//! Secret that may not be referred to is never named in a document, so that no proxy gets it.

use std::collections::{BTreeMap, BTreeSet};

use config::Close;
use gateway_api::gateways::{GatewayListeners, GatewayListenersTlsCertificateRefs};
use k8s_openapi::api::core::v1::Secret;

use crate::object::{About, Object, ObjectName};
use crate::status::reason;
use crate::translate::class;
use crate::translate::grant::{self, Kind, Referent};
use crate::translate::index::Index;
use crate::translate::key_pair;
use crate::translate::listener::Problem;
use crate::world::secret_text;

/// What the values of a certificate's Secret are called.
const CHAIN: &str = "tls.crt";
const KEY: &str = "tls.key";

/// What a listener's references to certificates come to.
#[derive(Default)]
pub(super) struct Certificates {
    /// Those that can be used.
    pub(super) usable: Vec<ObjectName>,
    /// What is wrong with the first of the others.
    pub(super) problem: Option<Problem>,
    /// Why the listener is shut, where none can be used.
    pub(super) close: Option<Close>,
}

/// The Secrets of certificates that listeners of our Gateways refer to and may.
pub(in crate::translate) fn referenced(index: &Index<'_>) -> BTreeSet<ObjectName> {
    let mut names = BTreeSet::new();
    for object in index.world.gateways.iter().filter(|one| class::is_ours(index, one)) {
        for listener in object.value.spec.listeners.iter().filter(|one| one.protocol == "HTTPS") {
            for reference in references(listener) {
                names.extend(permitted(index, &object.about, reference).ok());
            }
        }
    }
    names
}

/// The certificates of an HTTPS listener.
pub(super) fn certificates(
    world: &Index<'_>,
    gateway: &About,
    written: &GatewayListeners,
) -> Certificates {
    let mut certificates = Certificates::default();
    for reference in references(written) {
        let found = permitted(world, gateway, reference).and_then(|name| usable(world, name));
        match found {
            Ok(name) => certificates.usable.push(name),
            Err(problem) => {
                certificates.problem.get_or_insert(problem);
            }
        }
    }
    if certificates.usable.is_empty() {
        let problem = certificates.problem.get_or_insert_with(|| {
            invalid("it needs a certificate: write `tls.certificateRefs`".to_owned())
        });
        let reason = problem.message.clone();
        certificates.close = Some(Close { id: "listener.certificate".to_owned(), reason });
    }
    certificates
}

fn references(
    written: &GatewayListeners,
) -> impl Iterator<Item = &GatewayListenersTlsCertificateRefs> {
    let references = written.tls.iter().flat_map(|tls| tls.certificate_refs.iter());
    references.flatten()
}

/// The Secret that a Gateway refers to, if it may.
fn permitted(
    world: &Index<'_>,
    gateway: &About,
    reference: &GatewayListenersTlsCertificateRefs,
) -> Result<ObjectName, Problem> {
    let group = reference.group.as_deref().unwrap_or_default();
    let kind = reference.kind.as_deref().unwrap_or("Secret");
    let namespace = reference.namespace.as_deref().unwrap_or(gateway.namespace());
    let name = ObjectName::new(namespace, &reference.name);
    if !matches!((group, kind), ("" | "core", "Secret")) {
        let message = format!("{kind} of group `{group}` is no kind that holds certificates");
        return Err(invalid(message));
    }
    let referent = Referent { group, kind, name: &name };
    if !grant::is_permitted(world, Kind::GATEWAY, gateway.namespace(), referent) {
        let message = format!("no ReferenceGrant lets it refer to Secret {name}");
        return Err(Problem { reason: reason::REF_NOT_PERMITTED, ..invalid(message) });
    }
    Ok(name)
}

/// Whether a Secret holds a certificate and its key.
fn usable(world: &Index<'_>, name: ObjectName) -> Result<ObjectName, Problem> {
    let Some(secret) = world.secret(&name) else {
        return Err(invalid(format!("there is no Secret {name}")));
    };
    match fault(secret) {
        None => Ok(name),
        Some(fault) => Err(invalid(format!("Secret {name} {fault}"))),
    }
}

/// What a Secret of a certificate holds, by the names that a document's secrets have. Whatever else
/// is in it stays where it is.
pub(in crate::translate) fn values(secret: &Secret) -> BTreeMap<String, config::Secret> {
    let mut values = BTreeMap::new();
    for name in [CHAIN, KEY] {
        if let Some(text) = secret_text(secret, name) {
            values.insert(name.to_owned(), config::Secret::new(text));
        }
    }
    values
}

fn fault(secret: &Object<Secret>) -> Option<&'static str> {
    if secret.value.type_.as_deref() != Some("kubernetes.io/tls") {
        return Some("is not of the type `kubernetes.io/tls`");
    }
    let text = |name| secret_text(&secret.value, name).unwrap_or_default();
    key_pair::fault(text(CHAIN), text(KEY))
}

fn invalid(message: String) -> Problem {
    Problem {
        reason: reason::INVALID_CERTIFICATE_REF,
        message,
        id: "listener.certificate",
        field: ".tls.certificateRefs",
    }
}
