//! Ids come back, however the answer is cut.

use bytes::Bytes;
use proptest::prelude::*;

use super::Substitute;
use crate::id::{Id, Nonce};

const NONCE: [u8; 16] = [0xab; 16];

fn substitute(token: Option<&'static str>) -> Substitute {
    let id = Id::of(Bytes::from("\"client\"")).unwrap();
    Substitute::new(Nonce::new(NONCE), id, token.map(Bytes::from))
}

/// `I` and `T` stand for the nonce's two forms.
fn wire(text: &str) -> String {
    let digits = Nonce::new(NONCE).digits();
    text.replace('I', &format!("\"i{digits}\"")).replace('T', &format!("\"t{digits}\""))
}

#[track_caller]
fn check(text: &str, token: Option<&'static str>, expected: &str) {
    let text = wire(text);
    let expected = wire(expected);
    assert_eq!(substitute(token).whole(Bytes::from(text.clone())), expected);
    for split in 0..=text.len() {
        let (first, second) = text.split_at(split);
        let mut substitute = substitute(token);
        let mut out = Vec::new();
        substitute.push(Bytes::from(first.to_owned()), &mut out);
        substitute.push(Bytes::from(second.to_owned()), &mut out);
        substitute.finish(&mut out);
        assert_eq!(out.concat(), expected.as_bytes(), "split at {split}");
    }
}

#[test]
fn both_forms_are_replaced_wherever_they_stand() {
    check(r#"{"id":I,"result":{}}"#, None, r#"{"id":"client","result":{}}"#);
    check(r#"{"t":T,"id":I}"#, Some("7"), r#"{"t":"7","id":"client"}"#);
    check("II[T]", Some("7"), r#""client""client"["7"]"#);
}

#[test]
fn a_token_that_was_not_sent_is_not_replaced() {
    check(r#"{"t":T,"id":I}"#, None, r#"{"t":T,"id":"client"}"#);
}

#[test]
fn only_a_whole_string_matches() {
    let digits = Nonce::new(NONCE).digits();
    for text in [
        format!("\"i{digits}0\""),
        format!("\"xi{digits}\""),
        format!("i{digits}"),
        format!("\"u{digits}\""),
        format!("\"\\\"i{digits}\\\"\""),
        format!("\"a \\\"i{digits}\""),
        format!("\"i{}\"", digits.to_uppercase()),
        format!("\"i{}", &digits[..31]),
        "\"i\"i\"i".to_owned(),
    ] {
        check(&text, Some("7"), &text);
    }
}

#[test]
fn two_forms_that_share_a_quote_are_one_string() {
    let rest = wire("I").split_off(1);
    check(&format!("I{rest}"), None, &format!("\"client\"{rest}"));
}

#[test]
fn bytes_without_a_match_are_not_copied_nor_held_back() {
    let chunk = Bytes::from_static(b"{\"result\":{\"text\":\"i love it\"}}");
    let mut out = Vec::new();
    substitute(None).push(chunk.clone(), &mut out);
    assert_eq!(out, std::slice::from_ref(&chunk));
    assert_eq!(out.first().unwrap().as_ptr(), chunk.as_ptr());
}

proptest! {
    #[test]
    fn the_answer_is_the_same_however_it_is_cut(
        parts in prop::collection::vec("[IT\\\\\"iabx]{0,6}", 0..8),
        cuts in prop::collection::vec(0usize..300, 0..12),
    ) {
        let bytes = Bytes::from(wire(&parts.concat()));
        let whole = substitute(Some("7")).whole(bytes.clone());
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.sort_unstable();
        let mut substitute = substitute(Some("7"));
        let mut out = Vec::new();
        let mut start = 0;
        for end in cuts.into_iter().chain([bytes.len()]) {
            substitute.push(bytes.slice(start..end), &mut out);
            start = end;
        }
        substitute.finish(&mut out);
        prop_assert_eq!(out.concat(), whole);
    }
}
