//! Backends and ordinary HTTP servers as routes may lead to them, before it is known which do.

use config::Place;
use config::document::{Backend, Service};

use crate::policy::Connection;
use crate::status::BackendOutcome;

/// A backend, how it fares, and where it and its targets were written.
pub(super) struct PlannedBackend {
    pub(super) backend: Backend,
    pub(super) outcome: BackendOutcome,
    /// The ordinary HTTP server that it is, instead of a backend.
    pub(super) service: Option<PlannedService>,
    /// How each of its targets is connected to.
    pub(super) connections: Vec<Connection>,
    pub(super) place: Option<Place>,
    pub(super) target_places: Vec<Option<Place>>,
}

/// An ordinary HTTP server, and how it is connected to.
#[derive(Clone, Debug)]
pub(super) struct PlannedService {
    pub(super) service: Service,
    pub(super) connection: Connection,
}
