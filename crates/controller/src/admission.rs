//! Whose proxy a token belongs to: what the API server says of the token, never what the caller says of
//! itself.

use std::sync::Arc;

use arc_swap::ArcSwap;
use gateway_api::gateways::Gateway;
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec, UserInfo};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Client;
use kube::api::{Api, PostParams};

use crate::deploy::{AUDIENCE, is_of, proxy_name};
use crate::object::{Object, ObjectName};

const POD_NAME: &str = "authentication.kubernetes.io/pod-name";

/// A proxy, as its token proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proxy {
    /// Its Gateway.
    pub gateway: ObjectName,
    /// Its pod.
    pub pod: String,
}

/// Why a caller is told nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its token is not that of a proxy of a Gateway of ours.
    #[error("{0}")]
    Token(String),
    /// The API server could not be asked.
    #[error("{0}")]
    Unavailable(String),
}

/// Asks the API server about tokens.
#[derive(Clone)]
pub struct Admission {
    client: Client,
    gateways: Arc<ArcSwap<Vec<Object<Gateway>>>>,
}

impl Admission {
    /// Admits the proxies of `gateways`, as they are at the time.
    pub(crate) fn new(client: Client, gateways: Arc<ArcSwap<Vec<Object<Gateway>>>>) -> Self {
        Self { client, gateways }
    }

    /// The proxy that `token` was issued for: by the ServiceAccount that was made for its Gateway, to a
    /// pod, for us and nobody else.
    ///
    /// # Errors
    /// It was not, or nobody could be asked.
    pub async fn admit(&self, token: String) -> Result<Proxy, Refusal> {
        let spec = TokenReviewSpec { token, audiences: Some(vec![AUDIENCE.to_owned()]) };
        let review = TokenReview { spec, ..TokenReview::default() };
        let reviews: Api<TokenReview> = Api::all(self.client.clone());
        let review = reviews.create(&PostParams::default(), &review).await.map_err(unavailable)?;
        let status = review.status.unwrap_or_default();
        if status.authenticated != Some(true) {
            let reason = status.error.unwrap_or_else(|| "nobody has issued it".to_owned());
            return Err(refused(format!("the token is not good: {reason}")));
        }
        // An authenticator that knows no audiences says none.
        if !status.audiences.unwrap_or_default().iter().any(|audience| audience == AUDIENCE) {
            return Err(refused(format!("the token is not for the audience `{AUDIENCE}`")));
        }
        let user = status.user.unwrap_or_default();
        let (account, pod) = account_and_pod(&user)?;
        let gateway = self.gateway(&account).await?;
        Ok(Proxy { gateway, pod })
    }

    /// The Gateway that a ServiceAccount was made for.
    async fn gateway(&self, account: &ObjectName) -> Result<ObjectName, Refusal> {
        let gateways = self.gateways.load_full();
        let gateway = gateways.iter().find(|gateway| {
            gateway.about.namespace() == account.namespace
                && proxy_name(&gateway.about.name.name) == account.name
        });
        let Some(gateway) = gateway else {
            return Err(refused(format!("ServiceAccount {account} belongs to no Gateway")));
        };
        let accounts: Api<ServiceAccount> =
            Api::namespaced(self.client.clone(), &account.namespace);
        let found = accounts.get_metadata_opt(&account.name).await.map_err(unavailable)?;
        let owners = found.and_then(|found| found.metadata.owner_references).unwrap_or_default();
        if !is_of(&owners, gateway) {
            let message =
                format!("ServiceAccount {account} was not made for Gateway {}", gateway.about.name);
            return Err(refused(message));
        }
        Ok(gateway.about.name.clone())
    }
}

/// The ServiceAccount and the pod of a user: `system:serviceaccount:<namespace>:<name>`.
fn account_and_pod(user: &UserInfo) -> Result<(ObjectName, String), Refusal> {
    let name = user.username.as_deref().unwrap_or_default();
    let account = name.strip_prefix("system:serviceaccount:").and_then(|rest| rest.split_once(':'));
    let Some((namespace, name)) = account else {
        return Err(refused(format!("`{name}` is not a ServiceAccount")));
    };
    let pod = user.extra.as_ref().and_then(|extra| extra.get(POD_NAME)?.first());
    let Some(pod) = pod.filter(|pod| !pod.is_empty()) else {
        return Err(refused("the token is not bound to a pod".to_owned()));
    };
    Ok((ObjectName::new(namespace, name), pod.clone()))
}

fn refused(reason: String) -> Refusal {
    Refusal::Token(reason)
}

fn unavailable(error: kube::Error) -> Refusal {
    Refusal::Unavailable(format!("the API server could not be asked about the token: {error}"))
}
