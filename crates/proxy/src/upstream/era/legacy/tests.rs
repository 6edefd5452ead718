//! What is said first, and what is answered to a server.

use mcp::ClientCapabilities;

use super::*;

fn check(message: &str, expected: &str) {
    react(message, &Declaration::default(), true, expected);
}

/// What becomes of a message on a connection of a client that is there, or of a catalog.
fn react(message: &str, declaration: &Declaration, client_is_there: bool, expected: &str) {
    let message = Message::parse(Bytes::copy_from_slice(message.as_bytes())).unwrap();
    let shown = match reaction(&message, declaration, client_is_there) {
        Reaction::Reply(reply) => String::from_utf8(reply.to_vec()).unwrap(),
        other => format!("{other:?}"),
    };
    assert!(shown.starts_with(expected), "{shown}");
}

#[test]
fn a_server_gets_an_answer_to_everything_it_asks() {
    check(r#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#, r#"{"jsonrpc":"2.0","id":0,"result":{}}"#);
    for method in ["roots/list", "sampling/createMessage", "elicitation/create", "x/y"] {
        check(
            &format!(r#"{{"jsonrpc":"2.0","id":"a","method":"{method}"}}"#),
            r#"{"jsonrpc":"2.0","id":"a","error":{"code":-32601"#,
        );
    }
}

#[test]
fn a_server_asks_the_client_what_was_declared_of_it() {
    let can = ClientCapabilities::ROOTS.union(ClientCapabilities::SAMPLING);
    let can = Declaration::of(can.union(ClientCapabilities::ELICITATION_FORM));
    let asks = |method| format!(r#"{{"jsonrpc":"2.0","id":0,"method":"{method}"}}"#);
    for method in ["roots/list", "sampling/createMessage", "elicitation/create"] {
        react(&asks(method), &can, true, "Ask");
    }
    react(&asks("x/y"), &can, true, r#"{"jsonrpc":"2.0","id":0,"error":{"code":-32601"#);
    let own = Declaration::as_written(Revision::V2025_11_25, "{}".into(), "{}".into());
    react(&asks("x/y"), &own, true, "Ask");

    // A catalog answers as somebody who is not there.
    react(&asks("roots/list"), &can, false, r#"{"jsonrpc":"2.0","id":0,"result":{"roots":[]}}"#);
    let cancel = r#"{"jsonrpc":"2.0","id":0,"result":{"action":"cancel"}}"#;
    react(&asks("elicitation/create"), &can, false, cancel);
    let refused = r#"{"jsonrpc":"2.0","id":0,"error""#;
    react(&asks("sampling/createMessage"), &can, false, refused);
}

#[test]
fn a_notification_goes_where_it_belongs() {
    let says = |method: &str| format!(r#"{{"jsonrpc":"2.0","method":"notifications/{method}"}}"#);
    check(&says("tools/list_changed"), "ListChanged(Tools)");
    check(&says("prompts/list_changed"), "ListChanged(Prompts)");
    check(&says("resources/list_changed"), "ListChanged(Resources)");
    check(&says("resources/updated"), "ResourceUpdated");
    check(&says("message"), "Log");
    check(&says("progress"), "OfCall");
    check(&says("something/new"), "Notice");
    check(&says("cancelled"), "Withdrawn");
    check(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, "OfCall");
}

#[test]
fn the_first_request_is_one_that_a_server_takes() {
    let body = initialize(Nonce::new([1; 16]), &Declaration::default());
    let message = Message::parse(body).unwrap();
    assert_eq!(message.method(), Some(Method::Initialize));
    let asked = message.routed().protocol_version.as_ref().unwrap();
    assert_eq!(asked.as_str(), "2025-11-25");
    assert_eq!(message.routed().client_name.as_ref().unwrap().as_str(), "portico");
}

#[test]
fn a_hello_must_be_of_a_revision_that_has_sessions() {
    let peer: Arc<str> = "p".into();
    let of = |rest: &str| {
        let text = format!(r#"{{"jsonrpc":"2.0","id":1,{rest}}}"#);
        hello(&peer, &Message::parse(text.into()).unwrap()).map_err(|error| error.to_string())
    };
    let versions = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];
    for version in versions {
        assert!(
            of(&format!(r#""result":{{"protocolVersion":"{version}","capabilities":{{}}}}"#))
                .is_ok()
        );
    }
    for version in ["2026-07-28", "1", ""] {
        let error = of(&format!(r#""result":{{"protocolVersion":"{version}"}}"#)).unwrap_err();
        assert!(error.contains("revision"), "{error}");
    }
    let refused = of(r#""error":{"code":-32602,"message":"too\nold"}"#).unwrap_err();
    assert!(refused.ends_with("it refused `initialize`: -32602 tooold"), "{refused}");
}
