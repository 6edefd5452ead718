//! What is known of a request while it is on its way. A record is filled along the way, moves into
//! the response's body, and says exactly once what happened: in the log and in the metrics.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use http::StatusCode;
use mcp::{Message, Method};
use serde::{Serialize, Serializer};

use crate::access_log::AccessLog;
use crate::access_log::line::{Clean, Line};
use crate::clock::Clock;
use crate::metrics::{RequestKind, RouteMetrics, TargetMetrics};

/// How a request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The whole answer was handed to the connection.
    Complete,
    /// The client left before the head of an answer was sent.
    ClientLeftBeforeHead,
    /// The client left while the answer was sent.
    ClientLeftMidStream,
    /// The target could not be reached, failed, or broke off in mid-answer.
    TargetFailed,
    /// The target did not answer within its deadline.
    TargetTimedOut,
    /// The gateway refused the work: a limit was reached, or what was asked for is closed.
    Refused,
    /// The gateway is going away and did not wait any longer.
    Drained,
}

impl Ending {
    /// Its stable name in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::ClientLeftBeforeHead => "client_left_before_head",
            Self::ClientLeftMidStream => "client_left_mid_stream",
            Self::TargetFailed => "target_failed",
            Self::TargetTimedOut => "target_timed_out",
            Self::Refused => "refused",
            Self::Drained => "drained",
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Ending {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One request on its way to its access-log line. Whoever drops it has written it: without a head
/// the client left before it, with one in mid-stream, unless [`ends_as`](Self::ends_as) or
/// [`end`](Self::end) said otherwise.
#[derive(Debug)]
pub struct Record {
    origin: Origin,
    kind: RequestKind,
    method: Option<Clean>,
    target: Option<Arc<TargetMetrics>>,
    tool: Option<Clean>,
    error: Option<&'static str>,
    reason: Option<Clean>,
    bytes: u64,
    ending: Option<Ending>,
}

/// What is the same for every message that one request brings.
#[derive(Debug, Clone)]
pub struct Origin {
    access_log: AccessLog,
    clock: Clock,
    started: Instant,
    time: SystemTime,
    remote: SocketAddr,
    route: Option<Arc<RouteMetrics>>,
    session: Option<Clean>,
    status: Option<StatusCode>,
}

impl Record {
    /// A request that has just arrived from `remote`.
    pub fn new(access_log: &AccessLog, clock: &Clock, remote: SocketAddr) -> Self {
        Self::of(Origin {
            access_log: access_log.clone(),
            clock: clock.clone(),
            started: clock.now(),
            time: clock.unix(),
            remote,
            route: None,
            session: None,
            status: None,
        })
    }

    /// A message among several that a request brought, with a line of its own.
    pub fn of(origin: Origin) -> Self {
        Self {
            origin,
            kind: RequestKind::Unread,
            method: None,
            target: None,
            tool: None,
            error: None,
            reason: None,
            bytes: 0,
            ending: None,
        }
    }

    /// Where it comes from, for the records of the messages that it brings.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The record of what this request asked, where it is answered elsewhere than in its response:
    /// this one says nothing any more.
    pub fn hand_over(&mut self) -> Self {
        let asked = Self::of(self.origin.clone());
        (self.origin.access_log, self.origin.route) = (AccessLog::off(), None);
        asked
    }

    /// The route that was found for it.
    pub fn route(&mut self, route: &Arc<RouteMetrics>) {
        self.origin.route = Some(route.clone());
    }

    /// What it asks.
    pub fn request(&mut self, kind: RequestKind) {
        self.kind = kind;
    }

    /// What it asks, as far as a message says so.
    pub fn message(&mut self, message: &Message) {
        self.request(match message.method() {
            Some(method) => RequestKind::Message(method),
            None => RequestKind::Answer,
        });
        if message.method() == Some(Method::Other) {
            self.method_name(message.method_name().unwrap_or_default());
        }
        let routed = message.routed();
        if let Some(named) = routed.name.as_ref().or(routed.uri.as_ref()) {
            self.tool(named.as_str());
        }
    }

    /// The name of its method as the client wrote it; for methods that the gateway does not know.
    pub fn method_name(&mut self, name: &str) {
        if self.origin.access_log.is_on() {
            self.method = Some(Clean::text(name));
        }
    }

    /// The target that answers it.
    pub fn target(&mut self, target: &Arc<TargetMetrics>) {
        self.target = Some(target.clone());
    }

    /// The tool, prompt or resource that it names, as the client wrote it.
    pub fn tool(&mut self, name: &str) {
        if self.origin.access_log.is_on() {
            self.tool = Some(Clean::text(name));
        }
    }

    /// The session that it belongs to. Only the beginning of the id is kept.
    pub fn session(&mut self, id: &str) {
        if self.origin.access_log.is_on() {
            self.origin.session = Some(Clean::session(id));
        }
    }

    /// What went wrong, out of a closed set of short names.
    pub fn error(&mut self, class: &'static str) {
        self.error = Some(class);
    }

    /// The same in words, for whoever runs the gateway: clients are not told what they could learn from it.
    pub fn reason(&mut self, text: &str) {
        if self.origin.access_log.is_on() {
            self.reason = Some(Clean::reason(text));
        }
    }

    /// The head of the answer is on its way.
    pub fn head(&mut self, status: StatusCode) {
        self.origin.status = Some(status);
    }

    /// Bytes of the answer's body that were handed to the connection.
    pub fn sent(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
    }

    /// How it ends if its body is sent to its end; [`Ending::Complete`] where nobody says otherwise.
    /// For an answer that is whole and tells of a failure.
    pub fn ends_as(&mut self, ending: Ending) {
        self.ending = Some(ending);
    }

    /// Writes the line.
    pub fn end(mut self, ending: Ending) {
        self.ending = Some(ending);
    }

    /// Writes the line of what was answered: as [`ends_as`](Self::ends_as) said, if it did.
    pub fn end_answered(mut self) {
        self.body_ended();
    }

    /// Whether the whole body was sent decides: then what was said stays, else the client left.
    pub(super) fn body_ended(&mut self) {
        self.ending.get_or_insert(Ending::Complete);
    }

    pub(super) fn body_dropped(&mut self) {
        self.ending = Some(Ending::ClientLeftMidStream);
    }

    pub(super) fn body_failed(&mut self) {
        if matches!(self.ending, None | Some(Ending::Complete)) {
            self.ending = Some(Ending::TargetFailed);
        }
    }

    fn line(&mut self, ending: Ending) -> Line {
        Line {
            time: self.origin.time,
            remote: self.origin.remote,
            route: self.origin.route.as_ref().map(|route| route.name().clone()),
            method: self.method.take().unwrap_or_else(|| Clean::text(self.kind.as_str())),
            target: self.target.as_ref().map(|target| target.name().clone()),
            tool: self.tool.take(),
            status: self.origin.status.map(|status| status.as_u16()),
            duration: self.origin.clock.now().saturating_duration_since(self.origin.started),
            bytes: self.bytes,
            ended: ending,
            error: self.error,
            reason: self.reason.take(),
            session: self.origin.session.take(),
        }
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let ending = self.ending.unwrap_or(match self.origin.status {
            None => Ending::ClientLeftBeforeHead,
            Some(_) => Ending::ClientLeftMidStream,
        });
        match (&self.origin.route, self.origin.status) {
            (Some(route), Some(status)) => route.answered(self.kind, status),
            (Some(route), None) => route.unanswered(self.kind),
            (None, _) => {}
        }
        if let (Some(target), RequestKind::Message(method), Ending::Complete) =
            (&self.target, self.kind, ending)
        {
            let elapsed = self.origin.clock.now().saturating_duration_since(self.origin.started);
            target.observe(method, elapsed);
        }
        if self.origin.access_log.is_on() {
            let line = Box::new(self.line(ending));
            self.origin.access_log.write(line);
        }
    }
}
