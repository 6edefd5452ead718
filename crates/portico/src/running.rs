//! A running gateway, however clients reach it: a source of documents, a gateway that executes them,
//! and an admin port beside it, from the start to the end.

mod applier;
mod kept;
mod start;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use config::{Document, Drain, Reading};
use proxy::access_log::AccessLog;
use proxy::admin::Readiness;
use proxy::{Gateway, ListenError, Tasks};
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tracing::info;

use crate::signals::StopSignals;
use applier::Applier;

pub(crate) use start::{Base, Setup, Source};

/// After which time a listener that could not be opened is tried again.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);

/// What runs.
pub(crate) struct Running {
    pub(crate) gateway: Arc<Gateway>,
    applier: Applier,
    readings: watch::Receiver<Arc<Reading>>,
    pub(crate) readiness: Arc<Readiness>,
    access_log: AccessLog,
    /// What runs beside the gateway, and longer: the source and the admin port.
    tasks: Tasks,
    pub(crate) drain: Drain,
}

/// The one runtime of the process.
///
/// # Errors
/// If the system does not give it what it needs.
pub(crate) fn runtime() -> anyhow::Result<Runtime> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.context("cannot start the runtime")
}

impl Running {
    /// Starts all of it, with no document yet.
    ///
    /// # Errors
    /// If what the command line asks for cannot be had: a port in use.
    pub(crate) async fn start(setup: Setup) -> anyhow::Result<Self> {
        start::start(setup).await
    }

    /// Serves what the source says now. Returns the listeners that could not be opened.
    pub(crate) async fn apply(&mut self) -> Vec<ListenError> {
        let reading = self.readings.borrow_and_update().clone();
        self.applier.apply(&self.gateway, reading).await
    }

    /// The document in force now.
    pub(crate) fn document(&self) -> Arc<Document> {
        self.applier.document()
    }

    /// Serves every new document until it is asked to stop. `failed` are the listeners that could not be
    /// opened so far: they are tried again.
    pub(crate) async fn follow(&mut self, mut failed: Vec<ListenError>, stop: &mut StopSignals) {
        loop {
            tokio::select! {
                changed = self.readings.changed() => {
                    if changed.is_err() {
                        // The source has ended: what it said last stays.
                        return stop.next().await;
                    }
                }
                () = tokio::time::sleep(LISTEN_AGAIN), if !failed.is_empty() => {}
                () = stop.next() => return,
            }
            failed = self.apply().await;
            if failed.is_empty() || !self.gateway.addresses().await.is_empty() {
                self.readiness.ready();
            } else {
                self.readiness.unbound();
            }
        }
    }

    /// Ends everything: what is in flight within `limit`, at once if asked to `hurry`.
    pub(crate) async fn end(self, limit: Duration, hurry: impl Future<Output = ()>) {
        self.readiness.drain();
        self.gateway.drain(limit, hurry).await;
        self.tasks.close().await;
        self.access_log.close().await;
        info!("Stopped.");
    }
}
