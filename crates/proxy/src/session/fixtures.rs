//! For tests: a session.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use config::Limits;
use mcp::{ClientCapabilities, Revision};

use crate::auth::Principal;
use crate::federation;
use crate::metrics::Metrics;
use crate::session::{Beginning, Claims, KeyRing, Session, Sessions};
use crate::tasks::Tasks;

/// What the id of a session says that lasts until a minute after `now`.
pub(crate) fn claims(serial: u128, now: SystemTime) -> Claims {
    Claims {
        serial,
        owner: Arc::from("replica-1"),
        revision: Revision::V2025_11_25,
        capabilities: ClientCapabilities::ROOTS,
        declared: None,
        client_name: "client".to_owned(),
        client_version: "1.0".to_owned(),
        principal: Principal::new("alice"),
        backend: Arc::from("all"),
        expires: now + Duration::from_secs(60),
    }
}

/// None yet.
pub(crate) fn sessions() -> Sessions {
    Sessions::new(KeyRing::random().unwrap(), &Limits::default(), Metrics::new(&Tasks::new()))
}

/// What the record of a session is made of that sees nothing.
pub(crate) fn beginning() -> Beginning {
    let view = federation::fixtures::empty_view();
    Beginning { revision: Revision::V2025_11_25, view, pipe: None }
}

/// A session that sees nothing.
pub(crate) fn session() -> Arc<Session> {
    let claims = claims(1, SystemTime::now());
    sessions().record(&claims, Instant::now(), 1, beginning).unwrap()
}
