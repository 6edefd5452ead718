//! Where a request came in.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::task::task_tracker::TaskTrackerToken;

use crate::context::Closing;
use crate::metrics::Counted;

/// Where a request came in.
#[derive(Clone)]
pub(crate) struct Arrival {
    /// The listener's address as configured.
    pub(crate) configured: SocketAddr,
    /// Whose connection it is.
    pub(crate) remote: SocketAddr,
    /// The name that the client asked for over TLS, in lower case, empty if it named none; `None`
    /// where nothing is encrypted.
    pub(crate) tls: Option<Arc<str>>,
    /// How the listener says that it ends.
    pub(crate) closing: Closing,
    /// The connection's place, held for as long as any of it goes on.
    pub(crate) seat: Arc<Seat>,
}

/// The place of one connection among all of them. It is free when this is dropped.
#[derive(Default)]
pub(crate) struct Seat {
    _within: Option<(OwnedSemaphorePermit, Counted, TaskTrackerToken)>,
}

impl Seat {
    /// A place within `limits.connections`, in the metrics, and among those that its listener waits
    /// for.
    pub(crate) fn new(
        permit: OwnedSemaphorePermit,
        counted: Counted,
        awaited: TaskTrackerToken,
    ) -> Self {
        Self { _within: Some((permit, counted, awaited)) }
    }
}

impl Arrival {
    /// The scheme by which the client came.
    pub(crate) fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }
}
