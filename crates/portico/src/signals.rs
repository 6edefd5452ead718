//! Signals: the first SIGTERM or SIGINT begins the drain, the second skips to its end, SIGHUP
//! rereads the files.

use std::sync::Arc;

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

/// Asks to stop.
pub(crate) struct StopSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl StopSignals {
    /// Takes the signals over; from now on they no longer end the process.
    ///
    /// # Errors
    /// If the system does not let it.
    pub(crate) fn new() -> anyhow::Result<Self> {
        let take = |kind, name| signal(kind).with_context(|| format!("cannot take over {name}"));
        Ok(Self {
            terminate: take(SignalKind::terminate(), "SIGTERM")?,
            interrupt: take(SignalKind::interrupt(), "SIGINT")?,
        })
    }

    /// The next one.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Passes every SIGHUP on.
///
/// # Errors
/// If the system does not let it.
pub(crate) fn hangups(
    reread: Arc<Notify>,
) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    let mut hangups = signal(SignalKind::hangup()).context("cannot take over SIGHUP")?;
    Ok(async move {
        while hangups.recv().await.is_some() {
            tracing::info!("Rereading the files, as SIGHUP asks.");
            reread.notify_one();
        }
    })
}
