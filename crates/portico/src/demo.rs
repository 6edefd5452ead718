//! The built-in servers of `run --demo` as a source of documents: one that never changes.

use std::sync::Arc;

use anyhow::Context;
use config::document::Target;
use config::{Document, Reading};
use proxy::Tasks;
use tokio::sync::watch;

/// Starts the demo servers and names them as targets. They end with `tasks`.
///
/// # Errors
/// If they cannot listen on a port of loopback.
pub(crate) async fn source(tasks: &Tasks) -> anyhow::Result<watch::Receiver<Arc<Reading>>> {
    let demo = demo::start().await.context("cannot start the demo servers")?;
    let target = |(name, address)| Target {
        name,
        url: Some(format!("http://{address}/mcp")),
        ..Target::default()
    };
    let targets = demo.addresses().into_iter().map(target).collect();
    let document = Document { targets, ..Document::default() };
    let reading = Reading { document, ..Reading::default() };
    let (sender, readings) = watch::channel(Arc::new(reading));
    let cancelled = tasks.cancelled();
    tasks.spawn("demo", async move {
        cancelled.await;
        drop((demo, sender));
    });
    Ok(readings)
}
