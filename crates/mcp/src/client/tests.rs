//! What clients declare, as they declare it and as we do.

use proptest::prelude::*;

use super::{ClientCapabilities, NAMES};
use crate::method::Method;
use crate::revision::Revision;

fn everything() -> ClientCapabilities {
    ClientCapabilities::from_bits(u32::MAX)
}

fn names(capabilities: ClientCapabilities) -> Vec<&'static str> {
    let held = NAMES.iter().filter(|(known, _)| capabilities.contains(*known));
    held.map(|(_, name)| *name).collect()
}

/// What is read of that object.
#[track_caller]
fn check(raw: &str, expected: &[&str]) {
    assert_eq!(names(ClientCapabilities::read(raw.as_bytes())), expected, "{raw}");
}

#[test]
fn what_is_declared_is_read() {
    check("{}", &[]);
    check(r#"{"roots":{}}"#, &["roots"]);
    check(r#"{"roots":{"listChanged":true},"x":{"sampling":{}}}"#, &["roots", "roots.listChanged"]);
    check(r#"{"roots":{"listChanged":false}}"#, &["roots"]);
    check(r#"{ "sampling" : { } }"#, &["sampling"]);
    check(
        r#"{"sampl\u0069ng":{"context":{},"tools":{}}}"#,
        &["sampling", "sampling.tools", "sampling.context"],
    );
    check(
        r#"{"tasks":{"list":{},"cancel":{},"requests":{"elicitation":{"create":{}},"sampling":{"createMessage":{}}}}}"#,
        &[
            "tasks.list",
            "tasks.cancel",
            "tasks.requests.sampling.createMessage",
            "tasks.requests.elicitation.create",
        ],
    );
    check(r#"{"tasks":{"requests":{"tools":{"call":{}},"sampling":{"create":{}}}}}"#, &[]);
}

#[test]
fn no_mode_of_elicitation_means_forms() {
    check(r#"{"elicitation":{}}"#, &["elicitation.form"]);
    check(r#"{"elicitation":true}"#, &["elicitation.form"]);
    check(r#"{"elicitation":{"url":null}}"#, &["elicitation.form"]);
    check(r#"{"elicitation":{"form":{}}}"#, &["elicitation.form"]);
    check(r#"{"elicitation":{"url":{}}}"#, &["elicitation.url"]);
    check(r#"{"elicitation":{"url":{},"form":{}}}"#, &["elicitation.form", "elicitation.url"]);
}

#[test]
fn apps_are_shown_by_hosts_that_take_their_type() {
    let ui = &["extensions.io.modelcontextprotocol/ui"];
    check(
        r#"{"extensions":{"x":{},"io.modelcontextprotocol/ui":{"mimeTypes":["a","text\/html;profile=mcp-app"]}}}"#,
        ui,
    );
    check(r#"{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html"]}}}"#, &[]);
    check(r#"{"extensions":{"io.modelcontextprotocol/ui":{}}}"#, &[]);
    check(r#"{"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":"text/html"}}}"#, &[]);
}

#[test]
fn null_and_false_are_no_declaration_and_anything_else_is() {
    check(r#"{"roots":null,"sampling":false,"elicitation":null,"tasks":false}"#, &[]);
    check(r#"{"roots":true,"sampling":"yes"}"#, &["roots", "sampling"]);
    check(r#"{"sampling":{"tools":null,"context":1}}"#, &["sampling", "sampling.context"]);
    check(r#"{"tasks":{"list":null,"cancel":true,"requests":null}}"#, &["tasks.cancel"]);
    for raw in ["", "null", "[]", "{\"roots\":{}", "{\"roots\":{}} x", "\u{1}"] {
        check(raw, &[]);
    }
    assert!(ClientCapabilities::read(b"{\"roots\":{},\"\xff\":1}").is_empty());
}

#[test]
fn a_revision_has_what_its_specification_has() {
    let all = everything();
    let legacy = ["roots", "roots.listChanged", "sampling"];
    let ui = "extensions.io.modelcontextprotocol/ui";
    let expected: [Vec<&str>; 5] = [
        [&legacy[..], &[ui]].concat(),
        [&legacy[..], &[ui]].concat(),
        [&legacy[..], &["elicitation.form", ui]].concat(),
        names(all),
        vec![
            "roots",
            "sampling",
            "sampling.tools",
            "sampling.context",
            "elicitation.form",
            "elicitation.url",
            ui,
        ],
    ];
    assert_eq!(Revision::ALL.map(|revision| names(all.within(revision))), expected);
}

#[test]
fn a_part_without_its_whole_is_none() {
    let parts = all_but(&["roots", "sampling", "elicitation.form", "elicitation.url"]);
    let left = ["tasks.list", "tasks.cancel", "extensions.io.modelcontextprotocol/ui"];
    assert_eq!(names(parts.within(Revision::V2025_11_25)), left);
    assert_eq!(names(ClientCapabilities::read(&parts.render())), left);
}

fn all_but(without: &[&str]) -> ClientCapabilities {
    let out = NAMES.iter().filter(|(_, name)| without.contains(name));
    out.fold(everything(), |set, (known, _)| set.without(*known))
}

#[test]
fn a_set_is_rendered_in_one_way() {
    let set = |bits: &[ClientCapabilities]| {
        bits.iter().fold(ClientCapabilities::default(), |set, bit| set.union(*bit))
    };
    for (bits, expected) in [
        (set(&[]), "{}"),
        (set(&[ClientCapabilities::ROOTS]), r#"{"roots":{}}"#),
        (set(&[ClientCapabilities::ELICITATION_FORM]), r#"{"elicitation":{}}"#),
        (set(&[ClientCapabilities::ELICITATION_URL]), r#"{"elicitation":{"url":{}}}"#),
        (
            set(&[ClientCapabilities::SAMPLING, ClientCapabilities::TASKS_SAMPLING]),
            r#"{"sampling":{},"tasks":{"requests":{"sampling":{"createMessage":{}}}}}"#,
        ),
        (
            everything(),
            r#"{"roots":{"listChanged":true},"sampling":{"context":{},"tools":{}},"elicitation":{"form":{},"url":{}},"tasks":{"list":{},"cancel":{},"requests":{"sampling":{"createMessage":{}},"elicitation":{"create":{}}}},"extensions":{"io.modelcontextprotocol/ui":{"mimeTypes":["text/html;profile=mcp-app"]}}}"#,
        ),
    ] {
        assert_eq!(bits.render(), expected);
    }
}

#[test]
fn a_client_answers_what_it_declared() {
    let asked = [Method::RootsList, Method::SamplingCreateMessage, Method::ElicitationCreate];
    let answers = |raw: &str| asked.map(|method| read(raw).answers(method));
    assert_eq!(answers("{}"), [false; 3]);
    assert_eq!(answers(r#"{"roots":{}}"#), [true, false, false]);
    assert_eq!(answers(r#"{"sampling":{}}"#), [false, true, false]);
    assert_eq!(answers(r#"{"elicitation":{"url":{}}}"#), [false, false, true]);
    assert_eq!(answers(r#"{"elicitation":{}}"#), [false, false, true]);
    assert!(!everything().answers(Method::ToolsCall));
    let of_tasks = [Method::TasksGet, Method::TasksResult, Method::TasksList, Method::TasksCancel];
    assert_eq!(of_tasks.map(|method| everything().answers(method)), [true; 4]);
    let keeps = r#"{"sampling":{},"tasks":{"requests":{"sampling":{"createMessage":{}}}}}"#;
    let answers = of_tasks.map(|method| read(keeps).answers(method));
    assert_eq!(answers, [true, true, false, false]);
}

fn read(raw: &str) -> ClientCapabilities {
    ClientCapabilities::read(raw.as_bytes())
}

#[test]
fn bits_that_mean_nothing_are_dropped() {
    assert_eq!(everything().len(), 12);
    assert_eq!(everything().bits(), (1 << 12) - 1);
    assert_eq!(format!("{:?}", read(r#"{"roots":{}}"#)), r#"{"roots"}"#);
}

proptest! {
    #[test]
    fn what_is_rendered_is_what_is_read(bits in 0u32..1 << 12) {
        let set = ClientCapabilities::from_bits(bits);
        prop_assert_eq!(set.bits(), bits);
        let within = set.within(Revision::V2025_11_25);
        prop_assert_eq!(ClientCapabilities::read(&within.render()), within);
        prop_assert_eq!(within.render(), set.render());
        prop_assert_eq!(within.within(Revision::V2025_11_25), within);
        prop_assert!(set.contains(within));
        prop_assert_eq!(set.intersection(within), within);
        prop_assert_eq!(set.without(within).union(within), set);
    }
}
