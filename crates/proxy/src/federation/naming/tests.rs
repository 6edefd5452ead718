use std::sync::Arc;

use config::PrefixMode;
use config::PrefixMode::{Always, Conditional, Never};

use crate::catalog::Catalog;
use crate::catalog::fixtures::{Offer, app_tool, name, tool};
use crate::federation::Unresolved;
use crate::federation::naming::choice::shortened;
use crate::federation::naming::{NameKind, Names, Naming};
use crate::federation::resolution::TargetIndex;

/// What a name turned out to mean.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Entry(String, String),
    Unlisted(String, String),
    Ambiguous(Vec<String>),
    Unknown,
}

fn build(naming: Naming, offers: &[(&str, Offer)]) -> (TargetIndex, Names, Vec<Vec<String>>) {
    let index = TargetIndex::new(offers.iter().map(|(target, _)| name(target)).collect());
    let catalogs: Vec<Option<Arc<Catalog>>> =
        offers.iter().map(|(_, offer)| Some(offer.catalog())).collect();
    let names = Names::build(NameKind::Tool, &naming, &index, &catalogs);
    let listed = (0..offers.len())
        .map(|target| names.listed(target).iter().map(|form| form.name().to_string()).collect())
        .collect();
    (index, names, listed)
}

fn meaning(index: &TargetIndex, names: &Names, called: &str) -> Meaning {
    let text = |target: &mcp::TargetName| target.as_str().to_owned();
    match names.resolve(index, called) {
        Ok(resolved) => {
            let target = text(index.name(resolved.target).unwrap());
            let native = resolved.native.to_string();
            if resolved.listed {
                Meaning::Entry(target, native)
            } else {
                Meaning::Unlisted(target, native)
            }
        }
        Err(Unresolved::Unknown) => Meaning::Unknown,
        Err(Unresolved::Ambiguous { candidates }) => {
            Meaning::Ambiguous(candidates.iter().map(text).collect())
        }
    }
}

/// Targets with their tools (`*` before one for apps alone), what is listed, and what names mean.
fn check(
    mode: PrefixMode,
    targets: &[(&str, &[&str])],
    listed: &[&str],
    meanings: &[(&str, Meaning)],
) {
    let offer = |tools: &[&str]| Offer {
        tools: tools
            .iter()
            .map(|text| text.strip_prefix('*').map_or_else(|| tool(text), app_tool))
            .collect(),
        ..Offer::default()
    };
    let offers: Vec<_> = targets.iter().map(|(target, tools)| (*target, offer(tools))).collect();
    let (index, names, now) = build(Naming { mode, max_length: 50 }, &offers);
    assert_eq!(now.concat(), listed, "{mode:?} {targets:?}");
    for (called, expected) in meanings {
        assert_eq!(&meaning(&index, &names, called), expected, "{called}");
    }
    let natives = targets.iter().flat_map(|(target, tools)| {
        tools.iter().map(move |tool| (*target, tool.trim_start_matches('*')))
    });
    for ((target, native), listed) in natives.zip(now.concat()) {
        assert_eq!(meaning(&index, &names, &listed), entry(target, native), "{listed}");
    }
}

fn entry(target: &str, native: &str) -> Meaning {
    Meaning::Entry(target.into(), native.into())
}

fn unlisted(target: &str, native: &str) -> Meaning {
    Meaning::Unlisted(target.into(), native.into())
}

fn ambiguous(targets: &[&str]) -> Meaning {
    Meaning::Ambiguous(targets.iter().map(ToString::to_string).collect())
}

#[test]
fn without_targets_nothing_is_listed_or_known() {
    for mode in [Conditional, Always, Never] {
        check(mode, &[], &[], &[("x", Meaning::Unknown), ("a_x", Meaning::Unknown)]);
    }
}

#[test]
fn a_single_target_keeps_its_names_unless_always_prefixed() {
    let meanings = || [("echo", entry("a", "echo")), ("a_echo", entry("a", "echo"))];
    check(Conditional, &[("a", &["echo"])], &["echo"], &meanings());
    check(Never, &[("a", &["echo"])], &["echo"], &meanings());
    check(Always, &[("a", &["echo"])], &["a_echo"], &meanings());
}

#[test]
fn a_single_target_gets_names_that_nobody_knows() {
    let meanings = || [("new", unlisted("a", "new")), ("b_new", unlisted("a", "b_new"))];
    for (mode, listed) in [(Conditional, "x"), (Never, "x"), (Always, "a_x")] {
        check(mode, &[("a", &["x"])], &[listed], &meanings());
    }
    check(Conditional, &[("a", &["x"])], &["x"], &[("a_new", unlisted("a", "a_new"))]);
    check(Always, &[("a", &["x"])], &["a_x"], &[("a_new", unlisted("a", "new"))]);
}

#[test]
fn a_single_target_whose_tools_begin_with_its_name_keeps_them_apart() {
    check(
        Conditional,
        &[("github", &["search", "github_search", "github_x"])],
        &["search", "github_search", "github_x"],
        &[("github_github_search", entry("github", "github_search"))],
    );
}

#[test]
fn several_targets_are_prefixed_and_a_bare_name_is_an_alias_while_one_has_it() {
    let targets: &[(&str, &[&str])] = &[("a", &["echo", "x"]), ("b", &["echo", "y"])];
    let meanings = || {
        [
            ("x", entry("a", "x")),
            ("echo", ambiguous(&["a", "b"])),
            ("b_hidden", unlisted("b", "hidden")),
            ("c_x", Meaning::Unknown),
            ("z", Meaning::Unknown),
            ("a_", Meaning::Unknown),
            ("_x", Meaning::Unknown),
        ]
    };
    for mode in [Conditional, Always] {
        check(mode, targets, &["a_echo", "a_x", "b_echo", "b_y"], &meanings());
    }
    check(Never, targets, &["a_echo", "x", "b_echo", "y"], &meanings());
}

#[test]
fn three_targets_are_named_like_two() {
    let targets: &[(&str, &[&str])] = &[("a", &["x"]), ("b", &["x"]), ("c", &["z"])];
    let meanings = || [("x", ambiguous(&["a", "b"])), ("z", entry("c", "z"))];
    check(Conditional, targets, &["a_x", "b_x", "c_z"], &meanings());
    check(Always, targets, &["a_x", "b_x", "c_z"], &meanings());
    check(Never, targets, &["a_x", "b_x", "z"], &meanings());
}

#[test]
fn a_target_without_tools_counts() {
    check(Conditional, &[("a", &["x"]), ("b", &[])], &["a_x"], &[]);
}

#[test]
fn targets_whose_names_begin_alike_are_told_apart() {
    check(
        Conditional,
        &[("a", &["b_c", "-b_c"]), ("a-b", &["c", "c_d"]), ("a-b.c", &["c"])],
        &["a_b_c", "a_-b_c", "a-b_c", "a-b_c_d", "a-b.c_c"],
        &[],
    );
}

#[test]
fn a_bare_name_never_takes_the_place_of_a_prefixed_one() {
    check(
        Never,
        &[("a", &["x"]), ("b", &["a_x", "a_y"])],
        &["x", "b_a_x", "a_y"],
        &[("a_x", entry("a", "x")), ("b_a_y", entry("b", "a_y"))],
    );
    check(
        Never,
        &[("a", &["x", "a_x"]), ("b", &["y"])],
        &["x", "a_a_x", "y"],
        &[("a_x", entry("a", "x"))],
    );
}

#[test]
fn tools_for_apps_alone_keep_their_name_while_it_is_unique() {
    check(
        Conditional,
        &[("a", &["*refresh", "x"]), ("b", &["y"])],
        &["refresh", "a_x", "b_y"],
        &[("a_refresh", entry("a", "refresh"))],
    );
    check(Always, &[("a", &["*refresh", "x"])], &["refresh", "a_x"], &[]);
    check(
        Conditional,
        &[("a", &["*refresh"]), ("b", &["refresh"])],
        &["a_refresh", "b_refresh"],
        &[("refresh", ambiguous(&["a", "b"]))],
    );
    check(Conditional, &[("a", &["*b_y"]), ("b", &["y"])], &["a_b_y", "b_y"], &[]);
}

#[test]
fn only_visibility_for_apps_alone_counts() {
    let tool = |meta: &str| format!(r#"{{"name":"x","_meta":{meta}}}"#);
    for (meta, listed) in [
        (r#"{"ui":{"visibility":["app"],"more":1},"other":{}}"#, "x"),
        (r#"{"ui":{"visibility":["app","model"]}}"#, "a_x"),
        (r#"{"ui":{"visibility":[]}}"#, "a_x"),
        (r#"{"ui":{"visibility":"app"}}"#, "a_x"),
        (r#"{"visibility":["app"]}"#, "a_x"),
        (r#"{"ui":null,"k":"visibility"}"#, "a_x"),
    ] {
        let offers =
            [("a", Offer { tools: vec![tool(meta)], ..Offer::default() }), ("b", Offer::default())];
        let naming = Naming { mode: Conditional, max_length: 50 };
        assert_eq!(build(naming, &offers).2.concat(), [listed], "{meta}");
    }
}

const EVERYTHING: &str = "mcp-server-everything-3001";
const LONG: &str = "trigger-elicitation-request-async";

#[test]
fn a_name_that_is_too_long_is_shortened_and_keeps_its_end() {
    let offers = [(EVERYTHING, Offer::tools(&[LONG, "echo"])), ("b", Offer::tools(&["y"]))];
    let (index, names, listed) = build(Naming { mode: Conditional, max_length: 50 }, &offers);
    let [short, echo] = listed[0].as_slice() else { panic!("{listed:?}") };
    assert!(short.chars().count() <= 50, "{short}");
    assert!(short.starts_with("mcp-server-every-"), "{short}");
    assert!(short.ends_with("request-async"), "{short}");
    assert_eq!(echo, "mcp-server-everything-3001_echo");
    for called in [short.clone(), format!("{EVERYTHING}_{LONG}"), LONG.to_owned()] {
        assert_eq!(meaning(&index, &names, &called), entry(EVERYTHING, LONG), "{called}");
    }
}

#[test]
fn a_shortened_name_can_be_called_when_the_target_is_alone_again() {
    let several = [(EVERYTHING, Offer::tools(&[LONG])), ("b", Offer::tools(&["y"]))];
    let naming = Naming { mode: Conditional, max_length: 50 };
    let short = build(naming, &several).2.concat().swap_remove(0);
    let (index, names, listed) = build(naming, &several[..1]);
    assert_eq!(listed.concat(), [LONG]);
    assert_eq!(meaning(&index, &names, &short), entry(EVERYTHING, LONG));
}

#[test]
fn names_that_come_out_alike_when_shortened_are_listed_in_full() {
    // With so short a limit the digest and the end are cut alike soon; look for a pair.
    let naming = Naming { mode: Conditional, max_length: 24 };
    let natives: Vec<String> = (0..150_000).map(|n| format!("{n:06}-{}", "x".repeat(40))).collect();
    let mut seen = std::collections::HashMap::new();
    let target = name(EVERYTHING);
    let pair = natives.iter().find_map(|native| {
        let short = shortened(&target, native, naming.max_length).unwrap();
        seen.insert(short, native).map(|other| (other.as_str(), native.as_str()))
    });
    let Some((one, two)) = pair else { panic!("no two of 150,000 digests are alike") };
    let offers = [(EVERYTHING, Offer::tools(&[one, two])), ("b", Offer::tools(&["y"]))];
    let (index, names, listed) = build(naming, &offers);
    assert_eq!(listed[0], [format!("{EVERYTHING}_{one}"), format!("{EVERYTHING}_{two}")]);
    for (native, listed) in [one, two].iter().zip(&listed[0]) {
        assert_eq!(meaning(&index, &names, listed), entry(EVERYTHING, native));
    }
    let short = shortened(&target, one, naming.max_length).unwrap();
    assert_eq!(meaning(&index, &names, &short), Meaning::Unknown);
}

#[test]
fn a_shortened_name_that_is_another_targets_full_name_gives_way() {
    let naming = Naming { mode: Conditional, max_length: 50 };
    let short = shortened(&name(EVERYTHING), LONG, 50).unwrap();
    let (squatter, native) = short.split_once('_').unwrap();
    let offers = [(EVERYTHING, Offer::tools(&[LONG])), (squatter, Offer::tools(&[native]))];
    let (index, names, listed) = build(naming, &offers);
    assert_eq!(listed.concat(), [format!("{EVERYTHING}_{LONG}"), short.to_string()]);
    assert_eq!(meaning(&index, &names, &short), entry(squatter, native));
}

#[test]
fn the_limit_counts_characters_of_the_name_as_listed() {
    for (native, shortened) in [("e".repeat(48), false), ("e".repeat(49), true)] {
        let offers = [("a", Offer::tools(&[&native])), ("b", Offer::default())];
        let listed = build(Naming { mode: Conditional, max_length: 50 }, &offers).2.concat();
        assert_eq!(listed != [format!("a_{native}")], shortened, "{listed:?}");
    }
}

#[test]
fn a_name_that_models_would_refuse_is_listed_as_one_that_they_take() {
    let odd = ["bad name with space", "\u{fc}n\u{ef}"];
    let offers = [("a", Offer::tools(&odd)), ("b", Offer::default())];
    let naming = Naming { mode: Conditional, max_length: 50 };
    let (index, names, listed) = build(naming, &offers);
    for (native, listed) in odd.iter().zip(&listed[0]) {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
        assert!(listed.starts_with("a-") && listed.chars().all(is_plain), "{listed}");
        for called in [listed.clone(), format!("a_{native}")] {
            assert_eq!(meaning(&index, &names, &called), entry("a", native), "{called}");
        }
    }
    // A single target's names are its own.
    assert_eq!(build(naming, &offers[..1]).2.concat(), odd);
}
