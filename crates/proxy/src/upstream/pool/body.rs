//! The body of an answer, and with it the connection that brings it: read to its end, the connection
//! goes back to the pool; dropped before that, it is closed, because what follows on it belongs to
//! nobody.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::upstream::error::{Oversized, UpstreamError};
use crate::upstream::pool::Loan;
use crate::upstream::pool::shared::Stream;

/// How long, and how far, a body is read on when only its end is of interest.
const FINISH_TIME: Duration = Duration::from_secs(1);
const FINISH_BYTES: usize = 64 * 1024;

/// A body as it comes from the wire.
pub(crate) struct HttpBody {
    incoming: Incoming,
    /// The connection that brings it, where it brings nothing else.
    loan: Option<Loan>,
    /// Its part in a connection that brings others, too.
    _stream: Option<Stream>,
    peer: Arc<str>,
}

impl HttpBody {
    pub(crate) fn new(incoming: Incoming, loan: Loan, peer: Arc<str>) -> Self {
        let mut body = Self { incoming, loan: Some(loan), _stream: None, peer };
        body.release_at_end();
        body
    }

    /// Of a connection that brings others, too.
    pub(crate) fn streamed(incoming: Incoming, stream: Stream, peer: Arc<str>) -> Self {
        Self { incoming, loan: None, _stream: Some(stream), peer }
    }

    /// The next bytes or the trailers; `None` at the end, and after an error.
    pub(crate) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, UpstreamError>>> {
        Pin::new(&mut self.incoming).poll_frame(context).map(|frame| match frame {
            None => {
                self.release();
                None
            }
            Some(Ok(frame)) => {
                self.release_at_end();
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                self.loan = None;
                Some(Err(UpstreamError::cut(&self.peer, error)))
            }
        })
    }

    /// Whether nothing more comes.
    pub(crate) fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    /// How much is still to come, as far as it is known.
    pub(crate) fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }

    /// The next bytes; `None` at the end, and after an error. Safe to drop and to call again.
    pub(crate) async fn next(&mut self) -> Option<Result<Bytes, UpstreamError>> {
        loop {
            let Some(frame) = self.incoming.frame().await else {
                self.release();
                return None;
            };
            match frame {
                Ok(frame) => {
                    // Trailers say nothing that we forward.
                    let Ok(data) = frame.into_data() else { continue };
                    self.release_at_end();
                    return Some(Ok(data));
                }
                Err(error) => {
                    self.loan = None;
                    return Some(Err(UpstreamError::cut(&self.peer, error)));
                }
            }
        }
    }

    /// The whole rest in one piece, at most `limit` bytes of it.
    pub(crate) async fn collect(&mut self, limit: usize) -> Result<Bytes, UpstreamError> {
        let Some(first) = self.next().await.transpose()? else { return Ok(Bytes::new()) };
        let Some(second) = self.next().await.transpose()? else {
            return self.within(limit, first.len()).map(|()| first);
        };
        let mut whole = BytesMut::from(&first[..]);
        whole.extend_from_slice(&second);
        self.within(limit, whole.len())?;
        while let Some(chunk) = self.next().await.transpose()? {
            self.within(limit, whole.len() + chunk.len())?;
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.freeze())
    }

    /// Reads on to the end, in the background if it is not there yet, so that the connection can be
    /// used again; gives up where that costs more than a new one.
    pub(crate) fn finish(mut self) {
        let mut context = Context::from_waker(Waker::noop());
        if let Poll::Ready(None) = Pin::new(&mut self.incoming).poll_frame(&mut context) {
            return self.release();
        }
        let Some(tasks) = self.loan.as_ref().map(Loan::tasks) else { return };
        tasks.spawn("end of an upstream answer", async move {
            let _ = tokio::time::timeout(FINISH_TIME, self.collect(FINISH_BYTES)).await;
        });
    }

    fn within(&self, limit: usize, length: usize) -> Result<(), UpstreamError> {
        if length <= limit {
            return Ok(());
        }
        Err(UpstreamError::TooLarge { peer: self.peer.clone(), what: Oversized::Answer, limit })
    }

    fn release_at_end(&mut self) {
        if self.incoming.is_end_stream() {
            self.release();
        }
    }

    fn release(&mut self) {
        if let Some(loan) = self.loan.take_if(|loan| !loan.is_upgraded) {
            loan.give_back();
        }
    }
}
