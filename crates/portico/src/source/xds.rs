//! The source that follows a controller: a task that takes what is published for this proxy's Gateway,
//! keeps it while the controller is away, and reports how its targets stand.

mod report;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use config::{Reading, Secret};
use proxy::Tasks;
use tokio::sync::watch;
use tracing::{debug, info, warn};
use xds::{Client, Endpoint, Received, ResourceType};

pub(crate) use report::Reports;

/// The first pause after a connection that failed or broke; doubled up to the longest.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A version of the document, and what was made of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Version {
    pub(crate) version: String,
    pub(crate) reading: Arc<Reading>,
}

/// Follows the controller, and waits for the first document.
///
/// # Errors
/// The gateway is ending.
pub(crate) async fn start(
    endpoint: Endpoint,
    tasks: &Tasks,
) -> anyhow::Result<(watch::Receiver<Arc<Reading>>, Reports)> {
    let (sender, mut readings) = watch::channel(Arc::<Reading>::default());
    let (versions, known) = watch::channel(Version::default());
    let (reports, reported) = Reports::new(known);
    info!(controller = %endpoint.url, "Waiting for the first document.");
    let follower =
        Follower { endpoint, received: Received::default(), read: None, sender, versions };
    tasks.spawn("xds", follower.run(reported));
    readings.changed().await.context("nothing follows the controller any more")?;
    Ok((readings, reports))
}

struct Follower {
    endpoint: Endpoint,
    received: Received,
    read: Option<Read>,
    sender: watch::Sender<Arc<Reading>>,
    versions: watch::Sender<Version>,
}

/// What a version of the document says, which is read once, however often addresses change.
struct Read {
    version: String,
    reading: Reading,
}

impl Follower {
    async fn run(mut self, reported: report::Reported) {
        let mut pause = PAUSE;
        loop {
            match Client::connect(&self.endpoint).await {
                Ok(client) => {
                    let was_told = self.follow(&client, &reported).await;
                    // One that is reached and refuses is not asked more often than one that is away.
                    if was_told {
                        pause = PAUSE;
                    }
                }
                Err(error) => warn!(%error, "No controller; what it said stays."),
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.sender.closed() => return debug!("Nobody needs the controller any more."),
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Follows on one connection until it breaks; says whether anything was told on it.
    async fn follow(&mut self, client: &Client, reported: &report::Reported) -> bool {
        info!(controller = %self.endpoint.url, "Connected to the controller.");
        let (sender, versions, read) = (&self.sender, &self.versions, &mut self.read);
        let mut was_told = false;
        let apply = |received: &Received| {
            was_told = true;
            apply(received, read, sender, versions)
        };
        let node = std::env::var("HOSTNAME").unwrap_or_default();
        let reports = async {
            // What it publishes is followed all the same.
            let mut pause = PAUSE;
            loop {
                if let Err(status) = client.report(reported.deltas()).await {
                    warn!(
                        reason = status.message(),
                        "The controller takes no reports; trying again."
                    );
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        };
        tokio::select! {
            followed = client.follow(&node, &mut self.received, apply) => match followed {
                Ok(()) => info!("The controller ends the connection; what it said stays."),
                Err(status) => warn!(
                    reason = status.message(),
                    code = ?status.code(),
                    "Lost the controller; what it said stays."
                ),
            },
            () = reports => {}
        }
        was_told
    }
}

/// Takes what is known into force, unless it cannot be read.
fn apply(
    received: &Received,
    read: &mut Option<Read>,
    sender: &watch::Sender<Arc<Reading>>,
    versions: &watch::Sender<Version>,
) -> Result<(), String> {
    let mut endpoints = BTreeMap::new();
    for (name, resource) in received.of(ResourceType::Endpoints) {
        let addresses: Vec<SocketAddr> = serde_json::from_slice(&resource.payload)
            .map_err(|error| format!("endpoints `{name}`: {error}"))?;
        endpoints.insert(name.to_owned(), addresses);
    }
    // The addresses of something are no document: they wait for the first.
    let Some((name, document)) = received.document() else { return Ok(()) };
    let known = read.take().filter(|read| read.version == document.version);
    let known = match known {
        Some(known) => read.insert(known),
        None => {
            let text = std::str::from_utf8(&document.payload)
                .map_err(|_| format!("document `{name}`: this is not UTF-8"))?;
            let reading = config::read_published(name, text)
                .map_err(|diagnostic| format!("document `{name}`: {diagnostic}"))?;
            read.insert(Read { version: document.version.clone(), reading })
        }
    };
    let mut reading = known.reading.clone();
    reading.document.endpoints = endpoints;
    for (key, resource) in received.of(ResourceType::Secret) {
        // What is wrong is not said: it could quote what is in it.
        let values = serde_json::from_slice::<BTreeMap<String, Secret>>(&resource.payload)
            .map_err(|_| format!("secret `{key}`: this is not a mapping of names to texts"))?;
        reading.document.secrets.insert(key, values);
    }
    let reading = Arc::new(reading);
    versions.send_replace(Version { version: document.version.clone(), reading: reading.clone() });
    sender.send_replace(reading);
    Ok(())
}
