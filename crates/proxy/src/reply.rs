//! The forms of a reply: ours, whole; or a target's, in parts as they come.

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::error::CallError;

/// How many parts may wait for a client that reads slowly; then the target waits too.
pub const PART_QUEUE: usize = 8;

/// Resolves when nobody has waited for the parts of an answer for `limit`.
pub async fn orphaned(parts: &mpsc::Sender<Part>, limit: Duration) {
    parts.closed().await;
    tokio::time::sleep(limit).await;
}

/// An answer in pieces, in order. Pieces are shared, so building one from prepared parts copies
/// nothing.
#[derive(Debug, Clone, Default)]
pub struct Segments {
    parts: Vec<Bytes>,
    /// Always the sum of the lengths of `parts`.
    length: usize,
}

impl Segments {
    /// The length of the whole answer in bytes, as for Content-Length.
    pub fn len(&self) -> usize {
        self.length
    }

    /// One piece: a copy only where there are several.
    pub fn concat(self) -> Bytes {
        match <[Bytes; 1]>::try_from(self.parts) {
            Ok([only]) => only,
            Err(parts) => parts.concat().into(),
        }
    }

    /// The pieces, in order.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Bytes> {
        self.parts.iter()
    }
}

impl From<Vec<Bytes>> for Segments {
    fn from(parts: Vec<Bytes>) -> Self {
        let length = parts.iter().map(Bytes::len).sum();
        Self { parts, length }
    }
}

impl From<Bytes> for Segments {
    fn from(whole: Bytes) -> Self {
        Self::from(vec![whole])
    }
}

impl IntoIterator for Segments {
    type Item = Bytes;
    type IntoIter = std::vec::IntoIter<Bytes>;

    fn into_iter(self) -> Self::IntoIter {
        self.parts.into_iter()
    }
}

/// A piece of a target's answer, with the client's own ids in it.
#[derive(Debug)]
pub enum Part {
    /// The next bytes of the one JSON document that the answer is.
    Chunk(Bytes),
    /// A whole message before the result: progress, a log line, something that the target asks.
    Message(Bytes),
    /// The target has ended its stream for now and goes on when it is asked for the rest, not
    /// sooner than after this time (2025-11-25, transports, SEP-1699).
    Paused(Duration),
    /// The result or the target's error, whole, and nothing after it.
    Response(Bytes),
    /// The gateway's own error, and nothing after it.
    Failed(CallError),
}

/// The parts of one answer in order. Dropping it does not end the exchange that makes them: a
/// client of a legacy revision that leaves has not cancelled.
#[derive(Debug)]
pub struct Parts {
    arriving: mpsc::Receiver<Part>,
    /// Cancels the call that is answered.
    call: CancellationToken,
}

impl Parts {
    /// What arrives of the answer to a call, which ends by `call`.
    pub fn of_call(arriving: mpsc::Receiver<Part>, call: CancellationToken) -> Self {
        Self { arriving, call }
    }

    /// The next part; `None` after the last. Safe to drop and to call again.
    pub async fn recv(&mut self) -> Option<Part> {
        self.arriving.recv().await
    }

    /// As [`recv`](Self::recv).
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<Part>> {
        self.arriving.poll_recv(context)
    }

    /// Cancels the call that is answered, and no other of the same id.
    pub fn cancel(&self) {
        self.call.cancel();
    }
}

/// What comes back for a request.
#[derive(Debug)]
pub enum Reply {
    /// Ours: a list, an `initialize` result, an error.
    Local(Segments),
    /// From a target: one document, or messages with the response last.
    Upstream(Parts),
}

impl From<Bytes> for Reply {
    fn from(ours: Bytes) -> Self {
        Self::Local(Segments::from(ours))
    }
}
