use std::sync::Arc;

use config::PrefixMode::{self, Always, Conditional, Never};

use crate::catalog::Catalog;
use crate::catalog::fixtures::{Offer, hello, name};
use crate::federation::Unresolved;
use crate::federation::naming::Naming;
use crate::federation::resolution::TargetIndex;
use crate::federation::uri::Uris;

type Target<'a> = (&'a str, &'a [&'a str], &'a [&'a str]);

/// A client's URI: whose it is, or whose it may be.
type Read<'a> = (&'a str, Result<(&'a str, &'a str), &'a [&'a str]>);

fn build(mode: PrefixMode, targets: &[(&str, Arc<Catalog>)]) -> (TargetIndex, Uris) {
    let index = TargetIndex::new(targets.iter().map(|(target, _)| name(target)).collect());
    let catalogs: Vec<_> = targets.iter().map(|(_, catalog)| Some(catalog.clone())).collect();
    let uris = Uris::build(&Naming { mode, max_length: 50 }, &index, &catalogs);
    (index, uris)
}

fn read(index: &TargetIndex, uris: &Uris, (uri, expected): Read<'_>) {
    let text = |target: &mcp::TargetName| target.as_str().to_owned();
    let found = uris
        .resolve(index, uri)
        .map(|resolved| (text(index.name(resolved.target).unwrap()), resolved.native.to_string()));
    let expected = expected
        .map(|(target, native)| (target.to_owned(), native.to_owned()))
        .map_err(|candidates| candidates.iter().map(ToString::to_string).collect());
    let found = found.map_err(|error| match error {
        Unresolved::Unknown => Vec::new(),
        Unresolved::Ambiguous { candidates } => candidates.iter().map(text).collect(),
    });
    assert_eq!(found, expected, "{uri}");
}

/// Targets with their URIs and templates, what clients see of them, and what reads mean.
fn check(mode: PrefixMode, targets: &[Target<'_>], seen: &[&str], reads: &[Read<'_>]) {
    let catalogs: Vec<_> = targets
        .iter()
        .map(|(target, uris, templates)| (*target, Offer::uris(uris, templates).catalog()))
        .collect();
    let (index, uris) = build(mode, &catalogs);
    let mut now = Vec::new();
    for (position, (target, resources, templates)) in targets.iter().enumerate() {
        for native in resources.iter().chain(*templates) {
            let client = uris.client_uri(&index, position, native).into_owned();
            read(&index, &uris, (&client, Ok((target, native))));
            now.push(client);
        }
    }
    assert_eq!(now, seen, "{mode:?}");
    for one in reads {
        read(&index, &uris, *one);
    }
}

const OFFERED: &[&str] = &["file:///x", "memo:x", "ui://app/main", "https://h/x", "plain/x"];

#[test]
fn a_single_target_keeps_its_uris_unless_always_prefixed() {
    let reads: &[Read<'_>] = &[
        ("a+file:///x", Ok(("a", "file:///x"))),
        ("ui://a+app/main", Ok(("a", "ui://app/main"))),
        ("other:x", Ok(("a", "other:x"))),
        ("b+memo:x", Ok(("a", "b+memo:x"))),
    ];
    check(Conditional, &[("a", OFFERED, &["t:{x}"])], &[OFFERED, &["t:{x}"]].concat(), reads);
    check(Never, &[("a", OFFERED, &[])], OFFERED, reads);
    check(
        Always,
        &[("a", OFFERED, &[])],
        &["a+file:///x", "a+memo:x", "ui://a+app/main", "https://h/x", "plain/x"],
        reads,
    );
}

#[test]
fn a_single_targets_own_uri_comes_before_the_form_it_has_beside_others() {
    let reads: &[Read<'_>] = &[("a+memo:x", Ok(("a", "a+memo:x")))];
    let uris = &["memo:x", "a+memo:x"];
    check(Conditional, &[("a", uris, &[])], uris, reads);
}

#[test]
fn without_targets_no_uri_is_known() {
    for mode in [Conditional, Always, Never] {
        check(mode, &[], &[], &[("a+x:y", Err(&[])), ("https://h", Err(&[]))]);
    }
}

#[test]
fn several_targets_qualify_all_but_web_and_scheme_less_uris_in_every_mode() {
    for mode in [Conditional, Always, Never] {
        check(
            mode,
            &[("a", OFFERED, &[]), ("b", &["memo:x", "git+ssh://h"], &[])],
            &[
                "a+file:///x",
                "a+memo:x",
                "ui://a+app/main",
                "https://h/x",
                "plain/x",
                "b+memo:x",
                "b+git+ssh://h",
            ],
            &[
                ("file:///x", Ok(("a", "file:///x"))),
                ("memo:x", Err(&["a", "b"])),
                ("ui://app/main", Ok(("a", "ui://app/main"))),
                ("b+https://h/x", Ok(("b", "https://h/x"))),
                ("ui://b+other", Ok(("b", "ui://other"))),
                ("c+memo:x", Err(&["a", "b"])),
                ("a+", Err(&["a", "b"])),
            ],
        );
    }
}

#[test]
fn a_scheme_that_looks_like_a_target_stays_readable() {
    check(
        Conditional,
        &[("git", &["ssh://h"], &[]), ("b", &["git+ssh://h", "git+plain"], &[])],
        &["git+ssh://h", "b+git+ssh://h", "b+git+plain"],
        &[],
    );
}

#[test]
fn web_uris_are_read_by_index_then_templates_then_the_only_reader() {
    check(
        Conditional,
        &[
            ("a", &["https://h/x"], &["https://h/{id}"]),
            ("b", &["HTTPS://h/y"], &["https://h/docs/{+path}", "https://s/find{?q}"]),
        ],
        &[
            "https://h/x",
            "https://h/{id}",
            "HTTPS://h/y",
            "https://h/docs/{+path}",
            "https://s/find{?q}",
        ],
        &[
            ("https://h/1", Ok(("a", "https://h/1"))),
            ("https://h/docs/1/2", Ok(("b", "https://h/docs/1/2"))),
            ("https://s/find?q=1", Ok(("b", "https://s/find?q=1"))),
            ("https://other", Err(&["a", "b"])),
            ("nowhere/1", Err(&["a", "b"])),
        ],
    );
}

#[test]
fn the_only_target_with_resources_reads_what_nobody_lists() {
    let tools_only = Offer::tools(&["x"]).catalog_of(hello(r#"{"tools":{}}"#, ""));
    let catalogs = [("a", Offer::uris(&[], &[]).catalog()), ("b", tools_only.clone())];
    let (index, uris) = build(Conditional, &catalogs);
    read(&index, &uris, ("https://any", Ok(("a", "https://any"))));
    read(&index, &uris, ("any/path", Ok(("a", "any/path"))));
    assert_eq!(uris.client_uri(&index, 0, "any/path"), "any/path");
    assert_eq!(uris.client_uri(&index, 1, "any/path"), "b+any/path");
    let (index, uris) = build(Conditional, &[("b", tools_only.clone()), ("c", tools_only)]);
    read(&index, &uris, ("https://any", Err(&[])));
}

#[test]
fn what_several_targets_offer_is_qualified_for_each() {
    check(
        Conditional,
        &[
            ("a", &["https://h/x", "plain"], &["https://t/{id}", "notes/{id}"]),
            ("b", &["https://h/x", "plain"], &["https://t/{name}", "notes/{+id}"]),
        ],
        &[
            "a+https://h/x",
            "a+plain",
            "a+https://t/{id}",
            "notes/{id}",
            "b+https://h/x",
            "b+plain",
            "b+https://t/{name}",
            "notes/{+id}",
        ],
        &[
            ("https://h/x", Err(&["a", "b"])),
            ("a+https://t/1", Ok(("a", "https://t/1"))),
            ("https://t/1", Err(&["a", "b"])),
            ("notes/1/2", Ok(("b", "notes/1/2"))),
        ],
    );
}

#[test]
fn templates_are_qualified_where_their_scheme_is_or_may_be() {
    check(
        Conditional,
        &[
            ("a", &[], &["x:{y}", "ui://{app}/v", "{scheme}://h", "{+uri}", "ht{x}"]),
            ("b", &[], &["dir/{z}", "http://h/{+rest}", "http{s}://h"]),
        ],
        &[
            "a+x:{y}",
            "ui://a+{app}/v",
            "a+{scheme}://h",
            "a+{+uri}",
            "a+ht{x}",
            "dir/{z}",
            "http://h/{+rest}",
            "b+http{s}://h",
        ],
        &[
            ("a+x:1", Ok(("a", "x:1"))),
            ("ui://a+shop/v", Ok(("a", "ui://shop/v"))),
            ("a+https://h", Ok(("a", "https://h"))),
        ],
    );
}

#[test]
fn uris_in_results_can_be_passed_back() {
    let catalogs = [
        ("a", Offer::uris(&["https://h/x", "file:///l"], &["https://t/{id}"]).catalog()),
        ("b", Offer::uris(&[], &[]).catalog()),
    ];
    let (index, uris) = build(Conditional, &catalogs);
    for (target, native, client) in [
        (0, "https://h/x", "https://h/x"),
        (1, "https://h/x", "b+https://h/x"),
        (0, "https://t/1", "https://t/1"),
        (1, "https://t/1", "b+https://t/1"),
        (1, "dir/x", "b+dir/x"),
        (1, "a+dir/x", "b+a+dir/x"),
        (1, "memo:unlisted", "b+memo:unlisted"),
        (1, "UI://x", "UI://b+x"),
        (1, "C:\\\\x", "b+C:\\\\x"),
    ] {
        assert_eq!(uris.client_uri(&index, target, native), client);
        let owner = ["a", "b"][target];
        read(&index, &uris, (client, Ok((owner, native))));
    }
    // What nobody offers leads to the web; a reader is told who may have it.
    assert_eq!(uris.client_uri(&index, 1, "https://elsewhere"), "https://elsewhere");
    read(&index, &uris, ("https://elsewhere", Err(&["a", "b"])));
    read(&index, &uris, ("b+https://elsewhere", Ok(("b", "https://elsewhere"))));
}
