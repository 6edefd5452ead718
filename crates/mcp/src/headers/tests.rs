//! What a `Content-Type` says.

use http::HeaderValue;

use super::{is_event_stream, is_json};

#[track_caller]
fn check(content_type: Option<&'static str>, json: bool, event_stream: bool) {
    let value = content_type.map(HeaderValue::from_static);
    assert_eq!(is_json(value.as_ref()), json, "{content_type:?}");
    assert_eq!(is_event_stream(value.as_ref()), event_stream, "{content_type:?}");
}

#[test]
fn a_content_type_is_compared_without_parameters_and_case() {
    check(Some("application/json"), true, false);
    check(Some("Application/JSON; charset=utf-8"), true, false);
    check(Some(" application/json ;a=b"), true, false);
    check(Some("text/event-stream;charset=utf-8"), false, true);
    check(Some("application/json-patch+json"), false, false);
    check(Some("text/plain"), false, false);
    check(Some(""), false, false);
    check(None, false, false);
}
