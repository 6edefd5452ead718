//! The controller's certificate: made or found at the start, and renewed while it runs. A new authority is
//! made known before a certificate by it is shown.

use std::sync::Arc;
use std::time::Duration;

use controller::{Credentials, CredentialsStore};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::{info, warn};
use xds::Identity;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// After which time the first attempt is repeated.
const TRY_AGAIN: Duration = Duration::from_secs(2);
/// How long kubelets may take to bring a new authority to the proxies.
const SPREADING: Duration = Duration::from_secs(120);

/// The certificate at the start.
pub(super) async fn first(store: &CredentialsStore) -> Credentials {
    loop {
        match store.current().await {
            Ok(credentials) => return credentials,
            Err(error) => warn!(%error, "No certificate yet."),
        }
        tokio::time::sleep(TRY_AGAIN).await;
    }
}

/// Shows `credentials`, and those that come after them. The second half are the authorities that proxies are
/// to know.
///
/// # Errors
/// The certificate cannot be used.
pub(super) fn keep(
    store: CredentialsStore,
    credentials: Credentials,
    parts: &mut JoinSet<()>,
) -> anyhow::Result<(Arc<Identity>, watch::Receiver<String>)> {
    let identity = Identity::new(&credentials.certificate, &credentials.key)?;
    let (authorities, known) = watch::channel(credentials.authorities.clone());
    parts.spawn(renew(store, credentials, identity.clone(), authorities));
    Ok((identity, known))
}

async fn renew(
    store: CredentialsStore,
    mut shown: Credentials,
    identity: Arc<Identity>,
    authorities: watch::Sender<String>,
) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let current = match store.current().await {
            Ok(current) if current == shown => continue,
            Ok(current) => current,
            Err(error) => {
                warn!(%error, "Cannot look at the certificate.");
                continue;
            }
        };
        if current.authorities != shown.authorities {
            info!("A new authority vouches for the controller; the old one stays known.");
            authorities.send_replace(format!("{}{}", current.authorities, shown.authorities));
            tokio::time::sleep(SPREADING).await;
        }
        match identity.renew(&current.certificate, &current.key) {
            Ok(()) => {
                info!("The controller shows a new certificate.");
                shown = current;
            }
            Err(error) => warn!(%error, "The new certificate cannot be used."),
        }
    }
}
