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

#[test]
fn a_client_sees_all_of_it_with_its_own_revision() {
    let hello = |version: &str| {
        format!(
            r#"{{ "capabilities":{{"logging":{{}},"tasks":{{}},"resources":{{"subscribe":true}},"x":1}},"protocolVersion":"{version}" }}"#
        )
    };
    let shown = parse(&hello("x")).unwrap().for_client(Revision::V2025_06_18);
    assert_eq!(shown, hello("2025-06-18"));
}

#[test]
fn what_is_offered_is_read() {
    let hello = parse(
        r#"{"serverInfo":{"version":"1","name":"n","title":"t"},"protocolVersion":"2025-11-25",
        "instructions":"do","capabilities":{"tools":{"listChanged":true},"prompts":{"listChanged":false},
        "resources":{"subscribe":true,"listChanged":true},"completions":{},"logging":{},"tasks":{"list":{}},"experimental":{"tools":{}}}}"#,
    )
    .unwrap();
    let all = ServerCapabilities {
        tools: true,
        prompts: true,
        resources: true,
        completions: true,
        logging: true,
        tasks: true,
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
