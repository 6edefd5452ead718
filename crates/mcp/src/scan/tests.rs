//! What is JSON, and where it stops being.

use super::{Cursor, Fault, MAX_DEPTH};

#[track_caller]
fn check(text: &[u8], expected: Result<(), Fault>) {
    let passed = Cursor::new(text).and_then(|mut cursor| {
        cursor.skip()?;
        cursor.end()
    });
    assert_eq!(passed, expected, "{}", String::from_utf8_lossy(text));
}

#[test]
fn every_kind_of_value_is_passed() {
    let texts = [
        "null",
        "true",
        "false",
        "0",
        "-0",
        "10",
        "-1.5e+10",
        "1E9",
        "0.00",
        "\"\"",
        "{}",
        "[]",
        " [ 1 , [ ] , { } , \"a\" ] ",
        "\t{\r\n\"a\" : { \"b\" : [ { } ] } , \"c\" : 1 } ",
        r#""\"\\\/\b\f\n\r\té\ud83d\ude00\ud800""#,
        "\"é漢😀\u{7f}\"",
        "123456789012345678901234567890",
        "1e999",
    ];
    for text in texts {
        check(text.as_bytes(), Ok(()));
    }
}

#[test]
fn the_first_wrong_byte_is_named() {
    let cases: [(&[u8], usize); 41] = [
        (b"", 0),
        (b" ", 1),
        (b"nul", 0),
        (b"True", 0),
        (b"01", 1),
        (b"-", 1),
        (b"+1", 0),
        (b".5", 0),
        (b"1.", 2),
        (b"1e", 2),
        (b"1e+", 3),
        (b"1 2", 2),
        (b"NaN", 0),
        (b"'a'", 0),
        (b"\"a", 2),
        (b"\"a\\", 3),
        (b"\"\\x\"", 2),
        (b"\"\\u12g4\"", 2),
        (b"\"\\u12", 2),
        (b"\"\n\"", 1),
        (b"\"ab\0\"", 3),
        (b"[", 1),
        (b"[1", 2),
        (b"[1,", 3),
        (b"[1,]", 3),
        (b"[,1]", 1),
        (b"[1 2]", 3),
        (b"[1}", 2),
        (b"{", 1),
        (b"{\"a\"", 4),
        (b"{\"a\":", 5),
        (b"{\"a\":1,}", 7),
        (b"{,}", 1),
        (b"{a:1}", 1),
        (b"{\"a\" 1}", 5),
        (b"{\"a\":1]", 6),
        (b"{1:1}", 1),
        (b"{}}", 2),
        (b"// a\n1", 0),
        (b"\xef\xbb\xbf1", 0),
        (b"\"\xff\"", 1),
    ];
    for (text, position) in cases {
        check(text, Err(Fault::Syntax(position)));
    }
}

#[test]
fn the_deepest_nesting_passes_and_one_more_does_not() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    check(nested(MAX_DEPTH).as_bytes(), Ok(()));
    check(nested(MAX_DEPTH + 1).as_bytes(), Err(Fault::TooDeep(MAX_DEPTH)));
    check("[".repeat(1_000_000).as_bytes(), Err(Fault::TooDeep(MAX_DEPTH)));
    let objects = format!("{}1{}", "{\"a\":".repeat(MAX_DEPTH), "}".repeat(MAX_DEPTH));
    check(objects.as_bytes(), Ok(()));
    // Alternating, so that each level must be remembered.
    let mixed = format!("{}1{}", "[{\"a\":".repeat(64), "}]".repeat(64));
    check(mixed.as_bytes(), Ok(()));
    check(mixed.replacen("}]", "]}", 1).as_bytes(), Err(Fault::Syntax(64 * 6 + 1)));
}
