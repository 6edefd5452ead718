//! What is a batch, and what it is made of.

use bytes::Bytes;

use super::{is_batch, split_batch};
use crate::message::MessageError;

#[track_caller]
fn check(text: &str, expected: Result<&[&str], &str>) {
    let bytes = Bytes::copy_from_slice(text.as_bytes());
    let elements = split_batch(&bytes, 3);
    let elements = elements.map_err(|error: MessageError| error.to_string());
    let expected: Result<Vec<Bytes>, String> = match expected {
        Ok(elements) => Ok(elements.iter().map(|text| Bytes::from(text.to_string())).collect()),
        Err(error) => Err(error.to_owned()),
    };
    assert_eq!(elements, expected, "{text}");
}

#[test]
fn a_batch_is_split_as_it_stands() {
    check(" [ {\"a\": [1]} ,\n2] ", Ok(&["{\"a\": [1]}", "2"]));
    check("[1,2,3]", Ok(&["1", "2", "3"]));
}

#[test]
fn a_batch_that_is_empty_too_long_or_broken_is_refused() {
    check("[]", Err("an empty batch"));
    check("[1,2,3,4]", Err("a batch of more than 3 messages"));
    check("[1,2,3,4", Err("a batch of more than 3 messages"));
    check("[1,]", Err("not JSON: byte 3 is wrong"));
    check("[1] x", Err("not JSON: byte 4 is wrong"));
    check("{}", Err("not JSON: byte 0 is wrong"));
}

#[test]
fn only_an_array_is_a_batch() {
    for (text, expected) in [("[", true), (" \r\n\t[1]", true), ("{\"a\":[]}", false), ("", false)]
    {
        assert_eq!(is_batch(text.as_bytes()), expected, "{text}");
    }
}
