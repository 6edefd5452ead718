use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use config::PrefixMode::{self, Always, Conditional};
use mcp::{Id, ListKind, Message, Revision, Shape};
use serde_json::{Value, json};

use crate::catalog::fixtures::{ALL_CAPABILITIES, Offer, hello, name, tool};
use crate::catalog::{Catalog, Cut, Standing};
use crate::federation::{Menu, MenuTarget, Naming};

mod properties;
mod shapes;

fn id() -> Id {
    let ping = Bytes::from_static(br#"{"jsonrpc":"2.0","id":"q7","method":"ping"}"#);
    Message::parse(ping).unwrap().id().unwrap().clone()
}

fn fresh(target: &str, catalog: &Arc<Catalog>) -> MenuTarget {
    MenuTarget { name: name(target), catalog: Some(catalog.clone()), standing: Standing::Fresh }
}

fn build(mode: PrefixMode, targets: Vec<MenuTarget>) -> Menu {
    Menu::build(targets, &Naming { mode, max_length: 50 }, None)
}

fn text(menu: &Menu, kind: ListKind) -> String {
    text_for(menu, kind, Shape::USUAL)
}

fn text_for(menu: &Menu, kind: ListKind, shape: Shape) -> String {
    let segments = menu.list(kind, shape, &id());
    let bytes: Vec<u8> = segments.iter().flatten().copied().collect();
    assert_eq!(bytes.len(), segments.len());
    String::from_utf8(bytes).unwrap()
}

fn result(menu: &Menu, kind: ListKind) -> Value {
    let mut response: Value = serde_json::from_str(&text(menu, kind)).unwrap();
    assert_eq!(response["jsonrpc"], "2.0");
    assert_eq!(response["id"], "q7");
    response["result"].take()
}

/// Offers of targets, and a list as clients see it.
fn check(mode: PrefixMode, offers: &[(&str, Offer)], kind: ListKind, expected: &str) {
    let targets = offers.iter().map(|(target, offer)| fresh(target, &offer.catalog())).collect();
    let menu = build(mode, targets);
    let field = kind.field();
    let response = format!(r#"{{"jsonrpc":"2.0","id":"q7","result":{{"{field}":[{expected}]}}}}"#);
    assert_eq!(text(&menu, kind), response);
    result(&menu, kind);
}

#[test]
fn lists_of_no_targets_are_empty() {
    for kind in ListKind::ALL {
        check(Conditional, &[], kind, "");
    }
}

#[test]
fn a_single_targets_items_are_listed_byte_for_byte() {
    let items = [
        r#"{ "x":1.0,"name" : "\u0065cho", "_meta":{"ui":{"resourceUri":"ui://a/b"}},"inputSchema" : {"type":"object" } }"#,
        r#"{"inputSchema":{"type":"object","maximum":9223372036854775808},"name":"b"}"#,
    ];
    let offer = Offer { tools: items.map(String::from).to_vec(), ..Offer::default() };
    check(Conditional, &[("a", offer)], ListKind::Tools, &items.join(","));
    let offer = Offer::uris(&["ui://x", "memo:\\u0078"], &["t:{x}"]);
    let raw = offer.resources.join(",");
    check(Conditional, &[("a", offer)], ListKind::Resources, &raw);
}

#[test]
fn of_several_targets_only_names_and_uris_change() {
    let tools = vec![
        r#"{ "x":1.0,"name" : "\u0065cho" ,"_meta":{"ui":{"resourceUri":"ui://a/b"},"ui/resourceUri":"ui://a/b"}, "inputSchema":{"type":"object"} }"#.to_owned(),
    ];
    let resources = vec![
        r#"{"name":"r","uri":"memo:x","size":1e3}"#.to_owned(),
        r#"{"name":"w","uri":"https://h/x"}"#.to_owned(),
    ];
    let offers = [
        ("a", Offer { tools, resources, ..Offer::default() }),
        ("b", Offer::default()),
        ("c", Offer { tools: vec![tool("x")], ..Offer::default() }),
    ];
    check(
        Conditional,
        &offers,
        ListKind::Tools,
        r#"{ "x":1.0,"name" : "a_echo" ,"_meta":{"ui":{"resourceUri":"ui://a+a/b"},"ui/resourceUri":"ui://a+a/b"}, "inputSchema":{"type":"object"} },{"name":"c_x","inputSchema":{"type":"object"}}"#,
    );
    check(
        Conditional,
        &offers,
        ListKind::Resources,
        r#"{"name":"r","uri":"a+memo:x","size":1e3},{"name":"w","uri":"https://h/x"}"#,
    );
}

#[test]
fn a_shortened_name_keeps_the_full_one_beside_it() {
    let long = "trigger-elicitation-request-async";
    let full = format!("mcp-server-everything-3001_{long}");
    for (more, title, meta) in [
        ("", full.as_str(), json!({"dev.portico/fullName": full})),
        (r#","title":"T""#, "T", json!({"dev.portico/fullName": full})),
        (r#","_meta":{ }"#, full.as_str(), json!({"dev.portico/fullName": full})),
        (r#","_meta":{"k":[1]},"title":"T""#, "T", json!({"dev.portico/fullName": full, "k": [1]})),
        (
            r#","_meta":{"ui":{"resourceUri":"ui://v"}}"#,
            full.as_str(),
            json!({
                "dev.portico/fullName": full,
                "ui": {"resourceUri": "ui://mcp-server-everything-3001+v"},
            }),
        ),
    ] {
        for item in [
            format!(r#"{{"name":"{long}"{more}}}"#),
            format!(r#"{{"description":"d"{more},"name":"{long}"}}"#),
        ] {
            let offer = Offer { tools: vec![item], ..Offer::default() };
            let targets = vec![
                fresh("mcp-server-everything-3001", &offer.catalog()),
                fresh("b", &Offer::default().catalog()),
            ];
            let tools = result(&build(Conditional, targets), ListKind::Tools);
            let tool = &tools["tools"][0];
            assert_eq!((&tool["title"], &tool["_meta"]), (&json!(title), &meta));
            assert!(tool["name"].as_str().unwrap().len() <= 50);
        }
    }
}

#[test]
fn a_list_says_which_targets_are_missing_or_stale_and_what_is_withheld() {
    let since = SystemTime::UNIX_EPOCH + Duration::from_millis(1_790_000_000_500);
    let offer =
        Offer { tools: vec![tool("x"), tool("x"), r#"{"name":null}"#.into()], ..Offer::default() };
    let targets = vec![
        MenuTarget {
            name: name("a"),
            catalog: Some(offer.catalog_of(hello(r#"{"tools":{}}"#, ""))),
            standing: Standing::Stale { since, reason: "it said \"no\"".into() },
        },
        MenuTarget {
            name: name("b"),
            catalog: None,
            standing: Standing::Missing { since, reason: "refused".into() },
        },
        fresh("c", &Offer::tools(&["y"]).catalog()),
        fresh("d", &Offer::tools(&["z", "z"]).catalog()),
    ];
    let menu = build(Conditional, targets);
    let since = "2026-09-21T14:13:20Z";
    let repeated = "an earlier entry has the same name or URI";
    let missing = json!({"name": "b", "state": "missing", "since": since, "reason": "refused"});
    assert_eq!(
        result(&menu, ListKind::Tools)["_meta"],
        json!({"dev.portico/targets": [
            {
                "name": "a", "state": "stale", "since": since, "reason": "it said \"no\"",
                "withheldCount": 2,
                "withheld": [
                    {"key": "x", "reason": repeated},
                    {"reason": "its name or URI is missing, empty or not a string"},
                ],
            },
            missing,
            {
                "name": "d", "state": "fresh",
                "withheldCount": 1,
                "withheld": [{"key": "z", "reason": repeated}],
            },
        ]})
    );
    // The stale target has no prompts, so that nothing of this list is stale.
    assert_eq!(
        result(&menu, ListKind::Prompts),
        json!({"prompts": [], "_meta": {"dev.portico/targets": [missing]}})
    );
}

#[test]
fn a_list_that_is_cut_says_so() {
    let mut catalog = (*Offer::tools(&["x"]).catalog()).clone();
    let reason = "cut after 1 entries by `limits.toolsPerTarget`".to_owned();
    let lists = ListKind::ALL.map(|kind| catalog.items(kind).to_vec());
    let cut = Cut { kind: ListKind::Tools, reason: reason.clone() };
    catalog = Catalog::new(catalog.hello, lists, Vec::new(), vec![cut]);
    let menu = build(Conditional, vec![fresh("a", &Arc::new(catalog))]);
    assert_eq!(
        result(&menu, ListKind::Tools)["_meta"],
        json!({"dev.portico/targets": [{"name": "a", "state": "cut", "reason": reason}]})
    );
    assert_eq!(result(&menu, ListKind::Prompts), json!({"prompts": []}));
}

#[test]
fn of_many_withheld_entries_the_first_are_named() {
    let offer = Offer { tools: vec![tool("x"); 1_000], ..Offer::default() };
    let menu = build(Conditional, vec![fresh("a", &offer.catalog())]);
    let report = &result(&menu, ListKind::Tools)["_meta"]["dev.portico/targets"][0];
    assert_eq!(report["withheldCount"], 999);
    assert_eq!(report["withheld"].as_array().unwrap().len(), 20);
}

#[test]
fn listing_copies_no_fragment() {
    let catalog = Offer::tools(&["x"]).catalog();
    let menu = build(Conditional, vec![fresh("a", &catalog), fresh("b", &catalog)]);
    let places = || -> Vec<_> {
        let segments = menu.list(ListKind::Tools, Shape::USUAL, &id());
        segments.iter().skip(2).map(|part| part.as_ptr()).collect()
    };
    assert_eq!(places(), places());
    assert_eq!(places().len(), 5);
}

#[test]
fn what_stays_the_same_is_not_rendered_again() {
    let (one, two) = (Offer::tools(&["x"]).catalog(), Offer::tools(&["y"]).catalog());
    let naming = Naming { mode: Conditional, max_length: 50 };
    let before = Menu::build(vec![fresh("a", &one), fresh("b", &two)], &naming, None);
    // The same tools anew, and another target first.
    let again = Offer::tools(&["x"]).catalog();
    let targets = vec![fresh("c", &two), fresh("a", &again), fresh("b", &one)];
    let after = Menu::build(targets, &naming, Some(&before));
    let fragments = |menu: &Menu| -> Vec<_> {
        let segments = menu.list(ListKind::Tools, Shape::USUAL, &id());
        segments.iter().filter(|part| part.starts_with(b"{\"name\"")).cloned().collect()
    };
    let (before, after) = (fragments(&before), fragments(&after));
    assert_eq!(before[0].as_ptr(), after[1].as_ptr());
    assert_eq!(after[2], Bytes::from(tool("b_x")));
}

#[test]
fn a_change_is_told_for_the_lists_that_differ() {
    let menu = |targets: &[(&str, &Offer)]| {
        let targets = targets.iter().map(|(target, offer)| fresh(target, &offer.catalog()));
        build(Conditional, targets.collect())
    };
    let x = Offer::tools(&["x"]);
    let uris = Offer::uris(&["memo:x"], &["t:{x}"]);
    let none = Offer::default();
    let templates = Offer::uris(&[], &["t:{x}"]);
    let before = menu(&[("a", &x)]);
    for (targets, changed) in [
        (vec![("a", &x)], vec![]),
        (vec![("a", &x), ("b", &none)], vec![ListKind::Tools]),
        (vec![("a", &none)], vec![ListKind::Tools]),
        (vec![("a", &uris)], vec![ListKind::Tools, ListKind::Resources]),
        (vec![("a", &templates)], vec![ListKind::Tools, ListKind::Resources]),
        (vec![("renamed", &x)], vec![]),
    ] {
        assert_eq!(menu(&targets).changed_from(&before), changed, "{targets:?}");
    }
}

#[test]
fn a_target_that_goes_stale_changes_no_list() {
    let catalog = Offer::tools(&["x"]).catalog();
    let before = build(Conditional, vec![fresh("a", &catalog)]);
    let standing =
        Standing::Stale { since: SystemTime::UNIX_EPOCH, reason: "connection refused".into() };
    let after = build(Conditional, vec![MenuTarget { standing, ..fresh("a", &catalog) }]);
    assert_eq!(after.changed_from(&before), []);
}

#[test]
fn results_are_mapped_only_where_they_may_hold_uris() {
    let with = |capabilities: &str, offer: &Offer| offer.catalog_of(hello(capabilities, ""));
    let app = Offer {
        tools: vec![r#"{"name":"x","_meta":{"ui":{"resourceUri":"ui://v"}}}"#.into()],
        ..Offer::default()
    };
    let targets = vec![
        fresh("a", &with(r#"{"tools":{}}"#, &Offer::tools(&["x"]))),
        fresh("b", &with(r#"{"tools":{}}"#, &app)),
        fresh("c", &with(r#"{"resources":{}}"#, &Offer::default())),
        MenuTarget { catalog: None, ..fresh("d", &Offer::default().catalog()) },
    ];
    let menu = build(Conditional, targets.clone());
    assert_eq!([0, 1, 2, 3].map(|target| menu.rewrites_uris(target)), [false, true, true, true]);
    assert!(!menu.is_single());
    let alone = build(Conditional, targets[2..3].to_vec());
    assert!(!alone.rewrites_uris(0) && alone.is_single());
    assert!(build(Always, targets[2..3].to_vec()).rewrites_uris(0));
}

#[test]
fn a_single_target_says_hello_itself() {
    for mode in [Conditional, Always] {
        let catalog =
            Offer::default().catalog_of(hello(r#"{"tools":{}}"#, r#","instructions":"i","x":1"#));
        let menu = build(mode, vec![fresh("a", &catalog)]);
        let own: Value =
            serde_json::from_slice(&menu.initialize_result(Revision::V2025_03_26, "9.9")).unwrap();
        assert_eq!(
            own,
            json!({
                "protocolVersion": "2025-03-26",
                "capabilities": {"tools": {}},
                "serverInfo": {"name": "s", "version": "1"},
                "instructions": "i",
                "x": 1,
            })
        );
    }
}

fn merged_hello(targets: Vec<MenuTarget>) -> Value {
    let menu = build(Conditional, targets);
    serde_json::from_slice(&menu.initialize_result(Revision::V2025_11_25, "9.9")).unwrap()
}

#[test]
fn several_targets_and_unknown_ones_have_the_same_capabilities() {
    let expected = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {
            "tools": {"listChanged": true},
            "prompts": {"listChanged": true},
            "resources": {"listChanged": true, "subscribe": true},
            "completions": {},
            "logging": {},
        },
        "serverInfo": {"name": "portico", "version": "9.9"},
    });
    let known = fresh("a", &Offer::default().catalog());
    let unknown = MenuTarget { catalog: None, ..fresh("b", &Offer::default().catalog()) };
    for targets in [vec![], vec![unknown.clone()], vec![known.clone(), unknown]] {
        assert_eq!(merged_hello(targets), expected);
    }
}

#[test]
fn instructions_are_merged_under_headings_and_bounded() {
    let saying = |target: &str, text: &str| {
        let more = format!(r#","instructions":{}"#, Value::from(text));
        fresh(target, &Offer::default().catalog_of(hello(ALL_CAPABILITIES, &more)))
    };
    let of = |targets| merged_hello(targets)["instructions"].as_str().unwrap().to_owned();
    let silent = fresh("b", &Offer::default().catalog());
    assert_eq!(
        of(vec![saying("a", " Use x.\n"), silent, saying("c", "\"Or\" y."), saying("d", "  ")]),
        "# a\n\nUse x.\n\n# c\n\n\"Or\" y."
    );
    let long = "é".repeat(5_000);
    let one = of(vec![saying("a", &long), saying("b", "short")]);
    assert!(one.len() < 4_200 && one.ends_with("…\n\n# b\n\nshort"), "{}", one.len());
    let all = of(["a", "b", "c", "d", "e"].map(|target| saying(target, &long)).to_vec());
    assert!(all.len() <= 16 * 1024 && all.len() > 16_000 && all.ends_with('…'));
}

#[test]
fn only_a_single_target_answers_lists_that_it_does_not_say_it_has() {
    let catalog = Offer::default().catalog_of(hello(r#"{"tools":{}}"#, ""));
    let alone = build(Conditional, vec![fresh("a", &catalog)]);
    let both = build(Conditional, vec![fresh("a", &catalog), fresh("b", &catalog)]);
    for (kind, has) in ListKind::ALL.into_iter().zip([true, false, false, false]) {
        assert_eq!((alone.has_list(kind), both.has_list(kind)), (has, true), "{kind:?}");
    }
}

#[test]
fn tasks_are_offered_where_a_target_keeps_them_and_named_by_their_target() {
    let plain = fresh("a", &Offer::default().catalog());
    let keeps = fresh("b", &Offer::default().catalog_of(hello(r#"{"tasks":{"list":{}}}"#, "")));
    let tasks = |targets: Vec<MenuTarget>, revision| {
        let menu = build(Conditional, targets);
        let own: Value = serde_json::from_slice(&menu.initialize_result(revision, "9.9")).unwrap();
        own["capabilities"]["tasks"].clone()
    };
    let (now, before) = (Revision::V2025_11_25, Revision::V2025_06_18);
    let all = json!({"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}});
    assert_eq!(tasks(vec![plain.clone(), keeps.clone()], now), all);
    assert_eq!(tasks(vec![plain.clone(), keeps.clone()], before), Value::Null);
    assert_eq!(tasks(vec![plain.clone(), plain.clone()], now), Value::Null);
    let menu = build(Conditional, vec![plain, keeps]);
    let owner = |id: &str| menu.resolve_task(id).map(|task| (task.target, task.native.to_string()));
    assert_eq!(owner("b+1+1"), Some((1, "1+1".to_owned())));
    assert_eq!([owner("c+1"), owner("b"), owner("")], [None, None, None]);
}
