//! Why bytes are not a message.

use crate::error::ErrorCode;
use crate::id::Id;
use crate::scan::{Fault, MAX_DEPTH};

/// Why bytes are not a message, or not a batch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not JSON.
    #[error("not JSON: byte {position} is wrong")]
    Syntax {
        /// The offset of the first byte that cannot be.
        position: usize,
        /// The id, if it could be read before the error.
        id: Option<Id>,
    },
    /// Nested deeper than `MAX_DEPTH`.
    #[error("nested deeper than {MAX_DEPTH} at byte {position}")]
    TooDeep {
        /// The offset of the bracket that is one too many.
        position: usize,
        /// The id, if it could be read before the error.
        id: Option<Id>,
    },
    /// JSON, but not a JSON-RPC 2.0 message.
    #[error("not a JSON-RPC message: {what}")]
    NotEnvelope {
        /// What is wrong with it.
        what: &'static str,
        /// The id, if it has a usable one.
        id: Option<Id>,
    },
    /// A field that is routed by is there twice, or spelled in another case: the gateway and the
    /// server could read two different values.
    #[error("`{field}` is repeated or spelled in another way at byte {position}")]
    Repeated {
        /// The field's proper name.
        field: String,
        /// The offset of the second key, or of the other spelling.
        position: usize,
        /// The id, if there is one only.
        id: Option<Id>,
    },
    /// A batch of nothing.
    #[error("an empty batch")]
    EmptyBatch,
    /// A batch of more messages than allowed.
    #[error("a batch of more than {limit} messages")]
    LongBatch {
        /// How many are allowed.
        limit: usize,
    },
}

impl MessageError {
    pub(crate) fn new(problem: Problem, id: Option<Id>) -> Self {
        match problem {
            Problem::Fault(Fault::Syntax(position)) => Self::Syntax { position, id },
            Problem::Fault(Fault::TooDeep(position)) => Self::TooDeep { position, id },
            Problem::NotEnvelope(what) => Self::NotEnvelope { what, id },
            Problem::Repeated { field, position } => Self::Repeated { field, position, id },
        }
    }

    /// The JSON-RPC code that says so.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Syntax { .. } => ErrorCode::ParseError,
            Self::TooDeep { .. }
            | Self::NotEnvelope { .. }
            | Self::Repeated { .. }
            | Self::EmptyBatch
            | Self::LongBatch { .. } => ErrorCode::InvalidRequest,
        }
    }

    /// The id, if it could be read before the error.
    pub fn id(&self) -> Option<&Id> {
        match self {
            Self::Syntax { id, .. }
            | Self::TooDeep { id, .. }
            | Self::NotEnvelope { id, .. }
            | Self::Repeated { id, .. } => id.as_ref(),
            Self::EmptyBatch | Self::LongBatch { .. } => None,
        }
    }
}

impl From<Fault> for MessageError {
    fn from(fault: Fault) -> Self {
        Self::new(Problem::Fault(fault), None)
    }
}

/// A `MessageError` that does not know the message's id yet.
#[derive(Debug)]
pub(crate) enum Problem {
    Fault(Fault),
    NotEnvelope(&'static str),
    Repeated { field: String, position: usize },
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}
