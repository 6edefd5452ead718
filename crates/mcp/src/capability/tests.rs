//! `initialize` results, and what a client gets to see of them.

use bytes::Bytes;

use super::{InitializeResult, ServerCapabilities};
use crate::message::Message;
use crate::page::PageError;
use crate::revision::Revision;
use crate::text::Text;

fn parse(result: &str) -> Result<InitializeResult, PageError> {
    let response = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{result}}}");
    InitializeResult::parse(&Message::parse(Bytes::from(response)).unwrap())
}

/// What remains of `capabilities` for a client.
#[track_caller]
fn check(capabilities: &str, expected: &str) {
    let hello = parse(&format!("{{\"capabilities\":{capabilities},\"protocolVersion\":\"x\"}}"));
    let shown = hello.unwrap().for_client(Revision::V2025_06_18);
    let expected = format!("{{\"capabilities\":{expected},\"protocolVersion\":\"2025-06-18\"}}");
    assert_eq!(shown, expected);
    parse(&expected).unwrap();
}

#[test]
fn a_client_sees_all_but_what_cannot_be_carried() {
    check("{}", "{}");
    check(r#"{"tools":{}, "x":1}"#, r#"{"tools":{}, "x":1}"#);
    check(r#"{"logging":{}}"#, "{}");
    check(r#"{ "logging":{} , "tools":{} }"#, r#"{ "tools":{} }"#);
    check(r#"{"tools":{} , "logging":{} }"#, r#"{"tools":{} }"#);
    check(r#"{"logging":{},"tasks":{"list":{}}}"#, "{}");
    check(r#"{"logging":{},"tasks":{},"a":1}"#, r#"{"a":1}"#);
    check(r#"{"a":1,"logging":{},"tasks":{}}"#, r#"{"a":1}"#);
    check(r#"{"tasks":{},"a":1,"logging":{},"b":2}"#, r#"{"a":1,"b":2}"#);
    check(r#"{"resources":{"subscribe":true}}"#, r#"{"resources":{}}"#);
    check(
        r#"{"resources":{"subscribe":true,"listChanged":true},"logging":{},"completions":{}}"#,
        r#"{"resources":{"listChanged":true},"completions":{}}"#,
    );
    check(r#"{"tools":{"subscribe":true}}"#, r#"{"tools":{"subscribe":true}}"#);
    check("null", "null");
}

#[test]
fn what_is_offered_is_read() {
    let hello = parse(
        r#"{"serverInfo":{"version":"1","name":"n","title":"t"},"protocolVersion":"2025-11-25",
        "instructions":"do","capabilities":{"tools":{"listChanged":true},"prompts":{"listChanged":false},
        "resources":{"subscribe":true,"listChanged":true},"completions":{},"logging":{},"experimental":{"tools":{}}}}"#,
    )
    .unwrap();
    let all = ServerCapabilities {
        tools: true,
        prompts: true,
        resources: true,
        completions: true,
        logging: true,
        resources_subscribe: true,
        tools_list_changed: true,
        prompts_list_changed: false,
        resources_list_changed: true,
    };
    assert_eq!(hello.capabilities, all);
    let texts = [&hello.instructions, &hello.server_name, &hello.server_version];
    assert_eq!(
        texts.map(|text| text.as_ref().map(Text::as_str)),
        [Some("do"), Some("n"), Some("1")]
    );
    assert_eq!(hello.protocol_version.as_str(), "2025-11-25");
    let span = hello.capabilities_span.unwrap();
    assert!(hello.raw[span].starts_with(b"{\"tools\""));
}

#[test]
fn null_and_false_are_no_offer_and_anything_else_is() {
    let hello = parse(
        r#"{"protocolVersion":"x","capabilities":{"tools":null,"prompts":false,"resources":true}}"#,
    );
    let offers = hello.unwrap().capabilities;
    assert_eq!((offers.tools, offers.prompts, offers.resources), (false, false, true));
    assert!(!parse(r#"{"protocolVersion":"x"}"#).unwrap().capabilities.tools);
}

#[test]
fn a_result_without_a_version_is_refused() {
    for result in ["{}", r#"{"protocolVersion":1}"#, "[]", "null"] {
        assert!(parse(result).is_err(), "{result}");
    }
}
