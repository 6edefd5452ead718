//! What someone may have meant.

use super::closest;

#[test]
fn close_words_are_suggested() {
    let known = ["headers", "forwardHeaders", "url", "targets", "tls"];
    for (word, expected) in [
        ("hedaers", Some("headers")),
        ("header", Some("headers")),
        ("forward_headers", Some("forwardHeaders")),
        ("ulr", Some("url")),
        ("uri", Some("url")),
        ("target", Some("targets")),
        ("whatever", None),
        ("x", None),
    ] {
        assert_eq!(closest(word, known), expected, "{word}");
    }
}
