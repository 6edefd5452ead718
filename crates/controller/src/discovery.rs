//! Which version of a kind the API server has. "Not there" and "could not be asked" are two answers:
//! an API server that has just started does not know its custom resources yet.

use kube::Client;
use kube::core::ApiResource;
use serde_json::Value;

use crate::kind::Kind;

/// The resource by which objects of `kind` are read; `None` where the cluster does not have the kind.
///
/// # Errors
/// The API server could not be asked, or does not say the same twice.
pub(crate) async fn served(client: &Client, kind: Kind) -> Result<Option<ApiResource>, String> {
    match resource(client, kind).await {
        Ok(Some(resource)) => return Ok(Some(resource)),
        Ok(None) => {}
        Err(error) => return Err(error.to_string()),
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

/// The best version that is served now. Of a group that is not there nothing is asked.
async fn resource(client: &Client, kind: Kind) -> kube::Result<Option<ApiResource>> {
    if !kind.group().is_empty() {
        let groups = client.list_api_groups().await?.groups;
        let Some(group) = groups.into_iter().find(|group| group.name == kind.group()) else {
            return Ok(None);
        };
        let is_served =
            |version: &&&str| group.versions.iter().any(|served| served.version == ***version);
        for version in kind.versions().iter().filter(is_served) {
            let resources =
                client.list_api_group_resources(&format!("{}/{version}", kind.group())).await?;
            if resources.resources.iter().any(|resource| resource.kind == kind.name()) {
                return Ok(Some(kind.resource(version)));
            }
        }
        return Ok(None);
    }
    Ok(kind.versions().first().map(|version| kind.resource(version)))
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
