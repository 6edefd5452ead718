use mcp::ListKind;

use crate::catalog::fixtures::{Offer, tool};
use crate::catalog::{Withheld, WithheldReason};

fn check(tools: &[&str], offered: &[&str], withheld: &[(Option<&str>, WithheldReason)]) {
    let offer =
        Offer { tools: tools.iter().map(ToString::to_string).collect(), ..Offer::default() };
    let catalog = offer.catalog();
    let names: Vec<_> = catalog
        .items(ListKind::Tools)
        .iter()
        .map(|item| std::str::from_utf8(&item.raw).unwrap())
        .collect();
    assert_eq!(names, offered);
    let expected: Vec<_> = withheld
        .iter()
        .map(|(key, reason)| Withheld {
            kind: ListKind::Tools,
            key: key.map(Into::into),
            reason: *reason,
        })
        .collect();
    assert_eq!(catalog.withheld(), expected);
}

#[test]
fn entries_keep_their_bytes_and_order() {
    let tools = [r#"{ "x":1.0, "name":"b" }"#, r#"{"name":"a"}"#];
    check(&tools, &tools, &[]);
}

#[test]
fn of_the_same_tool_twice_the_first_is_offered() {
    check(
        &[r#"{"name":"a","n":1}"#, r#"{"name":"b"}"#, r#"{"name":"\u0061","n":2}"#],
        &[r#"{"name":"a","n":1}"#, r#"{"name":"b"}"#],
        &[(Some("a"), WithheldReason::Repeated)],
    );
}

#[test]
fn an_entry_without_a_name_is_withheld() {
    check(
        &[r#"{"name":"a"}"#, r#"{"title":"x"}"#, r#"{"name":7}"#],
        &[r#"{"name":"a"}"#],
        &[(None, WithheldReason::NoKey), (None, WithheldReason::NoKey)],
    );
}

#[test]
fn lists_are_the_same_if_their_bytes_and_what_is_withheld_are() {
    let same = |one: &[&str], two: &[&str]| {
        let catalog = |names| Offer::tools(names).catalog();
        catalog(one).same_list(&catalog(two), ListKind::Tools)
    };
    assert!(same(&["a", "b"], &["a", "b"]));
    assert!(!same(&["a", "b"], &["b", "a"]));
    assert!(!same(&["a"], &["a", "b"]));
    assert!(!same(&["a"], &["a", "a"]));
    let mut other = Offer::tools(&["a"]);
    other.resources.push(tool("no uri"));
    assert!(other.catalog().same_list(&Offer::tools(&["a"]).catalog(), ListKind::Tools));
    assert!(!other.catalog().same_list(&Offer::tools(&["a"]).catalog(), ListKind::Resources));
}
