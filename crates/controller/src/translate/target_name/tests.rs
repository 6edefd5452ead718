use crate::translate::target_name::{Claim, Rank, assign, is_valid};

#[test]
fn everyone_gets_the_name_that_nobody_else_wants() {
    check(&[("a", Rank::Own, "x"), ("b", Rank::Other, "y")], &[Some("a"), Some("b")]);
}

#[test]
fn the_written_name_comes_first_then_the_own_namespace_then_the_order() {
    check(
        &[("a", Rank::Other, "x"), ("a", Rank::Own, "y"), ("a", Rank::Written, "")],
        &[Some("a-x"), Some("a-y"), Some("a")],
    );
    check(&[("a", Rank::Other, "old"), ("a", Rank::Other, "new")], &[Some("a"), Some("a-new")]);
}

#[test]
fn a_second_choice_never_takes_what_another_wants_first() {
    check(
        &[("a", Rank::Own, "x"), ("a", Rank::Own, "x"), ("a-x", Rank::Other, "y")],
        &[Some("a"), Some("a-x-80"), Some("a-x")],
    );
}

#[test]
fn a_written_name_is_there_once() {
    check(&[("a", Rank::Written, ""), ("a", Rank::Written, "")], &[Some("a"), None]);
}

#[test]
fn a_name_is_a_dns_subdomain() {
    for name in ["a", "0", "mcp-server-3001", "a.b-c.d"] {
        assert!(is_valid(name), "{name}");
    }
    for name in ["", "A", "a_b", "a+b", "-a", "a-", "a..b", ".a", &"a".repeat(254)] {
        assert!(!is_valid(name), "{name}");
    }
}

fn check(claims: &[(&str, Rank, &str)], expected: &[Option<&str>]) {
    let claim = |(wanted, rank, namespace): &(&str, Rank, &str)| Claim {
        wanted: (*wanted).to_owned(),
        held: None,
        rank: *rank,
        namespace: (*namespace).to_owned(),
        port: 80,
    };
    let claims: Vec<Claim> = claims.iter().map(claim).collect();
    let names = assign(&claims);
    let names: Vec<Option<&str>> = names.iter().map(Option::as_deref).collect();
    assert_eq!(names, expected);
}
