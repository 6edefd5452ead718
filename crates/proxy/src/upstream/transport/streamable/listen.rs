//! The GET stream of a session: what a target says outside of calls. Taken up again when it breaks,
//! for as long as the session lives; what may have been missed meanwhile is reported as changed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use http::StatusCode;
use http::header::CONTENT_TYPE;
use mcp::headers::is_event_stream;
use mcp::{Decoder, ListKind, ServerCapabilities};
use tokio::sync::oneshot::Sender;

use super::Streamable;
use super::events::{LONGEST_RETRY, Position};
use crate::upstream::era::legacy::Reaction;
use crate::upstream::error::UpstreamError;
use crate::upstream::pool::HttpAnswer;
use crate::upstream::pool::body::HttpBody;
use crate::upstream::transport::receive::{messages, too_long};

/// A stream that lived this long was a good one: the next is opened without extra delay.
const GOOD: Duration = Duration::from_secs(10);

/// How soon the first attempt to open it again is made.
const AT_ONCE: Duration = Duration::from_millis(100);

/// Keeps the stream open until the session ends or the target refuses one. `there` is told when the
/// first attempt has been decided.
pub(crate) async fn listen(
    streamable: Arc<Streamable>,
    offers: ServerCapabilities,
    there: Sender<()>,
) {
    let mut there = Some(there);
    let mut position = Position::default();
    let mut failures = 0_u32;
    let mut worked = false;
    while streamable.is_open() {
        let resumed = position.last.is_some();
        let opened = streamable.get(position.last.as_ref()).await;
        let opened = match opened {
            Ok(answer) => stream_of(&streamable, answer, worked).await,
            Err(error) => {
                // The first sign that a target died. Whoever needs it opens a new session in its own
                // rhythm; this one is taken up again if it turns out to live.
                if worked && error.was_not_executed() {
                    streamable.common.inbox.closed(error);
                }
                Opened::Later
            }
        };
        let started = Instant::now();
        match opened {
            Opened::Stream(body) => {
                if worked && !resumed {
                    report_changes(&streamable, offers);
                }
                worked = true;
                there = told(there);
                let error = read(&streamable, &mut position, *body).await;
                tracing::debug!(%error, "A GET stream ended; it is opened again.");
            }
            Opened::Later if worked => {}
            Opened::Later | Opened::Never => {
                told(there);
                return;
            }
        }
        failures = if started.elapsed() >= GOOD { 0 } else { (failures + 1).min(6) };
        let pause = match failures {
            0 | 1 => position.retry().min(AT_ONCE),
            failures => position.retry() * 2_u32.pow(failures - 2),
        };
        tokio::time::sleep(pause.min(LONGEST_RETRY)).await;
    }
}

enum Opened {
    Stream(Box<HttpBody>),
    /// Not now: a target that restarts, or that has not noticed that the last one ended (409).
    Later,
    /// It has no such stream, or no such session.
    Never,
}

async fn stream_of(streamable: &Streamable, answer: HttpAnswer, worked: bool) -> Opened {
    let code = answer.head.status;
    if code == StatusCode::OK && is_event_stream(answer.head.headers.get(CONTENT_TYPE)) {
        return Opened::Stream(Box::new(answer.body));
    }
    // Decides whether the session is gone, and says so.
    let refused = streamable.refused(answer, None).await;
    let gone = matches!(refused, Err(UpstreamError::SessionGone { .. }));
    let passing = code.is_server_error() || code == StatusCode::CONFLICT;
    if worked && !gone && passing { Opened::Later } else { Opened::Never }
}

fn told(there: Option<Sender<()>>) -> Option<Sender<()>> {
    if let Some(there) = there {
        let _ = there.send(());
    }
    None
}

/// Reads one stream to its end, and says how it ended.
async fn read(
    streamable: &Arc<Streamable>,
    position: &mut Position,
    body: HttpBody,
) -> UpstreamError {
    let common = &streamable.common;
    let mut body = body;
    let mut decoder = Decoder::new(common.limits.sse_event);
    loop {
        match decoder.next_event() {
            Ok(Some(event)) => {
                if let Some(data) = position.advance(event) {
                    take(streamable, &data);
                }
                continue;
            }
            Ok(None) => {}
            Err(error) => return too_long(&common.peer, &error),
        }
        match body.next().await {
            Some(Ok(chunk)) => decoder.push(chunk),
            Some(Err(error)) => return error,
            None => return UpstreamError::Closed { peer: common.peer.clone() },
        }
    }
}

fn take(streamable: &Arc<Streamable>, data: &bytes::Bytes) {
    let common = &streamable.common;
    let Ok(messages) = messages(data, common.limits.batch) else {
        tracing::debug!(peer = %common.peer, "Something that is not a message was dropped.");
        return;
    };
    for message in messages {
        match common.reaction(&message) {
            Reaction::Reply(reply) => streamable.replies().send(vec![reply]),
            // Responses and progress come on the stream of their call.
            Reaction::OfCall => {}
            reaction => common.hear(reaction, message, streamable.replies()),
        }
    }
}

fn report_changes(streamable: &Streamable, offers: ServerCapabilities) {
    let lists = [
        (ListKind::Tools, offers.tools_list_changed),
        (ListKind::Prompts, offers.prompts_list_changed),
        (ListKind::Resources, offers.resources_list_changed),
    ];
    for (kind, changes) in lists {
        if changes {
            streamable.common.inbox.list_changed(kind);
        }
    }
}
