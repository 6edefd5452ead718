//! The responses that the gateway writes itself.

use super::{ErrorCode, error_response, result_response};
use crate::id::Id;
use crate::message::{Kind, Message};

#[track_caller]
fn check(response: bytes::Bytes, expected: &str, kind: Kind) {
    assert_eq!(response, expected);
    assert_eq!(Message::parse(response).unwrap().kind(), kind);
}

#[test]
fn an_error_without_an_id_leaves_the_member_out() {
    check(
        error_response(None, ErrorCode::ParseError, "not \"JSON\"", None),
        r#"{"jsonrpc":"2.0","error":{"code":-32700,"message":"not \"JSON\""}}"#,
        Kind::ErrorResponse,
    );
}

#[test]
fn an_error_carries_id_and_data() {
    check(
        error_response(Some(&Id::from(1)), ErrorCode::Other(7), "x", Some(br#"{"a":1}"#)),
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":7,"message":"x","data":{"a":1}}}"#,
        Kind::ErrorResponse,
    );
    check(
        error_response(Some(&Id::from(1)), ErrorCode::InvalidParams, "x", Some(b"")),
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"x"}}"#,
        Kind::ErrorResponse,
    );
}

#[test]
fn a_result_is_wrapped_as_it_is() {
    check(
        result_response(&Id::from(1), b"{ \"a\" : 1 }"),
        r#"{"jsonrpc":"2.0","id":1,"result":{ "a" : 1 }}"#,
        Kind::Response,
    );
}
