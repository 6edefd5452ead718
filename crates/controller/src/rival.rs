//! Another controller of the same name in the same cluster: two that write the same statuses would undo each
//! other's work for ever.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::Client;
use kube::api::{Api, ListParams};
use kube::runtime::events::{Event, EventType, Recorder, Reporter};
use sha2::{Digest, Sha256};
use tracing::debug;

/// How old the last renewal of a Lease may be whose holder counts as alive.
const ALIVE: Duration = Duration::from_secs(30);

/// The name of the Lease that the replicas of a controller share, the same in every namespace.
pub fn lease_name(controller: &str) -> String {
    let digest = Sha256::digest(controller.as_bytes());
    let hash: String = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("portico-{hash}")
}

/// The namespace of another controller that has the name `controller` and is alive.
///
/// # Errors
/// The API server does not say.
pub async fn rival(
    client: &Client,
    controller: &str,
    namespace: &str,
) -> kube::Result<Option<String>> {
    let lease = lease_name(controller);
    let leases: Api<Lease> = Api::all(client.clone());
    let named = ListParams::default().fields(&format!("metadata.name={lease}"));
    let others = leases.list(&named).await?.items.into_iter().filter(is_alive);
    let mut others = others.filter_map(|lease| lease.metadata.namespace);
    Ok(others.find(|other| other != namespace))
}

fn is_alive(lease: &Lease) -> bool {
    let Some(spec) = &lease.spec else { return false };
    let is_held = spec.holder_identity.as_ref().is_some_and(|holder| !holder.is_empty());
    let renewed = spec.renew_time.as_ref().map(|time| time.0.as_second()).unwrap_or_default();
    let age = Timestamp::now().as_second().saturating_sub(renewed);
    is_held && u64::try_from(age).unwrap_or_default() < ALIVE.as_secs()
}

/// Writes an Event about the pod of this replica, for whoever looks why it does not run.
pub async fn complain(client: &Client, controller: &str, namespace: &str, pod: &str, text: &str) {
    let reporter = Reporter { controller: controller.to_owned(), instance: Some(pod.to_owned()) };
    let event = Event {
        type_: EventType::Warning,
        reason: "ControllerNameTaken".to_owned(),
        note: Some(text.to_owned()),
        action: "Starting".to_owned(),
        secondary: None,
    };
    let object = ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("Pod".to_owned()),
        name: Some(pod.to_owned()),
        namespace: Some(namespace.to_owned()),
        ..ObjectReference::default()
    };
    if let Err(error) = Recorder::new(client.clone(), reporter).publish(&event, &object).await {
        debug!(%error, "Cannot write an event.");
    }
}
