//! One connection of a client, from its first byte to its end.

use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::access_log::{Ending, Record};
use crate::arrival::Arrival;
use crate::context::Context;
use crate::listen::impatient::Impatient;
use crate::metrics::Limit;
use crate::serve::serve;

/// How long a client may take for something.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadlines {
    /// For the head of a request; the first counts from the beginning of the connection.
    pub(super) head: Duration,
    /// For reading on, where something waits to be written to it.
    pub(super) write: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        Self { head: Duration::from_secs(30), write: Duration::from_secs(60) }
    }
}

/// Serves what comes on `stream` until the client leaves, its listener drains and nothing is left
/// on the way, or `cut` says that it is enough.
pub(super) async fn converse(
    context: Arc<Context>,
    arrival: Arrival,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    cut: CancellationToken,
    deadlines: Deadlines,
) {
    let builder = builder(&context, deadlines);
    let (draining, remote) = (arrival.closing.draining.clone(), arrival.remote);
    let asked = Arc::new(Notify::new());
    let service = service_fn(|request| {
        asked.notify_one();
        serve(context.clone(), arrival.clone(), request)
    });
    let stream = Impatient::new(stream, deadlines.write);
    let connection = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // Which version of HTTP it is has to be found out first, which nothing else bounds; neither
    // does anything a client of HTTP/2 that never asks.
    let unasked = async {
        if tokio::time::timeout(deadlines.head, asked.notified()).await.is_ok() {
            std::future::pending().await
        }
    };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = unasked => {
            debug!(%remote, "A connection on which nothing was asked was closed.");
            return;
        }
        () = cut.cancelled() => return,
        () = draining.cancelled() => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = cut.cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        if is_head_too_large(&*error) {
            refused_head(&context, remote);
        }
        debug!(%remote, %error, "A connection ended early.");
    }
}

/// Whether a request's head was over the bound. Over HTTP/2 the library refuses it without a word
/// to us.
fn is_head_too_large(error: &(dyn Error + 'static)) -> bool {
    error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse_too_large)
}

/// A request's head was over `limits.headerBlock`: the library has answered it.
fn refused_head(context: &Context, remote: SocketAddr) {
    context.metrics.rejected(Limit::Head);
    let mut record = Record::new(&context.access_log, &context.clock, remote);
    record.head(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
    record.end(Ending::Refused);
}

fn builder(context: &Context, deadlines: Deadlines) -> auto::Builder<TokioExecutor> {
    let header_block = context.limits.header_block;
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(deadlines.head)
        .max_buf_size(header_block.max(8 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(deadlines.head)
        .max_concurrent_streams(context.limits.http2_streams)
        .max_header_list_size(u32::try_from(header_block).unwrap_or(u32::MAX));
    builder
}

#[cfg(test)]
mod tests;
