//! What callers do with an error follows from these answers.

use http::StatusCode;

use super::*;

fn check(error: &UpstreamError, class: &str, not_executed: bool, message: &str) {
    assert_eq!(error.class(), class);
    assert_eq!(error.was_not_executed(), not_executed, "{error}");
    assert_eq!(error.to_string(), message);
}

#[test]
fn only_a_proof_makes_a_request_repeatable() {
    let peer: Arc<str> = "h:1".into();
    check(&UpstreamError::connect(&peer, "no"), "connect", true, "cannot reach `h:1`: no");
    check(
        &UpstreamError::NotSent { peer: peer.clone() },
        "not_sent",
        true,
        "`h:1` closed the connection before the request was sent",
    );
    check(
        &UpstreamError::SessionGone { peer: peer.clone() },
        "session_gone",
        true,
        "`h:1` does not know the session any more",
    );
    check(&UpstreamError::Withdrawn("gone"), "withdrawn", true, "gone");
    check(
        &UpstreamError::cut(&peer, "eof"),
        "cut",
        false,
        "the connection to `h:1` broke before the answer was complete: eof",
    );
    let code = StatusCode::BAD_GATEWAY;
    check(
        &UpstreamError::Status { peer: peer.clone(), code, detail: Some("oh".into()) },
        "status",
        false,
        "`h:1` answered 502 Bad Gateway: oh",
    );
    check(
        &UpstreamError::Exited { peer, status: "exit status: 1".into() },
        "exited",
        false,
        "`h:1` ended: exit status: 1",
    );
}
