//! Long responses are judged as short ones are, however they are cut.

use proptest::prelude::*;

use super::*;
use crate::message::{Kind, Message};

const ID: &str = r#""i0123""#;

fn judged(text: &[u8], chunk: usize) -> Result<(), ResponseError> {
    let request = format!(r#"{{"jsonrpc":"2.0","id":{ID},"method":"m"}}"#);
    let id = Message::parse(request.into()).unwrap().id().unwrap().clone();
    let mut check = ResponseCheck::new(id);
    for chunk in text.chunks(chunk) {
        check.push(chunk)?;
    }
    check.finish()
}

/// What `Message` says of the whole.
fn is_the_response(text: &str) -> bool {
    let message = Message::parse(text.to_owned().into());
    message.is_ok_and(|message| {
        matches!(message.kind(), Kind::Response | Kind::ErrorResponse)
            && message.id().is_some_and(|id| id.as_bytes() == ID.as_bytes())
    })
}

#[track_caller]
fn check(text: &str, expected: &str) {
    for chunk in 1..=text.len() {
        let said = judged(text.as_bytes(), chunk)
            .map_or_else(|error| error.to_string(), |()| String::new());
        assert_eq!(said, expected, "{text} in chunks of {chunk}");
    }
    assert_eq!(is_the_response(text), expected.is_empty(), "{text}");
}

#[test]
fn a_response_passes_however_it_is_written() {
    for text in [
        r#"{"jsonrpc":"2.0","id":"i0123","result":{"a":[1,-0.5e+3,{}],"b":"\u00e9\"","c":[]}}"#,
        " {\n\"result\" : null , \"x\":[true,false,null],\t\"id\": \"i0123\" ,\"jsonrpc\":\"2.0\"}\r\n",
        r#"{"jsonrpc":"2.0","error":{"code":-1,"message":"no"},"id":"i0123"}"#,
        r#"{"jsonrpc":"2.0","id":"i0123","result":{"id":7,"jsonrpc":"1"},"error":null,"method":null}"#,
        r#"{"jsonrpc":"2.0","id":"i0123","result":10,"a member with a name that is longer than what is kept of one":0}"#,
    ] {
        check(text, "");
    }
}

#[test]
fn an_answer_to_another_request_is_told_by_its_id() {
    let other = "it answered another request";
    check(r#"{"jsonrpc":"2.0","id":"i0124","result":{}}"#, other);
    check(r#"{"jsonrpc":"2.0","id":7,"result":{}}"#, other);
    check(r#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":""}}"#, other);
    check(r#"{"jsonrpc":"2.0","result":{}}"#, other);
}

#[test]
fn what_is_not_a_response_is_said() {
    let is = |what: &str| format!("not a JSON-RPC message: {what}");
    check(r#"[{"jsonrpc":"2.0"}]"#, &is("it is not an object"));
    check("7", &is("it is not an object"));
    check(r#"{"jsonrpc":"1.0","id":"i0123","result":1}"#, &is("`jsonrpc` is not \"2.0\""));
    check(r#"{"id":"i0123","result":1}"#, &is("`jsonrpc` is not \"2.0\""));
    check(r#"{"jsonrpc":"2.0","id":"i0123"}"#, &is("there is no method, result or error"));
    check(r#"{"jsonrpc":"2.0","id":"i0123","method":"m"}"#, &is("it is not a response"));
    check(r#"{"jsonrpc":"2.0","id":"i0123","error":7}"#, &is("`error` is not an object"));
    let both = r#"{"jsonrpc":"2.0","id":"i0123","error":{},"result":{}}"#;
    check(both, &is("there are both a result and an error"));
    let twice = r#"{"jsonrpc":"2.0","id":"i0123","result":1,"result":2}"#;
    check(twice, &is("a member is repeated"));
}

#[test]
fn broken_json_is_said_with_its_place() {
    let start = r#"{"jsonrpc":"2.0","id":"i0123","result":"#;
    for (rest, wrong) in [
        ("[1,]}", 3),
        ("[1}", 2),
        ("01}", 1),
        ("1.}", 2),
        ("tru}", 3),
        (r#""\x"}"#, 2),
        ("\"\n\"}", 1),
        ("{\"a\" 1}}", 5),
        ("{,}}", 1),
        ("1}}", 2),
        ("1", 1),
        ("[{\"a\":", 6),
    ] {
        let position = start.len() + wrong;
        check(&format!("{start}{rest}"), &format!("not JSON: byte {position} is wrong"));
    }
    let deep = format!("{start}{}", "[".repeat(MAX_DEPTH));
    let position = start.len() + MAX_DEPTH - 1;
    check(&deep, &format!("nested deeper than {MAX_DEPTH} at byte {position}"));
}

proptest! {
    #[test]
    fn it_agrees_with_the_message(
        text in r#"\{("jsonrpc":"2\.0",)?("id":("i0123"|7|null),)?"result":(\[|\]|\{|\}|"[a-z\\\\"]*"|[0-9.eE+-]{1,4}|true|null|,|:| ){0,8}(,"id":"i0123")?(,"jsonrpc":"2\.0")?\}"#,
        chunk in 1_usize..9,
    ) {
        prop_assert_eq!(judged(text.as_bytes(), chunk).is_ok(), is_the_response(&text), "{}", text);
    }
}
