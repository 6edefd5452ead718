//! What leaves as one event, and what cuts an answer off.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::context::fixtures::answer_limit;
use crate::session::{self, CallInFlight, EventId, Session};
use crate::tasks::Tasks;
use crate::upstream::fixtures::LONG;

const LIMIT: usize = 64;

/// What a stream of events says when these parts arrive.
async fn check(arriving: Vec<Part>, expected: &str) {
    let (sender, parts) = mpsc::channel(arriving.len().max(1));
    for part in arriving {
        sender.send(part).await.unwrap();
    }
    drop(sender);
    let events = Events::new(
        7.into(),
        Vec::new(),
        None,
        Parts::of_call(parts, CancellationToken::new()),
        answer_limit(LIMIT),
        None,
    );
    let body = ReplyBody::Events(Box::new(events)).collect().await.unwrap();
    assert_eq!(body.to_bytes(), expected);
}

fn chunk(text: &'static str) -> Part {
    Part::Chunk(Bytes::from_static(text.as_bytes()))
}

#[tokio::test]
async fn a_document_in_pieces_is_one_event() {
    check(vec![chunk(r#"{"id":"#), chunk("7}")], "data: {\"id\":7}\n\n").await;
}

#[tokio::test]
async fn a_notification_comes_before_the_response_and_nothing_after_it() {
    let note = Part::Message(Bytes::from_static(b"{}"));
    let response = Part::Response(Bytes::from_static(b"[]"));
    check(vec![note, response, chunk("late")], "data: {}\n\ndata: []\n\n").await;
}

#[tokio::test]
async fn a_document_that_is_too_long_for_an_event_is_an_error() {
    let long = Part::Chunk(Bytes::from(vec![b' '; LIMIT + 1]));
    let error = CallError::TooLongForAnEvent { limit: LIMIT }.response(&7.into());
    let expected = format!("data: {}\n\n", String::from_utf8_lossy(&error));
    check(vec![long], &expected).await;
}

#[tokio::test]
async fn an_answer_that_breaks_off_cuts_the_connection() {
    let (sender, parts) = mpsc::channel(1);
    sender.send(Part::Failed(CallError::ShuttingDown)).await.unwrap();
    let body = ReplyBody::stream(
        Bytes::from_static(b"{"),
        Parts::of_call(parts, CancellationToken::new()),
    );
    assert!(body.collect().await.is_err());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_instead_of_an_event() {
    let error = || CallError::InvalidAnswer {
        target: mcp::TargetName::new("t").unwrap(),
        what: "no".to_owned(),
    };
    let expected = format!("data: {}\n\n", String::from_utf8_lossy(&error().response(&7.into())));
    check(vec![chunk(r#"{"id":7,"#), Part::Failed(error())], &expected).await;
}

/// A call of a session whose client left, kept for `ORPHAN`, and another of the same id.
struct Orphan {
    session: Arc<Session>,
    /// Where the answer would come from.
    _parts: mpsc::Sender<Part>,
    call: CallInFlight,
    other: CallInFlight,
}

const ORPHAN: Duration = Duration::from_millis(300);

impl Orphan {
    fn start() -> Self {
        let session = session::fixtures::session();
        let (_parts, arriving) = mpsc::channel(1);
        let call = session.call(&7.into(), Some(&_parts));
        let other = session.call(&7.into(), None);
        let kept = Kept::new(session.clone(), Tasks::new(), ORPHAN);
        let parts = Parts::of_call(arriving, call.cancelled());
        drop(Events::new(7.into(), Vec::new(), None, parts, answer_limit(LIMIT), Some(kept)));
        Self { session, _parts, call, other }
    }

    /// When the call was cancelled; the other of its id goes on.
    async fn ended(&self) -> Instant {
        tokio::time::timeout(LONG, self.call.cancelled().cancelled()).await.unwrap();
        assert!(!self.other.cancelled().is_cancelled());
        Instant::now()
    }
}

#[tokio::test]
async fn a_call_that_nobody_comes_back_for_is_cancelled_and_no_other() {
    Orphan::start().ended().await;
}

#[tokio::test]
async fn a_call_goes_on_for_as_long_after_its_last_reader_left() {
    let orphan = Orphan::start();
    let mut reader =
        orphan.session.outbox().resume(EventId::parse("1-0").unwrap()).unwrap().unwrap();
    // Reads past the time at which it is looked for first, and leaves.
    assert!(tokio::time::timeout(ORPHAN * 3 / 2, reader.next()).await.is_err());
    let left = Instant::now();
    drop(reader);
    assert!(orphan.ended().await >= left + ORPHAN);
}
