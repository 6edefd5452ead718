//! Why a request did not become a call.

use bytes::Bytes;
use config::Close;
use http::StatusCode;
use mcp::{ErrorCode, Id, MessageError};

use crate::metrics::Limit;

/// What the official TypeScript and Python servers say with their 404.
pub(super) const SESSION_NOT_FOUND: ErrorCode = ErrorCode::Other(-32001);

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
    #[error("closed [{}]; the access log says why", .0.id)]
    Closed(Close),
    /// It came by a connection that is not for its listener.
    #[error("this connection is not for that host; open another one")]
    Misdirected,
    /// A page of another origin made this request.
    #[error("origin `{0}` is not allowed; add it to the listener's `allowedOrigins`")]
    Origin(String),
    /// A loopback listener was reached under a foreign name (DNS rebinding).
    #[error("host `{0}` is not allowed; add it to the listener's `allowedHosts`")]
    Host(String),
    /// What is named as the host could be read as another one by whoever comes after us.
    #[error("`Host` is a name or an address, with or without a port, and nothing else")]
    HostSyntax,
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
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Origin(_) | Self::Host(_) => StatusCode::FORBIDDEN,
            Self::Method(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::BodyTooLarge { .. } | Self::LineTooLong { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyCut
            | Self::HostSyntax
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
