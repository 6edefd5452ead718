//! Which call a message finds.

use bytes::Bytes;

use super::*;

fn nonce(number: u8) -> Nonce {
    Nonce::new([number; 16])
}

fn message(text: &str) -> Message {
    Message::parse(Bytes::copy_from_slice(text.as_bytes())).unwrap()
}

fn response(number: u8) -> Message {
    let id = nonce(number).id();
    let id = String::from_utf8_lossy(id.as_bytes());
    message(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{number}}}"#))
}

fn progress(number: u8) -> Message {
    let token = nonce(number).progress_token();
    let token = String::from_utf8_lossy(&token);
    message(&format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":1}}}}"#
    ))
}

fn log() -> Message {
    message(r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#)
}

fn calls() -> Arc<Calls> {
    Calls::new("peer".into(), 10_000)
}

/// What is waiting for a call: the kinds of its messages, then the class of its error.
async fn check(mut arrivals: Arrivals, expected: &str) {
    let mut shown = String::new();
    while let Some(next) = arrivals.next().await {
        shown += match next {
            Ok(message) if message.kind() == Kind::Response => "response ",
            Ok(_) => "notification ",
            Err(error) => error.class(),
        };
    }
    assert_eq!(shown.trim(), expected);
}

#[tokio::test]
async fn interleaved_answers_find_their_calls() {
    let calls = calls();
    let (one, two) = (calls.begin(nonce(1)).unwrap(), calls.begin(nonce(2)).unwrap());
    for message in [progress(2), progress(1), response(2), progress(1), response(1)] {
        assert!(calls.deliver(message).is_none());
    }
    check(one, "notification notification response").await;
    check(two, "notification response").await;
    assert!(calls.deliver(response(1)).is_some());
}

#[tokio::test]
async fn what_names_no_call_goes_to_the_only_one() {
    let calls = calls();
    let one = calls.begin(nonce(1)).unwrap();
    assert!(calls.deliver(log()).is_none());
    let two = calls.begin(nonce(2)).unwrap();
    assert!(calls.deliver(log()).is_some());
    drop(two);
    assert!(calls.deliver(log()).is_none());
    assert!(calls.deliver(response(1)).is_none());
    check(one, "notification notification response").await;
    assert!(calls.deliver(log()).is_some());
}

#[tokio::test]
async fn an_error_that_names_no_request_answers_the_only_one() {
    let nameless = || {
        let error = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}"#;
        Message::parse(error.into()).unwrap()
    };
    let calls = calls();
    let (one, two) = (calls.begin(nonce(1)).unwrap(), calls.begin(nonce(2)).unwrap());
    assert!(calls.deliver(nameless()).is_some());
    drop(two);
    assert!(calls.deliver(nameless()).is_none());
    let mut one = one;
    let answer = one.next().await.unwrap().unwrap();
    assert_eq!(answer.id(), Some(&nonce(1).id()));
    assert!(one.next().await.is_none());
}

#[tokio::test]
async fn a_call_that_does_not_keep_up_fails_alone() {
    let calls = calls();
    let (slow, quick) = (calls.begin(nonce(1)).unwrap(), calls.begin(nonce(2)).unwrap());
    for _ in 0..QUEUE + 1 {
        let _ = calls.deliver(progress(1));
    }
    assert!(calls.deliver(response(2)).is_none());
    check(quick, "response").await;
    let mut slow = slow;
    let mut last = None;
    while let Some(next) = slow.next().await {
        last = Some(next);
    }
    assert!(matches!(last, Some(Err(UpstreamError::TooLarge { .. }))));
}

#[tokio::test]
async fn one_message_over_the_bytes_of_a_queue_passes() {
    let calls = Calls::new("peer".into(), 10);
    let one = calls.begin(nonce(1)).unwrap();
    assert!(calls.deliver(response(1)).is_none());
    check(one, "response").await;
}

#[tokio::test]
async fn the_end_of_a_stream_ends_every_call_and_begins_none() {
    let calls = calls();
    let (one, two) = (calls.begin(nonce(1)).unwrap(), calls.begin(nonce(2)).unwrap());
    assert!(calls.deliver(progress(1)).is_none());
    calls.end(&UpstreamError::cut(&"peer".into(), "gone"));
    check(one, "notification cut").await;
    check(two, "cut").await;
    assert!(matches!(calls.begin(nonce(3)), Err(UpstreamError::Closed { .. })));
    assert!(!calls.is_open());
}

#[tokio::test]
async fn a_call_in_flight_never_fails_as_if_it_had_not_been_sent() {
    let calls = calls();
    let one = calls.begin(nonce(1)).unwrap();
    calls.end(&UpstreamError::SessionGone { peer: "peer".into() });
    check(one, "cut").await;
}

#[tokio::test]
async fn only_a_lone_call_is_blamed_for_what_names_none() {
    let calls = calls();
    let error = || UpstreamError::invalid(&"peer".into(), "x");
    let (one, two) = (calls.begin(nonce(1)).unwrap(), calls.begin(nonce(2)).unwrap());
    assert!(!calls.fail(Suspect::Unknown, error()));
    assert!(calls.fail(Suspect::Known(nonce(1)), error()));
    assert!(calls.fail(Suspect::Unknown, error()));
    check(one, "invalid").await;
    check(two, "invalid").await;
}
