//! One line per request: who asked what of which target, how it was answered, and how it ended.
//! Lines go through a bounded channel to one writer, so that a slow disk costs lines, which are
//! counted, and never a request.

mod body;
mod line;
mod record;
mod writer;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use tokio::sync::mpsc;

use crate::metrics::Metrics;
use crate::tasks::Tasks;

pub use body::{RecordedBody, TellsEnding};
pub use record::{Ending, Origin, Record};

use line::Line;

/// Lines that may wait for the writer; more are lost, and counted.
const QUEUE: usize = 8192;

/// Where the lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Standard output.
    Stdout,
    /// A file, which is created or appended to.
    File(PathBuf),
}

/// How a line is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `2026-11-21T10:10:12.123Z 127.0.0.1:5000 route=all method=tools/call …`
    Text,
    /// One JSON object.
    Json,
}

/// The way to the writer; cheap to clone.
#[derive(Debug, Clone)]
pub struct AccessLog(Option<Arc<Channel>>);

#[derive(Debug)]
struct Channel {
    lines: mpsc::Sender<Box<Line>>,
    lost: Counter,
    tasks: Tasks,
}

impl AccessLog {
    /// Writes nothing.
    pub fn off() -> Self {
        Self(None)
    }

    /// Starts the writer. Must be called within a runtime.
    ///
    /// # Errors
    /// If the file cannot be opened; the error names it.
    pub async fn start(output: Output, format: Format, metrics: &Metrics) -> io::Result<Self> {
        let sink = writer::open(&output).await?;
        let (lines, queue) = mpsc::channel(QUEUE);
        let lost = metrics.access_log_lost().clone();
        let tasks = Tasks::new();
        tasks.spawn_to_end(
            "access log",
            writer::write(queue, sink, format, lost.clone(), tasks.cancelled()),
        );
        Ok(Self(Some(Arc::new(Channel { lines, lost, tasks }))))
    }

    /// Writes what is queued and ends the writer. Call it when nothing is served any more: lines
    /// that come later are lost.
    pub async fn close(&self) {
        if let Some(channel) = &self.0 {
            channel.tasks.close().await;
        }
    }

    fn is_on(&self) -> bool {
        self.0.is_some()
    }

    fn write(&self, line: Box<Line>) {
        let Some(channel) = &self.0 else { return };
        if channel.lines.try_send(line).is_err() {
            channel.lost.inc();
        }
    }
}

#[cfg(test)]
mod tests;
