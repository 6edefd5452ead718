//! Escapes, in and out.

use bytes::Bytes;

use super::{Text, quoted};
use crate::scan::Cursor;

#[track_caller]
fn check(json: &str, expected: Option<&str>) {
    let bytes = Bytes::copy_from_slice(json.as_bytes());
    let token = Cursor::new(&bytes).unwrap().string().unwrap();
    let text = Text::of(&bytes, &token);
    assert_eq!(text.as_ref().map(Text::as_str), expected, "{json}");
    assert!(text.is_none_or(|text| text.span() == (0..json.len())));
}

#[test]
fn escapes_are_decoded() {
    check(r#""plain""#, Some("plain"));
    check(r#""""#, Some(""));
    check(r#""a\"\\\/\b\f\n\r\tz""#, Some("a\"\\/\u{8}\u{c}\n\r\tz"));
    check(r#""\u006eame""#, Some("name"));
    check(r#""\u00E9\ud83d\ude00é""#, Some("é😀é"));
    check(r#""\u0000""#, Some("\0"));
}

#[test]
fn half_a_surrogate_pair_says_nothing() {
    for json in [r#""\ud800""#, r#""\ude00""#, r#""\ud800\u0041""#, r#""\ud800x""#] {
        check(json, None);
    }
}

#[test]
fn a_quoted_text_reads_back() {
    for text in ["", "plain", "\"\\/\u{8}\n\u{1f}", "é😀\u{2028}\u{7f}"] {
        let json = quoted(text);
        check(std::str::from_utf8(&json).unwrap(), Some(text));
    }
}
