//! Where URIs stand, and where they only seem to.

use bytes::Bytes;

use super::{ResultKind, uri_spans};
use crate::message::Message;

#[track_caller]
fn check(kind: ResultKind, result: &str, expected: &[&str]) {
    let text = format!("{{\"result\":{result},\"jsonrpc\":\"2.0\",\"id\":1}}");
    let response = Message::parse(Bytes::from(text)).unwrap();
    let uris = uri_spans(&response, kind);
    for uri in &uris {
        let raw = &response.bytes()[uri.span()];
        assert!(raw.starts_with(b"\"") && raw.ends_with(b"\""));
    }
    let uris: Vec<&str> = uris.iter().map(|uri| uri.as_str()).collect();
    assert_eq!(uris, expected);
}

#[test]
fn a_tool_result_has_uris_in_links_and_embedded_resources() {
    check(
        ResultKind::ToolCall,
        r#"{"content":[{"uri":"a:1","type":"resource_link"},
            {"type":"resource","resource":{"text":"{\"uri\":\"no\"}","uri":"a:\u0032"}},
            {"resource":{"uri":"a:3"},"_meta":{"ui":{"resourceUri":"ui://4"}},"type":"resource"}]}"#,
        &["a:1", "a:2", "a:3", "ui://4"],
    );
}

#[test]
fn data_that_looks_like_a_uri_is_none() {
    check(
        ResultKind::ToolCall,
        r#"{"structuredContent":{"content":[{"type":"resource_link","uri":"no"}]},
            "contents":[{"uri":"no"}],"messages":[{"content":{"type":"resource_link","uri":"no"}}],
            "content":[{"type":"text","text":"\"uri\":\"no\"","uri":"no","resource":{"uri":"no"}},
            {"type":"resource_link","resource":{"uri":"no"},"uri":5},{"uri":"no"},
            {"type":"resource","uri":"no","resource":"no"},"no",[{"type":"resource_link","uri":"no"}]],
            "_meta":{"x":{"resourceUri":"no"}}}"#,
        &[],
    );
    check(ResultKind::ToolCall, "[]", &[]);
    check(ResultKind::ToolCall, r#"{"content":{"type":"resource_link","uri":"no"}}"#, &[]);
}

#[test]
fn a_prompt_has_one_block_or_several_in_each_message() {
    check(
        ResultKind::Prompt,
        r#"{"messages":[{"role":"user","content":{"type":"resource","resource":{"uri":"a:1"}}},
            {"content":[{"type":"resource_link","uri":"a:2"},{"type":"text","text":""}]}],
            "content":[{"type":"resource_link","uri":"no"}]}"#,
        &["a:1", "a:2"],
    );
}

#[test]
fn a_read_result_has_one_uri_for_each_of_its_contents() {
    check(
        ResultKind::Read,
        r#"{"contents":[{"uri":"a:1","text":"","_meta":{"ui/resourceUri":"ui://2"}},{"uri":"a:3"}],
            "_meta":{"ui":{"resourceUri":"ui://4"},"ui/resourceUri":"ui://5"}}"#,
        &["a:1", "ui://2", "a:3", "ui://4", "ui://5"],
    );
}

#[test]
fn an_error_has_that_of_its_data() {
    for (error, expected) in [
        (
            r#"{"code":-32002,"data":{"x":{"uri":"no"},"uri":"a:\u0031"},"message":"no"}"#,
            vec!["a:1"],
        ),
        (r#"{"code":-32002,"message":"no","uri":"no","data":["no"]}"#, vec![]),
        (r#"{"code":-32002,"message":"no","data":{"uri":null,"contents":[{"uri":"no"}]}}"#, vec![]),
    ] {
        let text = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{error}}}");
        let response = Message::parse(Bytes::from(text)).unwrap();
        for kind in [ResultKind::ToolCall, ResultKind::Prompt, ResultKind::Read] {
            let uris = uri_spans(&response, kind);
            let uris: Vec<&str> = uris.iter().map(|uri| uri.as_str()).collect();
            assert_eq!(uris, expected);
        }
    }
}
