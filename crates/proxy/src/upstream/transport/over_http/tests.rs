//! How a lost session is told from other refusals, in the words of servers in the field.

use super::*;

fn check(code: u16, text: &str, expected: bool) {
    let code = StatusCode::from_u16(code).unwrap();
    assert_eq!(Session::Given.is_gone(code, text), expected, "{code} {text}");
    assert!(!Session::None.is_gone(code, text));
}

#[test]
fn a_lost_session_is_told_by_its_status_or_its_words() {
    check(404, "", true);
    check(404, r#"{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"}}"#, true);
    check(
        400,
        r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: No valid session ID provided"},"id":null}"#,
        true,
    );
    check(
        400,
        r#"{"jsonrpc":"2.0","error":{"code":-32000,"message":"Bad Request: Server not initialized"},"id":null}"#,
        true,
    );
    check(401, r#"{"jsonrpc":"2.0","error":{"message":"Unauthorized: Session not found"}}"#, true);
}

#[test]
fn other_refusals_leave_the_session() {
    check(
        404,
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}}"#,
        false,
    );
    check(400, r#"{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request"}}"#, false);
    check(400, "the session of parliament", false);
    check(401, "your session expired", false);
    check(500, "session", false);
}

#[test]
fn a_page_for_a_browser_is_not_shown() {
    assert_eq!(shown("<html>"), None);
    assert_eq!(shown(""), None);
    assert_eq!(shown("bad\ngateway").as_deref(), Some("bad gateway"));
}
