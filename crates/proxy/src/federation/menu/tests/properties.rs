//! What holds for menus of any targets.

use std::collections::HashMap;

use config::PrefixMode;
use mcp::ListKind;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::catalog::fixtures::{Offer, app_tool, tool};
use crate::federation::menu::tests::{fresh, result, text};
use crate::federation::{Menu, NameKind, Naming};

type Targets = Vec<(&'static str, Offer)>;

const TARGETS: &[&str] = &[
    "a",
    "a-b",
    "b",
    "git",
    "mcp-server-everything-3001",
    "mcp-server-everything-3002",
    "a-very-long-name-of-a-target-that-takes-all-there-is-for-names.example",
];

const NAMES: &[&str] = &[
    "x",
    "a_x",
    "b_x",
    "_x",
    "x_",
    "a-b_x",
    "git_a_x",
    "get weather é",
    "trigger-elicitation-request-async",
    "a_very_long_name_that_is_longer_than_all_limits_by_itself_one",
    "b_very_long_name_that_is_longer_than_all_limits_by_itself_one",
];

const URIS: &[&str] = &[
    "file:///x",
    "memo:x",
    "ui://v",
    "ui://a+v",
    "a+memo:x",
    "git+ssh://h",
    "https://h/x",
    "HTTP://h/y",
    "plain",
    "a+plain",
    "dir/x",
    "+",
    ":",
];

const TEMPLATES: &[&str] = &[
    "file:///{+path}",
    "ui://{app}",
    "https://h/{id}",
    "https://h/{name}",
    "https://h/x{?q}",
    "dir/{x}",
    "{+uri}",
    "{scheme}:x",
    "broken{",
];

fn some(pool: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(pool, 0..=pool.len().min(5)).prop_shuffle()
}

prop_compose! {
    fn offers()(
        tools in some(NAMES),
        apps in some(NAMES),
        prompts in some(NAMES),
        uris in some(URIS),
        templates in some(TEMPLATES),
    ) -> Offer {
        let tool = |name: &&str| if apps.contains(name) { app_tool(name) } else { tool(name) };
        Offer {
            tools: tools.iter().map(tool).collect(),
            prompts: prompts.iter().map(|name| format!(r#"{{"name":"{name}"}}"#)).collect(),
            ..Offer::uris(&uris, &templates)
        }
    }
}

fn targets() -> impl Strategy<Value = Targets> {
    let names = subsequence(TARGETS, 0..=4).prop_shuffle();
    names.prop_flat_map(|names| {
        let offers = prop::collection::vec(offers(), names.len());
        offers.prop_map(move |offers| names.iter().copied().zip(offers).collect())
    })
}

fn namings() -> impl Strategy<Value = Naming> {
    let modes = select(&[PrefixMode::Conditional, PrefixMode::Always, PrefixMode::Never][..]);
    (modes, select(&[24, 50, 128][..])).prop_map(|(mode, max_length)| Naming { mode, max_length })
}

fn build(targets: &Targets, naming: Naming, previous: Option<&Menu>) -> Menu {
    let targets = targets.iter().map(|(name, offer)| fresh(name, &offer.catalog())).collect();
    Menu::build(targets, &naming, previous)
}

fn native_keys(menu: &Menu, target: usize, kind: ListKind) -> Vec<String> {
    let catalog = menu.targets()[target].catalog.as_ref().unwrap();
    let keys = catalog.items(kind).iter().map(|item| item.key.as_ref().unwrap());
    keys.map(|key| key.as_str().to_owned()).collect()
}

/// What a list shows, beside whose entry each is.
fn shown(menu: &Menu, kind: ListKind) -> Vec<(String, usize, String)> {
    let natives = (0..menu.targets().len()).flat_map(|target| {
        native_keys(menu, target, kind).into_iter().map(move |native| (target, native))
    });
    let list = result(menu, kind);
    let items = list[kind.field()].as_array().unwrap();
    let natives: Vec<_> = natives.collect();
    assert_eq!(items.len(), natives.len());
    let shown = items.iter().map(|item| item[kind.key()].as_str().unwrap().to_owned());
    shown.zip(natives).map(|(shown, (target, native))| (shown, target, native)).collect()
}

const NAMED: [(NameKind, ListKind); 2] =
    [(NameKind::Tool, ListKind::Tools), (NameKind::Prompt, ListKind::Prompts)];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_listed_name_means_exactly_its_entry(targets in targets(), naming in namings()) {
        let menu = build(&targets, naming, None);
        for (name_kind, kind) in NAMED {
            for (shown, target, native) in shown(&menu, kind) {
                let resolved = menu.resolve_name(name_kind, &shown).unwrap();
                prop_assert_eq!((resolved.target, &*resolved.native), (target, &*native));
                prop_assert!(resolved.listed);
            }
        }
    }

    #[test]
    fn a_prefixed_name_can_always_be_called(targets in targets(), naming in namings()) {
        let menu = build(&targets, naming, None);
        for (name_kind, kind) in NAMED {
            for (target, (name, _)) in targets.iter().enumerate() {
                let natives = native_keys(&menu, target, kind);
                for native in &natives {
                    let full = format!("{name}_{native}");
                    // A single target that is not prefixed has its own names first.
                    if menu.is_single() && natives.contains(&full) {
                        continue;
                    }
                    let resolved = menu.resolve_name(name_kind, &full).unwrap();
                    prop_assert_eq!((resolved.target, &*resolved.native), (target, &**native));
                }
            }
        }
    }

    #[test]
    fn every_listed_uri_is_read_from_its_target_and_mapped_back(
        targets in targets(),
        naming in namings(),
    ) {
        let menu = build(&targets, naming, None);
        for kind in [ListKind::Resources, ListKind::ResourceTemplates] {
            for (shown, target, native) in shown(&menu, kind) {
                let resolved = menu.resolve_uri(&shown).unwrap();
                prop_assert_eq!((resolved.target, &*resolved.native), (target, &*native));
                prop_assert!(resolved.listed);
                prop_assert_eq!(menu.client_uri(target, &native), shown);
            }
        }
    }

    #[test]
    fn uris_of_results_lead_back_unless_they_are_the_webs(
        targets in targets(),
        naming in namings(),
        uri in select(URIS),
    ) {
        let menu = build(&targets, naming, None);
        for (target, (name, _)) in targets.iter().enumerate() {
            let client = menu.client_uri(target, uri);
            if client == uri && uri.to_ascii_lowercase().starts_with("http") {
                continue;
            }
            // A URI that a single target does not list, in the very form that one which it does
            // list has beside other targets, means that one.
            let own = match uri.strip_prefix(&format!("ui://{name}+")) {
                Some(rest) => Some(format!("ui://{rest}")),
                None => uri.strip_prefix(&format!("{name}+")).map(str::to_owned),
            };
            if menu.is_single() && own.is_some_and(|own| menu.resolve_uri(&own).unwrap().listed) {
                continue;
            }
            let resolved = menu.resolve_uri(&client).unwrap();
            prop_assert_eq!((resolved.target, &*resolved.native), (target, uri));
        }
    }

    #[test]
    fn no_prefixed_name_changes_when_a_target_arrives_or_goes(
        targets in targets(),
        naming in namings(),
        gone in any::<prop::sample::Index>(),
    ) {
        if targets.is_empty() {
            return Ok(());
        }
        let mut fewer = targets.clone();
        fewer.remove(gone.index(targets.len()));
        let names = |targets: &Targets, kind| -> HashMap<(String, String), String> {
            let menu = build(targets, naming, None);
            let owned = |(shown, target, native): (String, usize, String)| {
                ((menu.targets()[target].name.as_str().to_owned(), native), shown)
            };
            shown(&menu, kind).into_iter().map(owned).collect()
        };
        for (_, kind) in NAMED {
            let (before, after) = (names(&fewer, kind), names(&targets, kind));
            for (entry, shown) in &before {
                let bare = *shown == entry.1 || after[entry] == entry.1;
                prop_assert!(bare || *shown == after[entry], "{} {}", shown, after[entry]);
            }
        }
    }

    #[test]
    fn a_menu_is_the_same_however_it_came_about(
        other in targets(),
        targets in targets(),
        stays in prop::collection::vec(any::<bool>(), 4),
        naming in namings(),
        naming_before in namings(),
    ) {
        let staying = targets.iter().zip(stays).filter(|(_, stays)| *stays);
        let mut before: Targets = staying.map(|(target, _)| target.clone()).collect();
        before.extend(other.into_iter().filter(|(name, _)| targets.iter().all(|(now, _)| now != name)));
        let fresh = build(&targets, naming, None);
        let previous = build(&before, naming_before, None);
        let reusing = build(&targets, naming, Some(&previous));
        for kind in ListKind::ALL {
            prop_assert_eq!(text(&fresh, kind), text(&reusing, kind));
        }
        prop_assert_eq!(fresh.changed_from(&reusing), []);
    }

    #[test]
    fn a_change_is_told_exactly_if_lists_differ(
        one in targets(),
        two in targets(),
        naming in namings(),
        keep in any::<bool>(),
    ) {
        let two = if keep { one.iter().rev().cloned().collect() } else { two };
        let (one, two) = (build(&one, naming, None), build(&two, naming, None));
        let differ = |kind| text(&one, kind) != text(&two, kind);
        let mut expected: Vec<_> =
            [ListKind::Tools, ListKind::Prompts].into_iter().filter(|kind| differ(*kind)).collect();
        if differ(ListKind::Resources) || differ(ListKind::ResourceTemplates) {
            expected.push(ListKind::Resources);
        }
        prop_assert_eq!(two.changed_from(&one), expected);
    }
}
