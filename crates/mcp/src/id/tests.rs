//! The forms of a nonce.

use super::{Id, Nonce};

#[track_caller]
fn check(raw: &str, expected: Option<u128>) {
    assert_eq!(Nonce::of_id(raw.as_bytes()), expected.map(Nonce), "{raw}");
    let token = raw.replacen('i', "t", 1);
    assert_eq!(Nonce::of_progress_token(token.as_bytes()), expected.map(Nonce), "{token}");
}

#[test]
fn a_nonce_is_found_in_its_own_forms_only() {
    check("\"i000000000000000000000000000000ff\"", Some(255));
    check("\"ifedcba98765432100123456789abcdef\"", Some(0xfedc_ba98_7654_3210_0123_4567_89ab_cdef));
    check("\"iFEDCBA98765432100123456789abcdef\"", None);
    check("\"i+00000000000000000000000000000ff\"", None);
    check("\"i00000000000000000000000000000ff\"", None);
    check("\"i0000000000000000000000000000000ff\"", None);
    check("\"x000000000000000000000000000000ff\"", None);
    check("i000000000000000000000000000000ff", None);
    check("7", None);
    check("", None);
    assert_eq!(Nonce::of_id(b"\"t000000000000000000000000000000ff\""), None);
}

#[test]
fn both_forms_lead_back_to_the_nonce() {
    let nonce = Nonce::new(*b"0123456789abcdef");
    assert_eq!(Nonce::of_id(nonce.id().as_bytes()), Some(nonce));
    assert_eq!(Nonce::of_progress_token(&nonce.progress_token()), Some(nonce));
    assert_eq!(nonce.id().as_bytes().len(), Nonce::LENGTH);
    assert_ne!(nonce.id().as_bytes(), &nonce.progress_token());
}

#[test]
fn a_number_is_an_id() {
    assert_eq!(Id::from(7).as_bytes(), "7");
}
