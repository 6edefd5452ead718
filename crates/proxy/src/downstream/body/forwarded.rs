//! An answer that is passed on, and how long the whole of it may take.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use config::RouteTimeouts;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until, timeout_at};

use crate::access_log::Ending;
use crate::error::ForwardError;
use crate::upstream::HttpBody;

/// When an answer has to be over.
pub(crate) struct Deadline {
    at: Instant,
    after: Duration,
}

/// An answer's body, data and trailers, as the client takes it.
pub struct Forwarded {
    body: HttpBody,
    over: Option<(Pin<Box<Sleep>>, Duration)>,
    ending: Option<Ending>,
}

impl Deadline {
    /// From now on, whichever is first: a request is passed on as soon as it is here.
    pub(crate) fn of(timeouts: RouteTimeouts, of_server: Option<Duration>) -> Option<Self> {
        let after = [timeouts.shortest(), of_server].into_iter().flatten().min()?;
        Some(Self { at: Instant::now().checked_add(after)?, after })
    }

    /// What `future` gives, if it does in time.
    pub(crate) async fn within<T>(
        &self,
        future: impl Future<Output = T>,
    ) -> Result<T, ForwardError> {
        timeout_at(self.at, future).await.map_err(|_| ForwardError::Timeout { after: self.after })
    }
}

impl Forwarded {
    /// Breaks off at the deadline.
    pub(crate) fn new(body: HttpBody, deadline: Option<Deadline>) -> Self {
        let over = deadline.map(|deadline| (Box::pin(sleep_until(deadline.at)), deadline.after));
        Self { body, over, ending: None }
    }

    /// The next bytes or the trailers.
    pub(super) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ForwardError>>> {
        if let Poll::Ready(frame) = self.body.poll_frame(context) {
            let failed = |error| self.fail(ForwardError::of(&error));
            return Poll::Ready(frame.map(|frame| frame.map_err(failed)));
        }
        let Some((over, after)) = &mut self.over else { return Poll::Pending };
        let after = *after;
        over.as_mut().poll(context).map(|()| Some(Err(self.fail(ForwardError::Timeout { after }))))
    }

    pub(super) fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    pub(super) fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }

    /// How the request ended, where its answer broke off.
    pub(super) fn ending(&self) -> Option<Ending> {
        self.ending
    }

    fn fail(&mut self, error: ForwardError) -> ForwardError {
        self.ending = Some(error.ending());
        error
    }
}
