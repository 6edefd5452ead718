//! What the gateway itself says when a request cannot be served. The only place that turns an
//! error into an HTTP status and a JSON-RPC code; a target's own errors pass as they are.

use std::time::Duration;

use bytes::Bytes;
use config::Close;
use http::StatusCode;
use mcp::{ErrorCode, Id, MessageError, TargetName};

use crate::access_log::Ending;
use crate::metrics::Limit;
use crate::upstream::UpstreamError;

/// What the official TypeScript and Python servers say with their 404.
const SESSION_NOT_FOUND: ErrorCode = ErrorCode::Other(-32001);

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
    #[error("target `{target}` is closed: {} [{}]", close.reason, close.id)]
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
    /// The client cancelled the call.
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
            Self::Cancelled => "cancelled",
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
            | Self::Cancelled
            | Self::ShuttingDown => ErrorCode::InternalError,
        }
    }
}

/// Why a request did not become a call: its HTTP form, its envelope or its session is wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RequestError {
    /// No route of this listener matches.
    #[error("no route for `{0}`")]
    NoRoute(String),
    /// A path of OAuth discovery, which nothing serves (MCP.md 1.5: any 200 there would be read
    /// as "OAuth required").
    #[error("there is no authorization server here")]
    NoDiscovery,
    /// What was asked for is kept shut.
    #[error("closed: {} [{}]", .0.reason, .0.id)]
    Closed(Close),
    /// A page of another origin made this request.
    #[error("origin `{0}` is not allowed; add it to the listener's `allowedOrigins`")]
    Origin(String),
    /// A loopback listener was reached under a foreign name (DNS rebinding).
    #[error("host `{0}` is not allowed; add it to the listener's `allowedHosts`")]
    Host(String),
    /// A header that says what the request is, more than once: others may read another one.
    #[error("there is more than one `{0}`; send it once")]
    RepeatedHeader(&'static str),
    /// An HTTP method that an MCP endpoint does not have, or not without a session.
    #[error("method not allowed: {0}")]
    Method(&'static str),
    /// The client takes neither form of answer.
    #[error("an answer is `application/json` or `text/event-stream`, and `Accept` takes neither")]
    NotAcceptable,
    /// The body is not JSON, or encoded.
    #[error("the body must be `application/json`, without a content encoding")]
    MediaType,
    /// The body is longer than `limits.requestBody`.
    #[error("the body is longer than {limit} bytes (`limits.requestBody`)")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// A line of a client on stdio is longer than `limits.requestBody`.
    #[error("the line is longer than {limit} bytes (`limits.requestBody`)")]
    LineTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// The body did not arrive whole.
    #[error("the body ended early")]
    BodyCut,
    /// The body is not a message.
    #[error("{0}")]
    Message(MessageError),
    /// An array, where the revision has no batches.
    #[error("a batch is not allowed: {0}")]
    Batch(&'static str),
    /// A header names a revision that does not exist.
    #[error("unsupported protocol version `{0}`")]
    Version(String),
    /// A request of 2026-07-28, which this listener does not speak yet.
    #[error("method not found: this endpoint speaks 2025-11-25 and older; send `initialize`")]
    Modern(Option<Id>),
    /// Nobody's session, or not this caller's.
    #[error("session not found; send `initialize` again")]
    UnknownSession(Option<Id>),
    /// `Last-Event-ID` without the session it belongs to.
    #[error("`Last-Event-ID` needs `Mcp-Session-Id`")]
    ResumeWithoutSession,
    /// `Last-Event-ID` names no event that is still kept.
    #[error("the event of `Last-Event-ID` is not of this session; open a new stream")]
    UnknownEvent,
    /// What came after the event has been dropped for what came later (`limits.eventStoreEvents`,
    /// `eventStoreStream`, `eventStoreTotal`).
    #[error("what came after the event of `Last-Event-ID` is not kept any more; open a new stream")]
    Evicted,
    /// A limit of the configuration is reached; what runs goes on.
    #[error("`limits.{}` is reached; try again later", .0.field())]
    Limit(Limit),
    /// The gateway stops, or has not started.
    #[error("the gateway is not ready")]
    NotReady,
}

impl RequestError {
    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::NoRoute(_) | Self::NoDiscovery | Self::UnknownSession(_) => StatusCode::NOT_FOUND,
            Self::Closed(_) | Self::Limit(_) | Self::NotReady => StatusCode::SERVICE_UNAVAILABLE,
            Self::Origin(_) | Self::Host(_) => StatusCode::FORBIDDEN,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. } | Self::LineTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyCut
            | Self::RepeatedHeader(_)
            | Self::Message(_)
            | Self::Batch(_)
            | Self::Version(_)
            | Self::Modern(_)
            | Self::ResumeWithoutSession
            | Self::UnknownEvent
            | Self::Evicted => StatusCode::BAD_REQUEST,
        }
    }

    /// The bound of the gateway that was reached, if it is about one.
    pub fn limit(&self) -> Option<Limit> {
        match self {
            Self::BodyTooLarge { .. } | Self::LineTooLong { .. } => Some(Limit::Body),
            Self::Message(MessageError::LongBatch { .. }) => Some(Limit::Batch),
            Self::Evicted => Some(Limit::EventStore),
            Self::Limit(limit) => Some(*limit),
            _ => None,
        }
    }

    /// The body: a JSON-RPC error, so that every client can show it. Without an id that could be
    /// read the member is left out, never null (TypeScript 1.32 rejects null).
    pub fn body(&self) -> Bytes {
        mcp::error_response(self.id(), self.code(), &self.to_string(), None)
    }

    /// The JSON-RPC error response to the request with this id, where no status can say it.
    pub fn response(&self, id: &Id) -> Bytes {
        mcp::error_response(Some(id), self.code(), &self.to_string(), None)
    }

    fn id(&self) -> Option<&Id> {
        match self {
            Self::Message(error) => error.id(),
            Self::Modern(id) | Self::UnknownSession(id) => id.as_ref(),
            _ => None,
        }
    }

    fn code(&self) -> ErrorCode {
        match self {
            Self::Message(error) => error.code(),
            Self::Modern(_) | Self::Method(_) => ErrorCode::MethodNotFound,
            Self::UnknownSession(_) => SESSION_NOT_FOUND,
            Self::Closed(_) | Self::Limit(_) | Self::NotReady => ErrorCode::InternalError,
            _ => ErrorCode::InvalidRequest,
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
