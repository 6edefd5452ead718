use crate::federation::template::UriTemplate;

fn check(template: &str, matching: &[&str], others: &[&str]) {
    let parsed = UriTemplate::parse(template).unwrap();
    for uri in matching {
        assert!(parsed.matches(uri), "`{template}` must match `{uri}`");
    }
    for uri in others {
        assert!(!parsed.matches(uri), "`{template}` must not match `{uri}`");
    }
}

#[test]
fn a_text_without_expressions_matches_itself() {
    check("memo:x", &["memo:x"], &["memo:", "memo:xy", ""]);
    check("", &[""], &["a"]);
}

#[test]
fn a_plain_variable_is_one_path_segment_and_not_empty() {
    check("notes/{id}", &["notes/1", "notes/a%2Fb", "notes/é"], &["notes/", "notes/1/2"]);
    check("n/{a}/{b}.md", &["n/1/2.md", "n/1/a.md.md"], &["n/1.md", "n/1/.md", "n/1/2/3.md"]);
    check("x:{a}{b}", &["x:12"], &["x:1"]);
    check("p/{x,y}", &["p/1,2"], &["p/1/2"]);
}

#[test]
fn a_reserved_variable_spans_segments() {
    check(
        "https://h/{+path}",
        &["https://h/a/b?c#d", "https://h/a"],
        &["https://h/", "http://h/a"],
    );
    check("f:{+path}/raw", &["f:a/b/raw", "f:raw/raw"], &["f:/raw", "f:a/raw/x"]);
}

#[test]
fn a_query_may_be_absent() {
    check(
        "https://h/s{?q}",
        &["https://h/s", "https://h/s?q=1"],
        &["https://h/sq", "https://h/s#x"],
    );
    check("h?a=1{&b,c}", &["h?a=1", "h?a=1&b=2&c=3"], &["h?a=12"]);
}

#[test]
fn the_other_operators_have_their_leads() {
    check("a{#x}", &["a", "a#b/c?d"], &["ab", "a/b"]);
    check("a{.x}", &["a", "a.b", "a.b.c"], &["ab", "a.b/c"]);
    check("a{/x}", &["a", "a/b", "a/"], &["ab", "a/b/c"]);
    check("a{/x*}", &["a", "a/b/c"], &["ab", "a?b"]);
    check("a{/x,y}/z", &["a/z", "a/b/c/z"], &["az"]);
    check("a{;x}", &["a", "a;x=1;y"], &["ax"]);
}

#[test]
fn a_template_that_is_not_one_is_refused() {
    for text in ["a{", "a}", "a{}", "a{+}", "a{b", "a}b{c}"] {
        assert_eq!(UriTemplate::parse(text), None, "{text}");
    }
}

#[test]
fn names_of_variables_do_not_tell_templates_apart() {
    assert_eq!(UriTemplate::parse("a/{id}"), UriTemplate::parse("a/{name}"));
    assert_ne!(UriTemplate::parse("a/{id}"), UriTemplate::parse("a/{+id}"));
}

#[test]
fn an_endless_uri_matches_nothing() {
    let long = format!("a/{}", "x".repeat(10_000));
    check("a/{+x}", &["a/x"], &[&long]);
}
