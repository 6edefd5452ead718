//! Why a call was not answered by a target.

use std::time::Duration;

use bytes::Bytes;
use config::Close;
use mcp::{ErrorCode, Id, TargetName};

use crate::access_log::{Ending, Record};
use crate::error::request::SESSION_NOT_FOUND;
use crate::upstream::UpstreamError;

/// Who must act on an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The client asked for something that cannot be.
    Client,
    /// The gateway's operator, or the gateway.
    Gateway,
    /// The target that the call was for.
    Target,
}

/// Why a call was not answered by a target. Becomes a JSON-RPC error with HTTP status 200, or an
/// error event where the stream is open already.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// No target has the name.
    #[error("Unknown {kind}: `{name}`")]
    UnknownName {
        /// `tool` or `prompt`.
        kind: &'static str,
        /// The name as the client wrote it.
        name: String,
    },
    /// No target has the resource.
    #[error("Unknown resource: `{uri}`{}", ask_one_of(.candidates))]
    UnknownResource {
        /// The URI as the client wrote it.
        uri: String,
        /// The targets that could have it, where none is known to.
        candidates: Vec<TargetName>,
    },
    /// Several targets have the name.
    #[error("`{name}` is served by several targets{}", ask_one_of(.candidates))]
    Ambiguous {
        /// The name as the client wrote it.
        name: String,
        /// The targets that have it.
        candidates: Vec<TargetName>,
    },
    /// A parameter that the method cannot do without.
    #[error("`{method}` needs `{field}`, a string")]
    MissingField {
        /// The method's name.
        method: &'static str,
        /// Where the field belongs.
        field: &'static str,
    },
    /// Lists are one page, so no cursor can be one of ours.
    #[error("unknown cursor: lists are one page here")]
    UnknownCursor,
    /// A method that neither the gateway nor a single target serves.
    #[error("method not found: `{0}`")]
    MethodNotFound(String),
    /// The target could not be reached or did not speak MCP.
    #[error("target `{target}`: {source}")]
    Target {
        /// The target that the call was for.
        target: TargetName,
        /// What happened.
        source: UpstreamError,
    },
    /// The target did not answer in time; it has been told that nobody waits any more.
    #[error("target `{target}` did not answer within {after:?}")]
    Timeout {
        /// The target that the call was for.
        target: TargetName,
        /// The deadline that passed.
        after: Duration,
    },
    /// The target's answer is longer than what can be rewritten.
    #[error("target `{target}` answered with more than {limit} bytes (`limits.rewrittenAnswer`)")]
    AnswerTooLarge {
        /// The target that the call was for.
        target: TargetName,
        /// The limit in bytes.
        limit: usize,
    },
    /// An event is one message, so a long answer is collected for a client that takes only events.
    #[error(
        "the answer is longer than {limit} bytes (`limits.rewrittenAnswer`) and cannot be one event; accept `application/json`"
    )]
    TooLongForAnEvent {
        /// The limit in bytes.
        limit: usize,
    },
    /// The answers of a batch are kept until all of them are there.
    #[error(
        "the answers of this batch are longer than {limit} bytes together (`limits.rewrittenAnswer`); send fewer requests at once"
    )]
    BatchTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The target's answer is not MCP.
    #[error("target `{target}` did not answer with MCP: {what}")]
    InvalidAnswer {
        /// The target that the call was for.
        target: TargetName,
        /// What is wrong with it.
        what: String,
    },
    /// The target is kept shut by what guards it.
    #[error("target `{target}` is closed [{}]; the access log says why", close.id)]
    Closed {
        /// The target that the call was for.
        target: TargetName,
        /// Why it is shut.
        close: Close,
    },
    /// `failureMode: FailClosed`, and targets without a catalog.
    #[error("no catalog yet from {}, and failureMode is FailClosed", names(.0))]
    Incomplete(Vec<TargetName>),
    /// A request before `initialize` on a stream or a pipe.
    #[error("the session has not begun; send `initialize` first")]
    NotInitialized,
    /// A second `initialize` on a stream or a pipe.
    #[error("the session has begun already")]
    Initialized,
    /// A client whose answers share one stream asks more than it waits for.
    #[error("too many requests of this client are in flight; wait for answers")]
    TooManyCalls,
    /// A client watches more than is remembered of it, or what has too long a name.
    #[error("too many resources are watched, or the URI is too long; unsubscribe from others")]
    TooManySubscriptions,
    /// The client's session ended while its call was on the way.
    #[error("session not found; send `initialize` again")]
    UnknownSession,
    /// The client has said that it does not wait any more. It gets no answer where none is needed
    /// (2025-11-25, basic/utilities/cancellation).
    #[error("the client has cancelled the call")]
    Withdrawn,
    /// The session of the call has ended, or nobody has read its answer for `limits.orphanCall`.
    #[error("the call was cancelled")]
    Cancelled,
    /// The gateway stops, or the listener that the call came in by.
    #[error("the gateway stops serving this address; try again")]
    ShuttingDown,
}

impl CallError {
    /// Who must act.
    pub fn fault(&self) -> Fault {
        match self {
            Self::UnknownName { .. }
            | Self::UnknownResource { .. }
            | Self::Ambiguous { .. }
            | Self::MissingField { .. }
            | Self::UnknownCursor
            | Self::MethodNotFound(_)
            | Self::NotInitialized
            | Self::Initialized
            | Self::UnknownSession
            | Self::Withdrawn
            | Self::Cancelled => Fault::Client,
            Self::Target { .. }
            | Self::Timeout { .. }
            | Self::AnswerTooLarge { .. }
            | Self::InvalidAnswer { .. }
            | Self::Incomplete(_) => Fault::Target,
            Self::Closed { .. }
            | Self::TooLongForAnEvent { .. }
            | Self::BatchTooLong { .. }
            | Self::TooManyCalls
            | Self::TooManySubscriptions
            | Self::ShuttingDown => Fault::Gateway,
        }
    }

    /// Notes it in the access log, with what clients are not told of it.
    pub(crate) fn note(&self, record: &mut Record) {
        record.error(self.class());
        if let Self::Closed { close, .. } = self {
            record.reason(&close.reason);
        }
    }

    /// A short stable word for the access log.
    pub fn class(&self) -> &'static str {
        match self {
            Self::UnknownName { .. } => "unknown_name",
            Self::UnknownResource { .. } => "unknown_resource",
            Self::Ambiguous { .. } => "ambiguous",
            Self::MissingField { .. } => "missing_field",
            Self::UnknownCursor => "unknown_cursor",
            Self::MethodNotFound(_) => "method_not_found",
            Self::Target { source, .. } => source.class(),
            Self::Timeout { .. } => "timeout",
            Self::AnswerTooLarge { .. } => "too_large",
            Self::TooLongForAnEvent { .. } => "too_long_for_an_event",
            Self::BatchTooLong { .. } => "batch_too_long",
            Self::InvalidAnswer { .. } => "invalid",
            Self::Closed { .. } => "closed",
            Self::Incomplete(_) => "incomplete",
            Self::NotInitialized => "not_initialized",
            Self::Initialized => "initialized",
            Self::TooManyCalls => "too_many_calls",
            Self::TooManySubscriptions => "too_many_subscriptions",
            Self::UnknownSession => "unknown_session",
            Self::Withdrawn | Self::Cancelled => "cancelled",
            Self::ShuttingDown => "shutting_down",
        }
    }

    /// How a request that this answers ends: by whose doing.
    pub fn ending(&self) -> Ending {
        match (self.fault(), self) {
            (Fault::Client, _) => Ending::Complete,
            (Fault::Gateway, Self::ShuttingDown) => Ending::Drained,
            (Fault::Gateway, _) => Ending::Refused,
            (Fault::Target, Self::Timeout { .. }) => Ending::TargetTimedOut,
            (Fault::Target, _) => Ending::TargetFailed,
        }
    }

    /// The JSON-RPC error response to the request with this id.
    pub fn response(&self, id: &Id) -> Bytes {
        mcp::error_response(Some(id), self.code(), &self.to_string(), None)
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::UnknownName { .. }
            | Self::Ambiguous { .. }
            | Self::MissingField { .. }
            | Self::UnknownCursor => ErrorCode::InvalidParams,
            // -32002 is what every legacy revision says; 2026-07-28 will say -32602 here.
            Self::UnknownResource { candidates, .. } if candidates.is_empty() => {
                ErrorCode::ResourceNotFound
            }
            Self::UnknownResource { .. } => ErrorCode::InvalidParams,
            Self::UnknownSession => SESSION_NOT_FOUND,
            Self::MethodNotFound(_) => ErrorCode::MethodNotFound,
            Self::NotInitialized | Self::Initialized => ErrorCode::InvalidRequest,
            Self::Target { .. }
            | Self::Timeout { .. }
            | Self::AnswerTooLarge { .. }
            | Self::TooLongForAnEvent { .. }
            | Self::BatchTooLong { .. }
            | Self::InvalidAnswer { .. }
            | Self::Closed { .. }
            | Self::Incomplete(_)
            | Self::TooManyCalls
            | Self::TooManySubscriptions
            | Self::ShuttingDown => ErrorCode::InternalError,
            Self::Withdrawn | Self::Cancelled => ErrorCode::RequestCancelled,
        }
    }
}

fn ask_one_of(targets: &[TargetName]) -> String {
    if targets.is_empty() { String::new() } else { format!("; ask one of {}", names(targets)) }
}

fn names(targets: &[TargetName]) -> String {
    let quoted: Vec<String> = targets.iter().map(|target| format!("`{target}`")).collect();
    quoted.join(", ")
}
