//! A request, and who makes it.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use mcp::{Id, Level, Message, Revision, Text};
use tokio_util::sync::CancellationToken;

use crate::auth::Principal;
use crate::context::Context;
use crate::error::CallError;
use crate::federation::Offer;
use crate::session::Session;
use crate::upstream::{Owner, Upstream};

/// Who calls, as far as a target's connection depends on it.
#[derive(Clone)]
pub enum Caller {
    /// A client's session.
    Session(Arc<Session>),
    /// Somebody without one.
    Principal(Principal),
}

impl Caller {
    /// Its session, where it has one.
    pub fn session(&self) -> Option<&Arc<Session>> {
        match self {
            Self::Session(session) => Some(session),
            Self::Principal(_) => None,
        }
    }

    /// Whose connection to an upstream is used.
    ///
    /// # Errors
    /// The session has ended.
    pub(super) fn owner(&self, context: &Context, upstream: &Upstream) -> Result<Owner, CallError> {
        match self {
            Self::Session(session) => {
                let slot = session.slot(upstream.serial(), &context.tasks, context.clock.now());
                Ok(Owner::Session(slot.ok_or(CallError::UnknownSession)?))
            }
            Self::Principal(principal) => Ok(Owner::Principal(principal.clone())),
        }
    }

    /// What it is offered where others of its kind are offered `shared`.
    pub(super) fn offered(&self, shared: Arc<Offer>) -> Arc<Offer> {
        match self {
            Self::Session(session) => session.offered(shared),
            Self::Principal(_) => shared,
        }
    }
}

/// A request on its way through.
pub struct Call {
    /// The request as the client wrote it.
    pub message: Message,
    /// Its id.
    pub id: Id,
    /// Who calls.
    pub caller: Caller,
    /// The revision that the client speaks; the latest legacy one where nobody said which.
    pub revision: Revision,
    /// The client's headers, of which targets may name some to be passed on.
    pub headers: Arc<HeaderMap>,
    /// Cancelled when it is to end with an error, because its listener does.
    pub over: CancellationToken,
    /// Whether the answer can be events.
    pub takes_events: bool,
    /// How long the answer may take besides what its target's deadlines say.
    pub within: Option<Duration>,
}

impl Call {
    /// The level that `logging/setLevel` asks for, if it is one.
    pub(super) fn level(&self) -> Option<Level> {
        self.message.routed().level.as_ref().and_then(|text| Level::parse(text.as_str()))
    }
}

/// A parameter that the method cannot do without.
pub(super) fn field<'a>(
    text: Option<&'a Text>,
    method: &'static str,
    field: &'static str,
) -> Result<&'a str, CallError> {
    text.map(Text::as_str).ok_or(CallError::MissingField { method, field })
}
