//! What every request needs: the world as it is, and what belongs to the gateway rather than to
//! any document.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use config::Limits;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::access_log::AccessLog;
use crate::auth::Authenticator;
use crate::clock::Clock;
use crate::error::CallError;
use crate::metrics::{Limit, Metrics};
use crate::session::Sessions;
use crate::tasks::Tasks;
use crate::world::World;

/// The gateway as a request sees it.
pub struct Context {
    /// Loaded once per request, with `load_full`. None before the first: then every request is
    /// refused.
    pub world: ArcSwapOption<World>,
    /// The gateway's one clock.
    pub clock: Clock,
    /// Where every task is spawned.
    pub tasks: Tasks,
    /// Where everything is counted.
    pub metrics: Arc<Metrics>,
    /// The bounds, as they were at start.
    pub limits: Arc<Limits>,
    /// A place for each connection of a client, whichever listener it came in by.
    pub connections: Arc<Semaphore>,
    /// Sessions and their keys.
    pub sessions: Sessions,
    /// Who calls.
    pub authenticator: Authenticator,
    /// Where each request's line goes.
    pub access_log: AccessLog,
    /// This replica's name, which a session id carries.
    pub replica: Arc<str>,
    /// How all of it learns that the gateway stops.
    pub closing: Closing,
}

impl Context {
    /// How long an answer may be that is kept until it is whole.
    pub fn answer_limit(&self) -> AnswerLimit {
        AnswerLimit { bytes: self.limits.rewritten_answer, metrics: self.metrics.clone() }
    }
}

/// How long an answer may be that is kept until it is whole, and where it counts when one is longer.
#[derive(Debug, Clone)]
pub struct AnswerLimit {
    /// `limits.rewrittenAnswer`.
    pub bytes: usize,
    metrics: Arc<Metrics>,
}

impl AnswerLimit {
    /// Counts an answer that is longer and would have to be one event; what is said in its place.
    pub fn refuse_event(&self) -> CallError {
        self.metrics.rejected(Limit::Answer);
        CallError::TooLongForAnEvent { limit: self.bytes }
    }

    /// Counts an answer for which a batch has no room left; what is said in its place.
    pub fn refuse_in_batch(&self) -> CallError {
        self.metrics.rejected(Limit::Answer);
        CallError::BatchTooLong { limit: self.bytes }
    }
}

/// How what is open learns that it must end: with the gateway, or with its listener alone.
#[derive(Debug, Clone, Default)]
pub struct Closing {
    /// Cancelled when connections are to end after what they carry, and open streams at once.
    pub draining: CancellationToken,
    /// Cancelled when what still runs is to end with an error that says so.
    pub over: CancellationToken,
}

impl Closing {
    /// For a part, which ends with the whole or before it.
    pub fn child(&self) -> Self {
        Self { draining: self.draining.child_token(), over: self.over.child_token() }
    }
}

#[cfg(test)]
pub(crate) mod fixtures {
    use super::*;

    pub(crate) fn answer_limit(bytes: usize) -> AnswerLimit {
        AnswerLimit { bytes, metrics: Metrics::new(&Tasks::new()) }
    }
}
