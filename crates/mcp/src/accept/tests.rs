//! What a client takes.

use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue};

use super::Accept;

#[track_caller]
fn check(accept: &[&'static str], json: bool, event_stream: bool) {
    let mut headers = HeaderMap::new();
    for value in accept {
        headers.append(ACCEPT, HeaderValue::from_static(value));
    }
    let taken = Accept::of(&headers);
    assert_eq!((taken.json, taken.event_stream), (json, event_stream), "{accept:?}");
}

#[test]
fn who_says_nothing_or_takes_everything_gets_json() {
    check(&[], true, false);
    check(&[""], true, false);
    check(&["*/*"], true, false);
    check(&["application/*"], true, false);
}

#[test]
fn types_are_taken_as_named() {
    check(&["application/json, text/event-stream"], true, true);
    check(&["application/json", "text/event-stream"], true, true);
    check(&["Application/Json;q=0.5 , TEXT/Event-Stream"], true, true);
    check(&["text/event-stream"], false, true);
    check(&["text/*"], false, true);
    check(&["text/event-stream, */*;q=0.1"], true, true);
    check(&["text/html"], false, false);
}

#[test]
fn a_quality_of_zero_excludes_and_the_most_specific_range_counts() {
    check(&["text/event-stream;q=0, */*"], true, false);
    check(&["text/*;q=0, */*"], true, false);
    check(&["application/json, */*;q=0"], true, false);
    check(&["text/*, text/event-stream;q=0"], false, false);
    check(&["text/event-stream; charset=utf-8; Q=0"], false, false);
}

#[test]
fn who_takes_everything_but_json_gets_a_stream() {
    check(&["application/json;q=0, */*"], false, true);
    check(&["*/*, application/json; q=0.0"], false, true);
    check(&["application/*;q=0", "*/*;q=0.1"], false, true);
    check(&["application/json;q=0"], false, false);
    check(&["application/json;q=0, */*;q=0"], false, false);
    check(&["application/json;q=0, text/event-stream;q=0, */*"], false, false);
}

#[test]
fn the_form_that_is_named_first_is_preferred() {
    let prefers = |accept: &'static str| {
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
        Accept::of(&headers).prefers_events
    };
    assert!(prefers("text/event-stream, application/json"));
    assert!(prefers("text/event-stream"));
    assert!(!prefers("application/json, text/event-stream"));
    assert!(!prefers("text/event-stream;q=0, application/json"));
    assert!(!prefers("*/*"));
}
