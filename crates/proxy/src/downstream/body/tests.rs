//! What leaves as one event, and what cuts an answer off.

use bytes::Bytes;
use http_body_util::BodyExt;
use tokio::sync::mpsc;

use super::*;

const LIMIT: usize = 64;

/// What a stream of events says when these parts arrive.
async fn check(arriving: Vec<Part>, expected: &str) {
    let (sender, parts) = mpsc::channel(arriving.len().max(1));
    for part in arriving {
        sender.send(part).await.unwrap();
    }
    drop(sender);
    let events = Events::new(7.into(), Vec::new(), None, parts, LIMIT, None);
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
    let body = ReplyBody::stream(Bytes::from_static(b"{"), parts);
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
