//! The form of an answer: JSON whenever one message answers the call and the client takes JSON,
//! unless it names events first; else events.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use mcp::{Accept, Id};

use crate::access_log::{Ending, Record};
use crate::context::Context;
use crate::downstream::body::{Events, Kept, ReplyBody};
use crate::downstream::respond;
use crate::error::CallError;
use crate::reply::{Part, Parts, Reply, Segments};
use crate::session::Session;

/// How long the head waits for the first part. Clients give up on a silent head after minutes,
/// on a stream with comments never.
const HEAD_WAIT: Duration = Duration::from_secs(10);

/// A request that waits for its answer.
pub(super) struct Asked<'a> {
    pub(super) context: &'a Context,
    pub(super) id: Id,
    pub(super) accept: Accept,
    /// Who asked, where it has a session.
    pub(super) session: Option<Arc<Session>>,
}

/// The response to a request.
pub(super) async fn respond(
    asked: Asked<'_>,
    reply: Reply,
    record: &mut Record,
) -> Response<ReplyBody> {
    match reply {
        Reply::Local(body) => local(body, asked.accept),
        Reply::Upstream(parts) if !asked.accept.event_stream => {
            json_only(parts, asked.id, record).await
        }
        Reply::Upstream(parts) => negotiated(asked, parts, record).await,
    }
}

/// What is ours and whole.
pub(super) fn local(body: Segments, accept: Accept) -> Response<ReplyBody> {
    if accept.wants_json() {
        respond::json(StatusCode::OK, body)
    } else {
        respond::one_event(&body.concat())
    }
}

/// For a client that takes JSON alone: notifications have no place in its answer.
async fn json_only(mut parts: Parts, id: Id, record: &mut Record) -> Response<ReplyBody> {
    loop {
        match parts.recv().await {
            Some(Part::Message(_) | Part::Paused(_)) => {}
            first => return whole(first, parts, &id, record),
        }
    }
}

async fn negotiated(
    asked: Asked<'_>,
    mut parts: Parts,
    record: &mut Record,
) -> Response<ReplyBody> {
    let head_wait = tokio::time::sleep(HEAD_WAIT);
    tokio::pin!(head_wait);
    loop {
        let first = tokio::select! {
            first = parts.recv() => first,
            () = &mut head_wait => return asked.events(None, parts),
        };
        match first {
            // Who cannot come back for the rest waits for it.
            Some(Part::Paused(_)) if !asked.comes_back() => {}
            Some(first @ (Part::Message(_) | Part::Paused(_))) => {
                return asked.events(Some(first), parts);
            }
            first if asked.accept.wants_json() => return whole(first, parts, &asked.id, record),
            first => {
                if let Some(Part::Failed(error)) = &first {
                    failed(error, &asked.id, record);
                }
                return asked.events(first, parts);
            }
        }
    }
}

/// A JSON document, of which `first` is here.
fn whole(first: Option<Part>, parts: Parts, id: &Id, record: &mut Record) -> Response<ReplyBody> {
    let ours = match first {
        Some(Part::Chunk(first)) => return respond::json_stream(ReplyBody::stream(first, parts)),
        Some(Part::Response(whole)) => whole,
        Some(Part::Failed(error)) => failed(&error, id, record),
        Some(Part::Message(_) | Part::Paused(_)) | None => {
            failed(&CallError::ShuttingDown, id, record)
        }
    };
    respond::json(StatusCode::OK, Segments::from(ours))
}

impl Asked<'_> {
    /// Whether the client comes back for the rest of a stream that ends early.
    fn comes_back(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.revision().primes_streams())
    }

    /// The answer as events; kept where the client's revision can read on.
    fn events(self, first: Option<Part>, parts: Parts) -> Response<ReplyBody> {
        let overdue = self.session.as_ref().map(|session| session.overdue()).unwrap_or_default();
        let session = self.session.filter(|session| session.revision().resumes_streams());
        let kept = session.map(|session| {
            Kept::new(session, self.context.tasks.clone(), self.context.limits.orphan_call.get())
        });
        let events = Events::new(self.id, overdue, first, parts, self.context.answer_limit(), kept);
        respond::events(ReplyBody::Events(Box::new(events)))
    }
}

/// What is said of a failed call, and noted.
pub(super) fn failed(error: &CallError, id: &Id, record: &mut Record) -> Bytes {
    error.note(record);
    let ending = error.ending();
    if ending != Ending::Complete {
        record.ends_as(ending);
    }
    error.response(id)
}
