//! The admin port: metrics, health, the document in force, and how the targets stand. It has a
//! listener of its own and shares nothing with the data path but what it reads.

mod answer;
mod readiness;
mod status;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::tasks::Tasks;

pub use readiness::Readiness;
pub use status::{TargetState, TargetStatus};

/// Connections at once. Scrapers need one or two; more wait in the backlog.
const CONNECTIONS: usize = 64;
/// The time a client may take to send the head of a request, the idle time between two included.
const HEAD_DEADLINE: Duration = Duration::from_secs(60);
/// The pause after the listener failed, so that running out of descriptors does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The bound admin port.
#[derive(Debug)]
pub struct Admin {
    listener: TcpListener,
    address: SocketAddr,
}

/// What the port shows.
#[derive(Clone)]
pub struct AdminSources {
    /// For `/metrics`: called for each request.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// For `/readyz`.
    pub readiness: Arc<Readiness>,
    /// What only operators are to see; `None` on a port that others reach, such as the one that a kubelet
    /// probes.
    pub inside: Option<Inside>,
}

/// What only operators are to see.
#[derive(Clone)]
pub struct Inside {
    /// For `/config`: the document in force.
    pub document: Arc<dyn Fn() -> Arc<config::Document> + Send + Sync>,
    /// For `/targets`: called for each request.
    pub targets: Arc<dyn Fn() -> Vec<TargetStatus> + Send + Sync>,
}

impl Admin {
    /// Takes the port.
    ///
    /// # Errors
    /// If it cannot be bound; the error names the address and says what to do.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let bound = TcpListener::bind(address).await;
        let listener = bound.map_err(|error| {
            let text = format!(
                "cannot listen on the admin address {address}: {error}; choose another with \
                 `--admin-port`, `--health-address` or `admin.address`"
            );
            io::Error::new(error.kind(), text)
        })?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens; the port that the system chose where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `tasks` are cancelled.
    pub fn serve(self, tasks: &Tasks, sources: AdminSources) {
        let connections = tasks.child();
        tasks.spawn("admin", accept(self, connections, sources));
    }
}

async fn accept(admin: Admin, connections: Tasks, sources: AdminSources) {
    let slots = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(slot) = slots.clone().acquire_owned().await else { return };
        let stream = match admin.listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::debug!(%error, "Could not accept an admin connection.");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (sources, address) = (sources.clone(), admin.address);
        connections.spawn("admin connection", async move {
            serve_connection(stream, address, sources).await;
            drop(slot);
        });
    }
}

async fn serve_connection(stream: TcpStream, address: SocketAddr, sources: AdminSources) {
    let service = service_fn(|request| {
        let response = answer::answer(&sources, address, &request);
        async move { Ok::<_, std::convert::Infallible>(response) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_DEADLINE)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "An admin connection ended.");
    }
}

#[cfg(test)]
mod tests;
