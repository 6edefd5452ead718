//! Envelopes, routed fields and rewrites as data; the head against serde_json is in `property`.

mod asked;
mod property;

use bytes::Bytes;

use super::{Kind, Message, Reference};
use crate::error::ErrorCode;
use crate::id::Id;
use crate::method::Method;
use crate::text::Text;

fn parse(text: &str) -> Result<Message, super::MessageError> {
    Message::parse(Bytes::copy_from_slice(text.as_bytes()))
}

/// Kind and raw id of what is a message.
#[track_caller]
fn check(text: &str, kind: Kind, id: Option<&str>) {
    let message = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(message.kind(), kind, "{text}");
    let raw = message.id().map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    assert_eq!(raw.as_deref(), id, "{text}");
    assert_eq!(message.rewrite().bytes(), text);
}

/// Code and raw id of what is none.
#[track_caller]
fn check_error(text: &str, code: ErrorCode, id: Option<&str>) {
    let error = parse(text).map(|message| message.kind()).expect_err(text);
    assert_eq!(error.code(), code, "{text}: {error}");
    let raw = error.id().map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    assert_eq!(raw.as_deref(), id, "{text}: {error}");
}

#[test]
fn the_four_kinds_are_told_apart() {
    check(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#, Kind::Request, Some("1"));
    check(r#" { "method" : "x" , "jsonrpc" : "2.0" } "#, Kind::Notification, None);
    check(r#"{"result":{},"id":"a","jsonrpc":"2.0"}"#, Kind::Response, Some("\"a\""));
    check(r#"{"jsonrpc":"2.0","id":1,"error":{"code":1}}"#, Kind::ErrorResponse, Some("1"));
}

#[test]
fn an_id_is_kept_as_written() {
    for id in
        ["0", "-1", "1.0", "1e3", "9223372036854775808", r#""""#, r#""\u0061""#, r#""\ud800""#]
    {
        check(
            &format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"x\"}}"),
            Kind::Request,
            Some(id),
        );
    }
    for id in ["null", "true", "[1]", "{}"] {
        let text = format!("{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"x\"}}");
        check_error(&text, ErrorCode::InvalidRequest, None);
    }
}

#[test]
fn a_response_may_be_sloppy() {
    check(r#"{"jsonrpc":"2.0","id":null,"error":{"code":1}}"#, Kind::ErrorResponse, None);
    check(r#"{"jsonrpc":"2.0","error":{"code":1}}"#, Kind::ErrorResponse, None);
    check(r#"{"jsonrpc":"2.0","id":1,"result":null}"#, Kind::Response, Some("1"));
    check(r#"{"jsonrpc":"2.0","id":1,"result":{},"error":null}"#, Kind::Response, Some("1"));
    let both = r#"{"jsonrpc":"2.0","id":1,"result":null,"error":{"code":1}}"#;
    check(both, Kind::ErrorResponse, Some("1"));
    let nulls =
        r#"{"jsonrpc":"2.0","id":1,"result":{},"method":null,"params":null,"x":1,"x":2,"ID":3}"#;
    check(nulls, Kind::Response, Some("1"));
    check(r#"{"jsonrpc":"2.0","id":1,"result":{"a":1,"a":2,"A":3}}"#, Kind::Response, Some("1"));
}

#[test]
fn an_error_code_is_an_integer() {
    for (code, expected) in [
        ("-32601", Some(-32601)),
        ("-32601.0", Some(-32601)),
        ("1e2", Some(100)),
        ("1.5", None),
        ("1e99", None),
        ("\"1\"", None),
    ] {
        let text =
            format!("{{\"jsonrpc\":\"2.0\",\"error\":{{\"message\":\"\",\"code\":{code}}}}}");
        assert_eq!(parse(&text).unwrap().error_code(), expected, "{code}");
    }
}

#[test]
fn what_is_not_json_is_a_parse_error() {
    for text in [
        "",
        "{",
        "hello",
        r#"{"jsonrpc":"2.0","method":"x"} x"#,
        r#"{"jsonrpc":"2.0","method":"x",}"#,
        r#"{"jsonrpc":"2.0","method":"x","a":01}"#,
        "{\"jsonrpc\":\"2.0\",\"method\":\"x\",\"a\":\"\n\"}",
        "{'jsonrpc':'2.0'}",
    ] {
        check_error(text, ErrorCode::ParseError, None);
    }
    let cut = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"#;
    check_error(cut, ErrorCode::ParseError, Some("7"));
    let bytes = Bytes::from_static(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}");
    assert_eq!(Message::parse(bytes).unwrap_err().code(), ErrorCode::ParseError);
}

#[test]
fn what_is_not_an_envelope_is_an_invalid_request() {
    for text in [
        "1",
        "[]",
        r#"[{"jsonrpc":"2.0","method":"x"}]"#,
        "{}",
        r#"{"method":"x"}"#,
        r#"{"jsonrpc":"1.0","method":"x"}"#,
        r#"{"jsonrpc":2.0,"method":"x"}"#,
        r#"{"jsonrpc":"2.0"}"#,
        r#"{"jsonrpc":"2.0","method":1}"#,
        r#"{"jsonrpc":"2.0","method":null}"#,
        r#"{"jsonrpc":"2.0","method":"\ud800"}"#,
        r#"{"jsonrpc":"2.0","error":"x"}"#,
        r#"{"jsonrpc":"2.0","error":null}"#,
    ] {
        check_error(text, ErrorCode::InvalidRequest, None);
    }
    for text in [
        r#"{"jsonrpc":"2.0","id":1}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","params":[]}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","params":"a"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"x","result":{}}"#,
        r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
    ] {
        check_error(text, ErrorCode::InvalidRequest, Some("1"));
    }
}

#[test]
fn a_message_nested_too_deeply_is_an_invalid_request() {
    let nested = |depth: usize| {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x\",\"params\":{{\"a\":{open}{close}}}}}"
        )
    };
    check(&nested(126), Kind::Request, Some("1"));
    check_error(&nested(127), ErrorCode::InvalidRequest, Some("1"));
}

/// A request of `method` with these params is refused, for a field of that name.
#[track_caller]
fn check_repeated(method: &str, params: &str, field: &str) {
    let text =
        format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"params\":{params},\"method\":\"{method}\"}}");
    check_error(&text, ErrorCode::InvalidRequest, Some("1"));
    let error = parse(&text).unwrap_err().to_string();
    assert!(error.starts_with(&format!("`{field}` is repeated")), "{error}");
}

#[test]
fn a_second_spelling_of_a_routed_field_is_rejected() {
    for (method, params, field) in [
        ("tools/call", r#"{"name":"a","name":"a"}"#, "name"),
        ("tools/call", r#"{"name":"a","Name":"b"}"#, "name"),
        ("tools/call", r#"{"name":"a","\u006eame":"b"}"#, "name"),
        ("tools/call", r#"{"name":"a","\u004eAME":"b"}"#, "name"),
        ("tools/call", r#"{"NAME":"a"}"#, "name"),
        ("prompts/get", r#"{"name":"a","arguments":{},"name":"b"}"#, "name"),
        ("resources/read", r#"{"uri":"a","URI":"b"}"#, "uri"),
        ("notifications/resources/updated", r#"{"uri":"a","uri":"b"}"#, "uri"),
        ("tools/list", r#"{"cursor":"a","cursor":"b"}"#, "cursor"),
        ("notifications/cancelled", r#"{"requestId":1,"requestid":2}"#, "requestId"),
        (
            "notifications/progress",
            r#"{"progressToken":1,"progressTo\u212aen":2}"#,
            "progressToken",
        ),
        ("initialize", r#"{"protocolVersion":"a","protocolVersion":"b"}"#, "protocolVersion"),
        ("initialize", r#"{"clientInfo":{},"clientInfo":{}}"#, "clientInfo"),
        ("initialize", r#"{"clientInfo":{"name":"a","name":"b"}}"#, "name"),
        ("initialize", r#"{"clientInfo":{"version":"a","ver\u017fion":"b"}}"#, "version"),
        ("logging/setLevel", r#"{"level":"a","level":"b"}"#, "level"),
        ("initialize", r#"{"capabilities":{},"Capabilities":{}}"#, "capabilities"),
        ("tools/call", r#"{"name":"a","task":{},"task":null}"#, "task"),
        ("tasks/get", r#"{"taskId":"a","taskid":"b"}"#, "taskId"),
        ("tasks/result", r#"{"taskId":"a","taskId":"b"}"#, "taskId"),
        ("tasks/cancel", r#"{"taskId":"a","taskId":"b"}"#, "taskId"),
        ("notifications/tasks/status", r#"{"taskId":"a","taskId":"b"}"#, "taskId"),
        ("tasks/list", r#"{"cursor":"a","cursor":"b"}"#, "cursor"),
        (
            "anything",
            r#"{"_meta":{"io.modelcontextprotocol/related-task":{"taskId":"a","TaskId":"b"}}}"#,
            "taskId",
        ),
        ("completion/complete", r#"{"ref":{},"ref":{}}"#, "ref"),
        ("completion/complete", r#"{"ref":{"type":"ref/prompt","Type":"ref/resource"}}"#, "type"),
        ("completion/complete", r#"{"ref":{"type":"ref/prompt","name":"a","name":"b"}}"#, "name"),
        ("anything", r#"{"_meta":{},"_meta":{}}"#, "_meta"),
        ("anything", r#"{"_meta":{},"_Meta":{}}"#, "_meta"),
        ("anything", r#"{"_meta":{"progressToken":1,"progressToken":2}}"#, "progressToken"),
        (
            "anything",
            r#"{"_meta":{"io.modelcontextprotocol/a":1,"io.modelcontextprotocol/\u0061":2}}"#,
            "io.modelcontextprotocol/a",
        ),
        (
            "anything",
            r#"{"_meta":{"io.modelcontextprotocol/a":1,"IO.modelcontextprotocol/A":2}}"#,
            "IO.modelcontextprotocol/A",
        ),
    ] {
        check_repeated(method, params, field);
    }
}

#[test]
fn a_second_spelling_in_the_envelope_is_rejected() {
    for (text, id) in [
        (r#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"x"}"#, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}"#, None),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","Method":"y"}"#, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","\u006dethod":"y"}"#, Some("1")),
        (r#"{"jsonrpc":"2.0","ID":1,"method":"x"}"#, None),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{},"params":{}}"#, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"method":"x","paramſ":{}}"#, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"result":{},"result":{}}"#, Some("1")),
        (r#"{"jsonrpc":"2.0","id":1,"id":2,"result":{}}"#, None),
    ] {
        check_error(text, ErrorCode::InvalidRequest, id);
    }
}

#[test]
fn what_is_not_routed_by_may_be_repeated() {
    for (method, params) in [
        ("tools/call", r#"{"name":"a","arguments":{"name":"b","name":"c","NAME":1}}"#),
        (
            "tools/call",
            r#"{"name":"a","arguments":1,"arguments":2,"uri":1,"uri":2,"cursor":1,"Cursor":2}"#,
        ),
        ("resources/read", r#"{"uri":"a","name":"b","name":"c"}"#),
        ("anything", r#"{"_meta":{"x":1,"x":2,"X":3}}"#),
        ("anything", r#"{"x":{"_meta":{"progressToken":1,"progressToken":2}}}"#),
        ("tools/call", r#"{"\u006eame":"a"}"#),
        ("ping", "null"),
        ("elicitation/create", r#"{"message":"a","Message":"b","mode":"a","mode":"b"}"#),
        ("sampling/createMessage", r#"{"includeContext":"a","includeContext":"b"}"#),
        ("notifications/message", r#"{"level":"a","level":"b","Logger":"a","logger":"b"}"#),
        ("notifications/elicitation/complete", r#"{"elicitationId":"a","elicitationId":"b"}"#),
    ] {
        let text = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{params}}}");
        check(&text, Kind::Notification, None);
    }
}

#[test]
fn what_is_routed_by_is_read_where_the_method_has_it() {
    let routed = |method: &str, params: &str| {
        let text = format!("{{\"params\":{params},\"jsonrpc\":\"2.0\",\"method\":\"{method}\"}}");
        parse(&text).unwrap().routed().clone()
    };
    let text = |text: &Option<Text>| text.as_ref().map(|text| text.as_str().to_owned());
    let all = r#"{"name":"n\u0061","uri":"u","cursor":"c","requestId":"r","progressToken":5,"level":"debug",
        "protocolVersion":"2025-06-18","clientInfo":{"name":"cn","version":"cv"},"ref":{"name":"rn","type":"ref/prompt"},
        "_meta":{"progressToken":"pt","io.modelcontextprotocol/protocolVersion":"2026-07-28"}}"#;
    let call = routed("tools/call", all);
    assert_eq!(text(&call.name).as_deref(), Some("na"));
    assert_eq!(text(&call.envelope_version).as_deref(), Some("2026-07-28"));
    assert_eq!(call.progress_token.unwrap().1, "\"pt\"");
    assert!(call.uri.is_none() && call.cursor.is_none() && call.reference.is_none());
    assert_eq!(text(&routed("resources/subscribe", all).uri).as_deref(), Some("u"));
    assert!(routed("prompts/list", all).cursor.is_some());
    assert_eq!(routed("notifications/cancelled", all).request_id.unwrap().as_bytes(), "\"r\"");
    assert_eq!(routed("notifications/progress", all).progress_token.unwrap().1, "5");
    let initialize = routed("initialize", all);
    assert_eq!(text(&initialize.protocol_version).as_deref(), Some("2025-06-18"));
    assert_eq!(text(&initialize.client_name).as_deref(), Some("cn"));
    assert_eq!(text(&initialize.client_version).as_deref(), Some("cv"));
    assert_eq!(text(&routed("logging/setLevel", all).level).as_deref(), Some("debug"));
    let reference = routed("completion/complete", all).reference;
    assert!(matches!(reference, Some(Reference::Prompt(name)) if name.as_str() == "rn"));
    let template = r#"{"ref":{"uri":"u:{x}","type":"ref/resource"}}"#;
    let reference = routed("completion/complete", template).reference;
    assert!(matches!(reference, Some(Reference::Resource(uri)) if uri.as_str() == "u:{x}"));
}

#[test]
fn a_client_is_read_as_a_whole() {
    let text = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities": {"roots": {}} ,"clientInfo":{"name":"n", "x":1}}}"#;
    let routed = parse(text).unwrap().routed().clone();
    assert_eq!(routed.capabilities.unwrap(), r#"{"roots": {}}"#);
    assert_eq!(routed.client_info.unwrap(), r#"{"name":"n", "x":1}"#);
}

#[test]
fn a_routed_field_of_the_wrong_type_counts_as_missing() {
    for (method, params) in [
        ("tools/call", r#"{"name":5,"_meta":[]}"#),
        ("tools/call", r#"{"name":"\ud800","_meta":{"progressToken":null}}"#),
        ("tools/list", r#"{"cursor":null,"_meta":{"progressToken":{}}}"#),
        ("completion/complete", r#"{"ref":{"type":"ref/other","name":"x"}}"#),
        ("completion/complete", r#"{"ref":"x"}"#),
        ("initialize", r#"{"clientInfo":"x","protocolVersion":1,"capabilities":[]}"#),
        ("notifications/cancelled", r#"{"requestId":null}"#),
        ("elicitation/create", r#"{"message":1,"mode":null,"elicitationId":{}}"#),
        ("tasks/get", r#"{"taskId":1,"_meta":{"io.modelcontextprotocol/related-task":"x"}}"#),
    ] {
        let text = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{params}}}");
        let message = parse(&text).unwrap();
        let empty = format!("{:?}", super::Routed::default());
        assert_eq!(format!("{:?}", message.routed()), empty, "{text}");
    }
}

#[test]
fn the_parts_are_slices_of_the_message() {
    let message =
        parse(r#"{"jsonrpc":"2.0","method":"tools\/call","params": { "name" : "a" } }"#).unwrap();
    assert_eq!(message.method(), Some(Method::ToolsCall));
    assert_eq!(message.method_name(), Some("tools/call"));
    assert_eq!(message.params().unwrap(), r#"{ "name" : "a" }"#);
    assert_eq!(parse(r#"{"jsonrpc":"2.0","result": [ 1 ] }"#).unwrap().result().unwrap(), "[ 1 ]");
    assert_eq!(parse(r#"{"jsonrpc":"2.0","error": { } }"#).unwrap().error().unwrap(), "{ }");
}

#[track_caller]
fn check_rewrite(text: &str, expected: &str) {
    let message = parse(text).unwrap();
    let rewrite =
        message.rewrite().progress_token(b"\"t\"").name("n\"").uri("u:é").id(&Id::from(9));
    assert_eq!(rewrite.bytes(), expected);
}

#[test]
fn a_rewrite_changes_the_routed_places_only() {
    check_rewrite(
        r#" {"id" : "a" , "params":{"_meta":{"progressToken" : 1.0},"name" : "\u0061" ,"x":[1e9 , "name"]},"method":"tools/call","jsonrpc":"2.0"}"#,
        r#" {"id" : 9 , "params":{"_meta":{"progressToken" : "t"},"name" : "n\"" ,"x":[1e9 , "name"]},"method":"tools/call","jsonrpc":"2.0"}"#,
    );
    check_rewrite(
        r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"a"}}"#,
        r#"{"jsonrpc":"2.0","id":9,"method":"resources/read","params":{"uri":"u:é"}}"#,
    );
    check_rewrite(
        r#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"a","uri":"b"}}}"#,
        r#"{"jsonrpc":"2.0","id":9,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"n\"","uri":"b"}}}"#,
    );
    check_rewrite(
        r#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","name":"a","uri":"b"}}}"#,
        r#"{"jsonrpc":"2.0","id":9,"method":"completion/complete","params":{"ref":{"type":"ref/resource","name":"a","uri":"u:é"}}}"#,
    );
    check_rewrite(
        r#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":9,"result":{}}"#,
    );
    check_rewrite(r#"{"jsonrpc":"2.0","method":"x"}"#, r#"{"jsonrpc":"2.0","method":"x"}"#);
}

#[test]
fn the_last_of_two_replacements_of_one_place_counts() {
    let message = parse(r#"{"jsonrpc":"2.0","id":1,"method":"x"}"#).unwrap();
    let bytes = message.rewrite().id(&Id::from(2)).id(&Id::from(3)).bytes();
    assert_eq!(bytes, r#"{"jsonrpc":"2.0","id":3,"method":"x"}"#);
}
