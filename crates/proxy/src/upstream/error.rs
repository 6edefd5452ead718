//! Why something that was asked of a target did not work, in the terms in which callers act on it:
//! was it executed, may it be repeated, is the session gone. What a client is told is decided
//! elsewhere.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;

use crate::metrics::Limit;

/// A failure between the gateway and one target. Cheap to clone, because one broken stream fails
/// many calls. `peer` is a host with its port or a command, never with credentials.
///
/// A JSON-RPC error of the target is an answer, not one of these.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// No connection could be made, or no process started; nothing was sent.
    #[error("cannot reach `{peer}`: {reason}")]
    Connect {
        /// Whom we tried to reach.
        peer: Arc<str>,
        /// What the system said.
        reason: Arc<str>,
    },
    /// The connection ended, and no byte of this request had been written to it.
    #[error("`{peer}` closed the connection before the request was sent")]
    NotSent {
        /// Who closed it.
        peer: Arc<str>,
    },
    /// An HTTP status that says the request was not served, without a JSON-RPC answer to it.
    #[error("`{peer}` answered {code}{}", after_colon(.detail.as_deref()))]
    Status {
        /// Who answered.
        peer: Arc<str>,
        /// The status.
        code: StatusCode,
        /// The beginning of the body if it is text, or what we make of the status.
        detail: Option<Arc<str>>,
    },
    /// The target does not know our session any more; the request was not executed.
    #[error("`{peer}` does not know the session any more")]
    SessionGone {
        /// Whose session it was.
        peer: Arc<str>,
    },
    /// The connection broke after bytes of the request were written: it may have been executed.
    #[error("the connection to `{peer}` broke before the answer was complete: {reason}")]
    Cut {
        /// To whom the connection was.
        peer: Arc<str>,
        /// How it broke.
        reason: Arc<str>,
    },
    /// What came back is not MCP.
    #[error("`{peer}` does not speak MCP as expected: {what}")]
    Invalid {
        /// Who said it.
        peer: Arc<str>,
        /// What is wrong with it.
        what: Arc<str>,
    },
    /// An answer is over a limit that the operator can change.
    #[error("`{peer}` sent more than {limit} bytes {}", what.words())]
    TooLarge {
        /// Who sent it.
        peer: Arc<str>,
        /// What is too large.
        what: Oversized,
        /// The limit, in bytes.
        limit: usize,
    },
    /// Nothing came back in time.
    #[error("`{peer}` did not answer within {after:?}")]
    Timeout {
        /// Who kept silent.
        peer: Arc<str>,
        /// How long we waited.
        after: Duration,
    },
    /// The process of a stdio target ended while it was needed.
    #[error("`{peer}` ended: {status}")]
    Exited {
        /// The command.
        peer: Arc<str>,
        /// Its exit status, in words.
        status: Arc<str>,
    },
    /// The target has as many processes as it may; nothing was sent.
    #[error(
        "all processes that it may have for {purpose} are in use, {most} (`maxProcesses`, else `limits.processes`); try again later"
    )]
    Processes {
        /// What they are for.
        purpose: &'static str,
        /// How many it may have.
        most: usize,
    },
    /// Who asked, or what was asked, is gone from here; nothing was sent.
    #[error("{0}")]
    Withdrawn(&'static str),
    /// The connection had been closed, by us or by the target, before this was asked.
    #[error("the connection to `{peer}` is closed")]
    Closed {
        /// To whom it was.
        peer: Arc<str>,
    },
}

/// What can be too large of what a target sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Oversized {
    /// An answer that is collected.
    Answer,
    /// An event of a stream.
    Event,
    /// A line of a program.
    Line,
    /// What waits for a client that reads more slowly than others of the same stream.
    Queue,
}

impl Oversized {
    fn words(self) -> &'static str {
        match self {
            Self::Answer => "in one answer",
            Self::Event => "in one event",
            Self::Line => "in one line",
            Self::Queue => "that its client has not read yet",
        }
    }

    fn limit(self) -> Option<Limit> {
        match self {
            Self::Answer => Some(Limit::Answer),
            Self::Event | Self::Line => Some(Limit::Event),
            // A constant, not a bound of the configuration.
            Self::Queue => None,
        }
    }
}

impl UpstreamError {
    /// The target is not there any more.
    pub(crate) const REMOVED: Self = Self::Withdrawn("it was removed from the configuration");

    /// Whether it is proven that the target did not execute the request, so that it may be repeated.
    pub(crate) fn was_not_executed(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::NotSent { .. }
            | Self::SessionGone { .. }
            | Self::Withdrawn(_)
            | Self::Closed { .. } => true,
            Self::Status { .. }
            | Self::Cut { .. }
            | Self::Invalid { .. }
            | Self::TooLarge { .. }
            | Self::Timeout { .. }
            | Self::Exited { .. }
            | Self::Processes { .. } => false,
        }
    }

    /// Whether the session that it came from is gone.
    pub fn ends_the_session(&self) -> bool {
        matches!(self, Self::SessionGone { .. } | Self::Closed { .. })
    }

    /// Whether it says something of the target's connection, rather than of one answer on it.
    pub(crate) fn is_about_the_connection(&self) -> bool {
        match self {
            Self::Connect { .. }
            | Self::NotSent { .. }
            | Self::SessionGone { .. }
            | Self::Cut { .. }
            | Self::Exited { .. }
            | Self::Closed { .. } => true,
            Self::Status { .. }
            | Self::Invalid { .. }
            | Self::TooLarge { .. }
            | Self::Timeout { .. }
            | Self::Withdrawn(_)
            | Self::Processes { .. } => false,
        }
    }

    /// A short stable word for metrics and status.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "connect",
            Self::NotSent { .. } => "not_sent",
            Self::Status { .. } => "status",
            Self::SessionGone { .. } => "session_gone",
            Self::Cut { .. } => "cut",
            Self::Invalid { .. } => "invalid",
            Self::TooLarge { .. } => "too_large",
            Self::Timeout { .. } => "timeout",
            Self::Exited { .. } => "exited",
            Self::Processes { .. } => "limit",
            Self::Withdrawn(_) => "withdrawn",
            Self::Closed { .. } => "closed",
        }
    }

    /// The bound of the gateway that was reached, if it is about one.
    pub(crate) fn limit(&self) -> Option<Limit> {
        match self {
            Self::Processes { .. } => Some(Limit::Processes),
            Self::TooLarge { what, .. } => what.limit(),
            Self::Connect { .. }
            | Self::NotSent { .. }
            | Self::Status { .. }
            | Self::SessionGone { .. }
            | Self::Cut { .. }
            | Self::Invalid { .. }
            | Self::Timeout { .. }
            | Self::Exited { .. }
            | Self::Withdrawn(_)
            | Self::Closed { .. } => None,
        }
    }

    pub(crate) fn connect(peer: &Arc<str>, reason: impl ToString) -> Self {
        Self::Connect { peer: peer.clone(), reason: reason.to_string().into() }
    }

    pub(crate) fn cut(peer: &Arc<str>, reason: impl ToString) -> Self {
        Self::Cut { peer: peer.clone(), reason: reason.to_string().into() }
    }

    pub(crate) fn invalid(peer: &Arc<str>, what: impl ToString) -> Self {
        Self::Invalid { peer: peer.clone(), what: what.to_string().into() }
    }
}

fn after_colon(detail: Option<&str>) -> String {
    detail.map(|detail| format!(": {detail}")).unwrap_or_default()
}

#[cfg(test)]
mod tests;
