//! `portico run`: a source of documents, a gateway that executes them, and an admin port beside it,
//! from the start to the end of the drain.

mod applier;
mod listen;
mod start;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use config::{Drain, Reading};
use proxy::access_log::AccessLog;
use proxy::admin::Readiness;
use proxy::{Gateway, Tasks};
use tokio::sync::watch;
use tracing::info;

use crate::arguments::RunArguments;
use crate::connect;
use crate::output;
use crate::signals::StopSignals;
use crate::telemetry;
use applier::Applier;

/// After which time a listener that could not be opened is tried again.
const LISTEN_AGAIN: Duration = Duration::from_secs(5);

/// What runs.
struct Running {
    gateway: Arc<Gateway>,
    applier: Applier,
    readings: watch::Receiver<Arc<Reading>>,
    readiness: Arc<Readiness>,
    access_log: AccessLog,
    /// What runs beside the gateway, and longer: the source and the admin port.
    tasks: Tasks,
    drain: Drain,
}

/// Serves until a signal ends it.
///
/// # Errors
/// If the files cannot be used at the start, or what they ask for cannot be had: a port in use.
pub(crate) fn run(arguments: RunArguments) -> anyhow::Result<ExitCode> {
    telemetry::start(arguments.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    runtime.block_on(serve(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(arguments: RunArguments) -> anyhow::Result<()> {
    let mut stop = StopSignals::new()?;
    let mut running = start::start(&arguments).await?;
    let failed = running.apply().await;
    if !failed.is_empty() {
        running.end(&mut stop, Duration::ZERO).await;
        return Err(listen::explain(&failed));
    }
    running.readiness.ready();
    running.greet(&arguments).await;
    running.follow(&mut stop).await;
    let limit = running.announce(&mut stop).await;
    running.end(&mut stop, limit).await;
    Ok(())
}

impl Running {
    /// Serves what the source says now. Returns the listeners that could not be opened.
    async fn apply(&mut self) -> Vec<proxy::ListenError> {
        let reading = self.readings.borrow_and_update().clone();
        self.applier.apply(&self.gateway, &reading).await
    }

    /// Says where it listens.
    async fn greet(&self, arguments: &RunArguments) {
        let document = self.applier.document();
        let mut urls = Vec::new();
        for (configured, bound) in self.gateway.addresses().await {
            urls.extend(connect::urls(&document, configured, bound));
        }
        match urls.first() {
            Some(url) if arguments.demo => output::print(&connect::instructions(url)),
            _ => output::print(&format!("portico serves {}\n", urls.join(" "))),
        }
    }

    /// Serves every new document until it is asked to stop.
    async fn follow(&mut self, stop: &mut StopSignals) {
        let mut failed = Vec::new();
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
        }
    }

    /// Tells load balancers to look elsewhere, and still accepts for as long as they lag. Returns
    /// how long what is in flight may take: no time after another signal.
    async fn announce(&self, stop: &mut StopSignals) -> Duration {
        info!("Draining.");
        self.readiness.drain();
        tokio::select! {
            () = tokio::time::sleep(self.drain.announce.get()) => self.drain.limit.get(),
            () = stop.next() => Duration::ZERO,
        }
    }

    /// Ends everything: what is in flight within `limit`, at once on another signal.
    async fn end(self, stop: &mut StopSignals, limit: Duration) {
        self.readiness.drain();
        self.gateway.drain(limit, stop.next()).await;
        self.tasks.close().await;
        self.access_log.close().await;
        info!("Stopped.");
    }
}
