//! What clients of each revision get of servers that are newer or sloppier than they can take.

use std::sync::Arc;

use config::PrefixMode::Conditional;
use mcp::{ListKind, Shape};
use serde_json::{Value, json};

use crate::catalog::fixtures::{Offer, tool};
use crate::federation::menu::tests::{build, fresh, id, result, text_for};
use crate::federation::{Menu, Naming};

const RESULT: &str =
    r#"{"type":"object","properties":{"result":{"type":"string"}},"required":["result"]}"#;

fn tools(items: &[&str]) -> Offer {
    Offer { tools: items.iter().map(|item| (*item).to_owned()).collect(), ..Offer::default() }
}

/// A list as clients of a shape see it.
fn listed(menu: &Menu, kind: ListKind, shape: Shape) -> Value {
    let mut response: Value = serde_json::from_str(&text_for(menu, kind, shape)).unwrap();
    response["result"].take()
}

/// The tools of one target, and what clients of each shape see of them, oldest first.
fn check(items: &[&str], expected: [&str; 4]) {
    let menu = build(Conditional, vec![fresh("a", &tools(items).catalog())]);
    for (shape, expected) in Shape::ALL.into_iter().zip(expected) {
        let response =
            format!(r#"{{"jsonrpc":"2.0","id":"q7","result":{{"tools":[{expected}]}}}}"#);
        assert_eq!(text_for(&menu, ListKind::Tools, shape), response, "{shape:?}");
    }
}

/// Where the items of a list lie in memory.
fn places(menu: &Menu, shape: Shape) -> Vec<*const u8> {
    let segments = menu.list(ListKind::Tools, shape, &id());
    segments
        .iter()
        .filter(|part| part.starts_with(b"{\"name\""))
        .map(|part| part.as_ptr())
        .collect()
}

#[test]
fn what_every_client_can_take_stays_byte_for_byte() {
    let item = r#"{ "x":1.0,"name" : "\u0065cho","inputSchema":{"type":"object","\u0024x":[9223372036854775808]},"title":"é" }"#;
    check(&[item], [item; 4]);
}

#[test]
fn what_a_sloppy_server_writes_is_repaired_for_every_client() {
    let sloppy =
        r#"{"name":"b","annotations":null,"inputSchema":{"properties":{},"required":null}}"#;
    let repaired = r#"{"name":"b","inputSchema":{"type":"object","properties":{}}}"#;
    let all = format!("{},{repaired},{}", tool("a"), tool("c"));
    check(&[&tool("a"), sloppy, &tool("c")], [&all; 4]);
}

#[test]
fn an_output_is_what_each_client_knows_of_outputs() {
    let with = |schema: &str| {
        format!(r#"{{"name":"b","inputSchema":{{"type":"object"}},"outputSchema":{schema}}}"#)
    };
    let (any, wrapped) = (with(r#"{"type":"string"}"#), with(RESULT));
    check(&[&any], [&tool("b"), &tool("b"), &wrapped, &any]);
    let menu = build(
        Conditional,
        vec![
            fresh("a", &tools(&[&tool("b")]).catalog()),
            fresh("c", &tools(&[&tool("a"), &any]).catalog()),
        ],
    );
    for (shape, wraps) in Shape::ALL.into_iter().zip([false, false, true, false]) {
        assert_eq!(menu.wraps_output(1, "b", shape), wraps, "{shape:?}");
        assert!(!menu.wraps_output(0, "b", shape) && !menu.wraps_output(1, "a", shape));
    }
}

#[test]
fn what_cannot_be_repaired_costs_no_other_item() {
    let bad = r#"{"name":"bad","inputSchema":{"type":"int"}}"#;
    let catalog = tools(&[&tool("x"), bad, bad, &tool("y")]).catalog();
    let entries = json!([
        {"key": "bad", "reason": "an earlier entry has the same name or URI"},
        {"key": "bad", "reason": "`inputSchema` has the type \"int\", which is none"},
    ]);
    let report = json!({"dev.portico/targets": [
        {"name": "a", "state": "fresh", "withheldCount": 2, "withheld": entries},
    ]});
    let alone = build(Conditional, vec![fresh("a", &catalog)]);
    let both =
        build(Conditional, vec![fresh("a", &catalog), fresh("b", &tools(&[&tool("z")]).catalog())]);
    for shape in Shape::ALL {
        for (menu, expected) in [(&alone, vec!["x", "y"]), (&both, vec!["a_x", "a_y", "b_z"])] {
            let list = listed(menu, ListKind::Tools, shape);
            let names = list["tools"].as_array().unwrap().iter().map(|tool| &tool["name"]);
            assert!(names.eq(expected), "{shape:?}: {list}");
            assert_eq!(list["_meta"], report);
        }
    }
    // It can still be called: only lists are strict.
    assert!(alone.resolve_name(crate::federation::NameKind::Tool, "bad").unwrap().listed);
}

#[test]
fn prompts_and_resources_are_repaired_too() {
    let offer = Offer {
        prompts: vec![
            r#"{"name":"p","arguments":[{"name":"x","required":null}]}"#.into(),
            r#"{"name":"q","arguments":[{}]}"#.into(),
        ],
        resources: vec![r#"{"uri":"memo:x","size":null}"#.into()],
        templates: vec![r#"{"uriTemplate":"t:{x}","name":5}"#.into()],
        ..Offer::default()
    };
    let catalog = offer.catalog();
    let menu = build(Conditional, vec![fresh("a", &catalog), fresh("b", &catalog)]);
    let list = |kind: ListKind| listed(&menu, kind, Shape::V2024_11_05);
    let prompts = list(ListKind::Prompts);
    let names = prompts["prompts"].as_array().unwrap().iter().map(|prompt| &prompt["name"]);
    assert!(names.eq(["a_p", "b_p"]));
    let reason = "one of `arguments` has no `name`";
    assert_eq!(prompts["_meta"]["dev.portico/targets"][1]["withheld"][0]["reason"], reason);
    let resource = |uri: &str| json!({"name": uri, "uri": uri});
    assert_eq!(
        list(ListKind::Resources)["resources"],
        json!([resource("a+memo:x"), resource("b+memo:x")])
    );
    assert_eq!(
        list(ListKind::ResourceTemplates)["_meta"]["dev.portico/targets"][0]["withheld"],
        json!([{"key": "t:{x}", "reason": "`name` is not a string"}])
    );
}

#[test]
fn a_list_is_rendered_once_for_each_shape_and_kept_where_nothing_changes() {
    let any = r#"{"name":"b","inputSchema":{"type":"object"},"outputSchema":{"type":"string"}}"#;
    let (plain, newer) = (tools(&[&tool("a")]).catalog(), tools(&[any]).catalog());
    let targets = || vec![fresh("a", &plain), fresh("b", &newer)];
    let naming = Naming { mode: Conditional, max_length: 50 };
    let menu = Menu::build(targets(), &naming, None);
    let [usual, old] = [Shape::USUAL, Shape::V2024_11_05].map(|shape| places(&menu, shape));
    assert_eq!(old, places(&menu, Shape::V2024_11_05));
    assert_eq!(old[0], usual[0], "what is the same is shared");
    assert_ne!(old[1], usual[1]);
    let next = Menu::build(targets(), &naming, Some(&menu));
    assert_eq!(places(&next, Shape::V2024_11_05), old);
    assert_eq!(places(&next, Shape::USUAL), usual);
}

#[test]
fn an_app_keeps_its_domain_only_while_its_server_is_the_only_one() {
    let meta = r#""_meta":{"ui":{"resourceUri":"ui://v","domain":"d","csp":{}}}"#;
    let offer = Offer {
        tools: vec![format!(r#"{{"name":"x","inputSchema":{{"type":"object"}},{meta}}}"#)],
        resources: vec![format!(r#"{{"uri":"ui://v","name":"v",{meta}}}"#)],
        ..Offer::default()
    };
    let catalog = offer.catalog();
    let alone = build(Conditional, vec![fresh("a", &catalog)]);
    let ui =
        |menu: &Menu, kind: ListKind| result(menu, kind)[kind.field()][0]["_meta"]["ui"].take();
    let naming = Naming { mode: Conditional, max_length: 50 };
    let both = Menu::build(
        vec![fresh("a", &catalog), fresh("b", &Arc::clone(&catalog))],
        &naming,
        Some(&alone),
    );
    for kind in [ListKind::Tools, ListKind::Resources] {
        let own = json!({"resourceUri": "ui://v", "domain": "d", "csp": {}});
        assert_eq!(ui(&alone, kind), own);
        assert_eq!(ui(&both, kind), json!({"resourceUri": "ui://a+v", "csp": {}}));
    }
}
