//! Which version of a kind the API server has. "Not there" and "could not be asked" are two answers:
//! an API server that has just started does not know its custom resources yet.

use kube::Client;
use kube::core::{ApiResource, GroupVersionKind};
use kube::error::DiscoveryError;
use serde_json::Value;

use crate::kind::Kind;

/// The resource by which objects of `kind` are read; `None` where the cluster does not have the kind.
///
/// # Errors
/// The API server could not be asked, or does not say the same twice.
pub(crate) async fn served(client: &Client, kind: Kind) -> Result<Option<ApiResource>, String> {
    for version in kind.versions() {
        let wanted = GroupVersionKind::gvk(kind.group(), version, kind.name());
        match kube::discovery::pinned_kind(client, &wanted).await {
            Ok((resource, _)) => return Ok(Some(resource)),
            Err(error) if is_absent(&error) => {}
            Err(error) => return Err(error.to_string()),
        }
    }
    match definition(kind) {
        Some(definition) => match exists(client, &definition).await {
            Ok(false) => Ok(None),
            Ok(true) => Err(format!("{definition} is there and is not served yet")),
            Err(error) => Err(error.to_string()),
        },
        None => Err("the API server does not serve it yet".to_owned()),
    }
}

fn is_absent(error: &kube::Error) -> bool {
    match error {
        kube::Error::Api(status) => status.code == 404,
        kube::Error::Discovery(error) => matches!(
            error,
            DiscoveryError::MissingKind(_)
                | DiscoveryError::MissingApiGroup(_)
                | DiscoveryError::MissingResource(_)
        ),
        _ => false,
    }
}

/// The name of the CustomResourceDefinition of a kind; `None` for kinds that every cluster has.
fn definition(kind: Kind) -> Option<String> {
    kind.plural().map(|plural| format!("{plural}.{}", kind.group()))
}

/// Whether a CustomResourceDefinition is stored, whatever is served of it.
async fn exists(client: &Client, definition: &str) -> kube::Result<bool> {
    let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{definition}");
    let request = http::Request::get(path).body(Vec::new()).map_err(kube::Error::HttpError)?;
    match client.request::<Value>(request).await {
        Ok(_) => Ok(true),
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(false),
        Err(error) => Err(error),
    }
}
