//! Why a request was not answered by the ordinary HTTP server that it was for. Clients see no
//! addresses.

use std::time::Duration;

use config::Close;
use http::StatusCode;

use crate::access_log::Ending;
use crate::upstream::UpstreamError;

/// Why a request was not answered by the ordinary HTTP server that it was for.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ForwardError {
    /// What the route leads to is not there.
    #[error("nobody answers this [{}]; the access log says why", .0.id)]
    Failed(Close),
    /// The server is kept shut.
    #[error("closed [{}]; the access log says why", .0.id)]
    Closed(Close),
    /// The gateway is between two documents.
    #[error("the gateway is not ready")]
    NotReady,
    /// A client that takes the gateway for a proxy of its own.
    #[error("CONNECT is not served")]
    Connect,
    /// No host, or more than one, or none at all.
    #[error("a request names one host")]
    Host,
    /// What is left of the path is none.
    #[error("the path cannot be passed on")]
    Path,
    /// None of its endpoints can be reached, or it has none.
    #[error("the server cannot be reached")]
    Unreachable,
    /// The connection broke before the answer was complete.
    #[error("the server broke off")]
    Cut,
    /// The answer took too long.
    #[error("the server did not answer within {after:?}")]
    Timeout {
        /// The deadline that passed.
        after: Duration,
    },
}

impl ForwardError {
    /// What a client is told of an error.
    pub(crate) fn of(error: &UpstreamError) -> Self {
        match error {
            UpstreamError::Connect { .. } | UpstreamError::NotSent { .. } => Self::Unreachable,
            _ => Self::Cut,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Closed(_) | Self::NotReady | Self::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
            Self::Connect => StatusCode::METHOD_NOT_ALLOWED,
            Self::Host | Self::Path => StatusCode::BAD_REQUEST,
            Self::Cut => StatusCode::BAD_GATEWAY,
            Self::Timeout { .. } => StatusCode::GATEWAY_TIMEOUT,
        }
    }

    /// A short stable word for the access log.
    pub fn class(&self) -> &'static str {
        match self {
            Self::Failed(_) => "failed",
            Self::Closed(_) => "closed",
            Self::NotReady => "not_ready",
            Self::Connect => "method",
            Self::Host => "host",
            Self::Path => "path",
            Self::Unreachable => "connect",
            Self::Cut => "cut",
            Self::Timeout { .. } => "timeout",
        }
    }

    /// How a request that this answers ends: by whose doing.
    pub fn ending(&self) -> Ending {
        match self {
            Self::Failed(_) | Self::Closed(_) | Self::NotReady => Ending::Refused,
            Self::Connect | Self::Host | Self::Path => Ending::Complete,
            Self::Unreachable | Self::Cut => Ending::TargetFailed,
            Self::Timeout { .. } => Ending::TargetTimedOut,
        }
    }
}
