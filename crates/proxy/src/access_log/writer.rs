//! The one task that writes access-log lines.

use std::future::Future;
use std::io;
use std::os::fd::AsFd;
use std::pin::pin;

use prometheus_client::metrics::counter::Counter;
use tokio::fs::{File, OpenOptions};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

use crate::access_log::line::Line;
use crate::access_log::{Format, Output};

/// The most lines in one write.
const BATCH: usize = 256;

pub(super) type Sink = Box<dyn AsyncWrite + Send + Unpin>;

/// Opens where the lines go; an error names the file.
pub(super) async fn open(output: &Output) -> io::Result<Sink> {
    let path = match output {
        Output::Stdout => {
            // A descriptor of our own: nothing else buffers or locks it.
            let descriptor = io::stdout().as_fd().try_clone_to_owned()?;
            return Ok(Box::new(File::from_std(descriptor.into())));
        }
        Output::File(path) => path,
    };
    let opened = OpenOptions::new().create(true).append(true).open(path).await;
    let file = opened.map_err(|error| {
        let text = format!("cannot open the access log `{}`: {error}", path.display());
        io::Error::new(error.kind(), text)
    })?;
    Ok(Box::new(file))
}

/// Writes lines until the gateway closes the log; what is queued by then is still written.
pub(super) async fn write(
    mut queue: mpsc::Receiver<Box<Line>>,
    mut sink: Sink,
    format: Format,
    lost: Counter,
    closed: impl Future<Output = ()>,
) {
    let mut closed = pin!(closed);
    let mut is_closed = false;
    let mut lines = Vec::with_capacity(BATCH);
    let mut buffer = Vec::new();
    let mut is_broken = false;
    loop {
        let received = tokio::select! {
            received = queue.recv_many(&mut lines, BATCH) => received,
            () = &mut closed, if !is_closed => {
                is_closed = true;
                queue.close();
                continue;
            }
        };
        if received == 0 {
            return;
        }
        buffer.clear();
        for line in lines.drain(..) {
            line.append_to(&mut buffer, format);
        }
        let result = write_all(&mut sink, &buffer).await;
        if let Err(error) = &result {
            lost.inc_by(u64::try_from(received).unwrap_or(u64::MAX));
            if !is_broken {
                tracing::warn!(%error, "Cannot write the access log; lines are being lost.");
            }
        }
        is_broken = result.is_err();
    }
}

async fn write_all(sink: &mut Sink, buffer: &[u8]) -> io::Result<()> {
    sink.write_all(buffer).await?;
    sink.flush().await
}
