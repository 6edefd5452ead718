//! Which names there are, and how prefixed ones are made.

use super::{NativeName, TargetName, ToolName};

#[test]
fn a_target_name_is_made_of_labels() {
    let long = "a".repeat(253);
    for name in ["a", "0", "a-b", "a--b", "mcp-server-everything-3001", "a.b-c.d", &long] {
        assert_eq!(TargetName::new(name).unwrap().as_str(), name);
    }
    let too_long = "a".repeat(254);
    for name in ["", "-a", "a-", "A", "a_b", "a+b", "a..b", ".a", "a.", "a.-b", "é", &too_long] {
        assert!(TargetName::new(name).is_err(), "{name}");
    }
}

#[track_caller]
fn check_key(key: &str, expected: Option<&str>) {
    let name = TargetName::from_key(key);
    let expected = expected.map(|name| (name.to_owned(), name != key));
    assert_eq!(
        name.ok().map(|(name, changed)| (name.as_str().to_owned(), changed)),
        expected,
        "{key}"
    );
}

#[test]
fn a_key_is_made_into_a_name() {
    check_key("github", Some("github"));
    check_key("a--b.c", Some("a--b.c"));
    check_key("My Server", Some("my-server"));
    check_key("@scope/My__Tool!", Some("scope-my-tool"));
    check_key("a.-b..C", Some("a.b.c"));
    check_key("Ünï", Some("n"));
    check_key("漢", None);
    check_key("", None);
}

#[track_caller]
fn check(target: &str, native: &str, limit: usize, expected: &str) {
    let target = TargetName::new(target).unwrap();
    let name = ToolName::prefixed(&target, &NativeName::new(native).unwrap(), limit);
    assert_eq!(name.as_str(), expected);
    assert!(name.as_str().chars().count() <= limit.max(ToolName::MIN_LIMIT));
}

#[test]
fn a_prefixed_name_is_whole_up_to_the_limit() {
    check("time", "now", 8, "time_now");
    check("mcp-server-everything-3001", "echo", 50, "mcp-server-everything-3001_echo");
    check("a", "b-C.9_d", 50, "a_b-C.9_d");
}

#[test]
fn what_a_name_may_not_have_is_replaced_and_told_apart_by_the_digest() {
    let target = TargetName::new("a").unwrap();
    let name = |native| ToolName::prefixed(&target, &NativeName::new(native).unwrap(), 50);
    let (spaces, accents) = (name("bad name"), name("bad\u{e9}name"));
    assert!(spaces.as_str().ends_with("_bad_name"), "{spaces}");
    assert!(accents.as_str().ends_with("_bad_name"), "{accents}");
    assert_ne!(spaces, accents);
    assert!(NativeName::new(spaces.as_str()).unwrap().is_plain(), "{spaces}");
}

#[test]
fn a_longer_name_keeps_its_end_and_a_digest_of_the_whole() {
    check(
        "mcp-server-everything-3001",
        "trigger-elicitation-request-async",
        50,
        "mcp-server-every-4257nk_-elicitation-request-async",
    );
}

#[test]
fn shortened_names_are_told_apart_by_what_was_cut() {
    let native = NativeName::new(&format!("{}_same_end_of_a_long_name", "x".repeat(40))).unwrap();
    let other = NativeName::new(&format!("{}_same_end_of_a_long_name", "y".repeat(40))).unwrap();
    let target = TargetName::new("t").unwrap();
    let name = |native: &NativeName| ToolName::prefixed(&target, native, 50);
    assert_ne!(name(&native), name(&other));
    assert!(name(&native).as_str().ends_with("_same_end_of_a_long_name"));
    assert_eq!(name(&native).as_str().chars().count(), 50);
}

#[test]
fn a_name_is_cut_between_characters() {
    let target = TargetName::new("t").unwrap();
    let native = NativeName::new(&"é".repeat(60)).unwrap();
    assert_eq!(ToolName::prefixed(&target, &native, 0).as_str().chars().count(), 16);
    assert_eq!(ToolName::bare(&native).as_str(), native.as_str());
    assert!(NativeName::new("").is_err());
}
