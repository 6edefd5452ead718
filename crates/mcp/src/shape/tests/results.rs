//! Results as data.

use bytes::Bytes;

use crate::message::Message;
use crate::shape::{Shape, shape_result};
use crate::uri::ResultKind;

fn response(result: &str) -> Message {
    let text = format!("{{\"jsonrpc\":\"2.0\",\"result\":{result},\"id\":1}}");
    Message::parse(Bytes::from(text)).unwrap()
}

/// What clients of that shape get of a result.
#[track_caller]
fn check_for(shape: Shape, kind: ResultKind, result: &str, expected: &str) {
    let expected = response(expected);
    let shaped = shape_result(kind, &response(result), shape, false);
    let shaped = shaped.unwrap_or_else(|| response(result).bytes().clone());
    assert_eq!(shaped, expected.bytes(), "{shape:?} of {result}");
    assert_eq!(shape_result(kind, &expected, shape, false), None, "{shape:?} of {shaped:?}");
}

/// What every client gets of a result.
#[track_caller]
fn check(kind: ResultKind, result: &str, expected: &str) {
    for shape in Shape::ALL {
        check_for(shape, kind, result, expected);
    }
}

/// What clients of the three legacy shapes get of these blocks, oldest first.
#[track_caller]
fn check_blocks(blocks: &str, expected: [&str; 3]) {
    for (shape, expected) in Shape::ALL.into_iter().zip(expected) {
        let call = |blocks: &str| format!("{{\"content\":[{blocks}]}}");
        check_for(shape, ResultKind::ToolCall, &call(blocks), &call(expected));
        let prompt =
            |blocks: &str| format!("{{\"messages\":[{{\"role\":\"user\",\"content\":{blocks}}}]}}");
        check_for(shape, ResultKind::Prompt, &prompt(blocks), &prompt(expected));
    }
}

#[test]
fn what_every_client_takes_stays_as_it_is() {
    let call = r#"{ "content":[{"type":"text","text":"{\"type\":\"audio\"}","annotations":{"audience":["user"]}},{"data":"","type":"image","mimeType":"a","x":null},
        {"type":"resource","resource":{"uri":"a:1","text":"t","x":null}}],"isError":true,"_meta":{"x":null},"y":null}"#;
    check(ResultKind::ToolCall, call, call);
    let task = r#"{"task":{"taskId":"a"}}"#;
    check(ResultKind::ToolCall, task, task);
    for kind in [ResultKind::ToolCall, ResultKind::Prompt, ResultKind::Read] {
        check(kind, "{}", "{}");
        check(kind, "[]", "[]");
    }
    let error = r#"{"jsonrpc":"2.0","id":1,"error":{"code":1,"_meta":null}}"#;
    let error = Message::parse(Bytes::from(error)).unwrap();
    assert_eq!(shape_result(ResultKind::ToolCall, &error, Shape::V2024_11_05, true), None);
}

#[test]
fn an_older_client_reads_of_what_it_cannot_hear() {
    let audio = r#"{"type":"audio","data":"AA==","mimeType":"audio/wav"}"#;
    let text =
        r#"{"type":"text","text":"[audio/wav: this client's protocol revision has no audio]"}"#;
    check_blocks(audio, [text, audio, audio]);
}

#[test]
fn an_older_client_reads_where_a_link_leads() {
    let link = r#"{"uri":"a:1","name":"n\"","type":"resource_link"}"#;
    let text = r#"{"type":"text","text":"n\": a:1"}"#;
    check_blocks(link, [text, text, link]);
    check_blocks(
        r#"{"uri":"a:1","name":null,"type":"resource_link"}"#,
        [
            r#"{"type":"text","text":"a:1"}"#,
            r#"{"type":"text","text":"a:1"}"#,
            r#"{"name":"a:1","uri":"a:1","type":"resource_link"}"#,
        ],
    );
    let text = r#"{"type":"text","text":"[a link to a resource, without a URI]"}"#;
    check_blocks(r#"{"type":"resource_link"}"#, [text; 3]);
}

#[test]
fn content_of_an_unknown_kind_is_text() {
    let text = r#"{"type":"text","text":"[content of the unknown kind `video`]"}"#;
    check_blocks(r#"{"annotations":null,"type":"video","x":[{}]}"#, [text; 3]);
    let text = r#"{"type":"text","text":"[content of an unknown kind]"}"#;
    for block in ["{}", "null", "\"hello\"", "[[]]", r#"{"type":5}"#] {
        let call = |block: &str| format!("{{\"content\":[{block}]}}");
        check(ResultKind::ToolCall, &call(block), &call(text));
    }
}

#[test]
fn optional_members_that_are_null_are_dropped() {
    check(
        ResultKind::ToolCall,
        r#"{"_meta":null,"content":[{"type":"text","text":"","annotations":null,"_meta":null},{"annotations":{"priority":null},"type":"image","data":"","mimeType":"a"}],"isError":null}"#,
        r#"{"content":[{"type":"text","text":""},{"annotations":{},"type":"image","data":"","mimeType":"a"}]}"#,
    );
    check(
        ResultKind::Prompt,
        r#"{"description":null,"messages":[{"role":"user","content":[{"type":"resource","resource":{"uri":"a","mimeType":null,"text":"","blob":null}}]}]}"#,
        r#"{"messages":[{"role":"user","content":[{"type":"resource","resource":{"uri":"a","text":""}}]}]}"#,
    );
    check(
        ResultKind::Read,
        r#"{"contents":[{"uri":"a","mimeType":null,"_meta":null,"text":""}],"_meta":null}"#,
        r#"{"contents":[{"uri":"a","text":""}]}"#,
    );
    check(ResultKind::Read, r#"{"contents":null}"#, r#"{"contents":[]}"#);
    check(ResultKind::Prompt, r#"{"messages":null}"#, r#"{"messages":[]}"#);
    check(ResultKind::ToolCall, r#"{"content":null}"#, r#"{"content":[]}"#);
}

/// What clients of all shapes get of a tool's result, oldest first.
#[track_caller]
fn check_structured(result: &str, expected: [&str; 4]) {
    for (shape, expected) in Shape::ALL.into_iter().zip(expected) {
        check_for(shape, ResultKind::ToolCall, result, expected);
    }
}

#[test]
fn an_older_client_gets_no_structured_content() {
    let result = r#"{"structuredContent":{"a":1},"content":[{"type":"text","text":"b"}]}"#;
    let text = r#"{"content":[{"type":"text","text":"b"}]}"#;
    check_structured(result, [text, text, result, result]);
    let result = r#"{"content":[ ],"structuredContent":{"a":"b"}}"#;
    let text = r#"{"content":[{"type":"text","text":"{\"a\":\"b\"}"} ]}"#;
    check_structured(result, [text, text, result, result]);
}

#[test]
fn structured_content_is_an_object_for_clients_before_2026() {
    let old = r#"{"content":[{"type":"text","text":"[1]"}]}"#;
    let wrapped =
        r#"{"content":[{"type":"text","text":"[1]"}],"structuredContent":{"result":[1]}}"#;
    let result = r#"{"content":[],"structuredContent":[1]}"#;
    check_structured(result, [old, old, wrapped, result]);
    let text = r#"{"content":[{"type":"text","text":"x"}]}"#;
    let wrapped = r#"{"content":[{"type":"text","text":"x"}],"structuredContent":{"result":5}}"#;
    let result = r#"{"content":[{"type":"text","text":"x"}],"structuredContent":5}"#;
    check_structured(result, [text, text, wrapped, result]);
    let result = r#"{"content":[{"type":"text","text":"x"}],"structuredContent":null}"#;
    check_structured(result, [text, text, text, result]);
}

#[test]
fn a_result_without_content_gets_some() {
    let old = r#"{"content":[{"type":"text","text":"{}"}]}"#;
    let new = r#"{"content":[{"type":"text","text":"{}"}],"structuredContent":{}}"#;
    check_structured(r#"{"structuredContent":{}}"#, [old, old, new, new]);
    check_structured(r#"{"content":null,"structuredContent":{}}"#, [old, old, new, new]);
    let null = r#"{"content":[{"type":"text","text":"null"}]}"#;
    let newest = r#"{"content":[{"type":"text","text":"null"}],"structuredContent":null}"#;
    check_structured(r#"{"structuredContent":null}"#, [null, null, null, newest]);
    let empty = r#"{"content":[]}"#;
    let newest = r#"{"content":[],"structuredContent":null}"#;
    check_structured(newest, [empty, empty, empty, newest]);
}

#[test]
fn the_result_of_a_wrapped_schema_is_wrapped_whatever_it_is() {
    let wrap = |structured: &str| {
        let result = format!(
            "{{\"structuredContent\":{structured},\"content\":[{{\"type\":\"text\",\"text\":\"\"}}]}}"
        );
        shape_result(ResultKind::ToolCall, &response(&result), Shape::V2025_06_18, true).unwrap()
    };
    for structured in ["{\"a\":1}", "null", "[]", "\"x\""] {
        let wrapped = format!("{{\"structuredContent\":{{\"result\":{structured}}},");
        let bytes = wrap(structured);
        assert!(String::from_utf8_lossy(&bytes).contains(&wrapped), "{bytes:?}");
    }
}
