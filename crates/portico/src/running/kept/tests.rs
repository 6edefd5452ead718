//! What stays as it was at the start.

use config::document::Admin;
use config::{Variables, compile, read};

use super::Kept;

const START: &str = "admin: { address: \"127.0.0.1:15001\" }\nlimits: { batch: 8 }\n";

/// A gateway that was started with [`START`] and `--admin-port 0` and is given `text` says these
/// messages, and keeps what it was started with.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let read = |text: &str| read("portico.yaml", text).unwrap();
    let in_force = Admin { address: "127.0.0.1:0".parse().unwrap() };
    let kept = Kept::new(read(START).document, in_force.clone());
    let mut next = read(text);
    let diagnostics = kept.put_back(&mut next.document, &next.origins);
    let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(lines, expected);
    assert_eq!(next.document.admin, in_force);
    assert_eq!(next.document.limits, read(START).document.limits);
    assert_eq!(next.document.drain, read(START).document.drain);
}

#[test]
fn what_the_command_line_says_otherwise_is_no_change() {
    check(START, &[]);
    check(&format!("{START}targets: [{{ name: a, url: \"http://a/\" }}]\n"), &[]);
}

#[test]
fn each_change_that_waits_for_a_restart_is_reported_where_it_is_written() {
    check(
        "admin: { address: \"127.0.0.1:15002\" }\nlimits: { batch: 9 }\ndrain: { limit: 1s }\n",
        &[
            "portico.yaml:2:9: warning: limits: `limits` is read at the start: the change waits \
             for a restart [document.static]",
            "portico.yaml:3:8: warning: drain: `drain` is read at the start: the change waits for \
             a restart [document.static]",
            "portico.yaml:1:8: warning: admin: `admin` is read at the start: the change waits for \
             a restart [document.static]",
        ],
    );
}

/// What is said of each of these documents, one after the other.
#[track_caller]
fn check_processes(documents: &[(&str, &[&str])]) {
    let mut kept = Kept::new(config::Document::default(), Admin::default());
    for (text, expected) in documents {
        let reading = read("portico.yaml", text).unwrap();
        let compiled = compile(&reading.document, &reading.origins, &Variables::new());
        let diagnostics = kept.processes(&compiled.snapshot, &reading.document, &reading.origins);
        let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(lines, *expected, "{text}");
    }
}

#[test]
fn another_number_of_processes_is_reported_for_as_long_as_the_target_runs_with_the_first() {
    let said: &[&str] = &["portico.yaml:1:54: warning: targets[0].maxProcesses: the target was \
                           started with 2 processes at most: the change waits until it is started \
                           anew [document.static]"];
    check_processes(&[
        ("targets: [{ name: a, command: program, maxProcesses: 2 }]", &[]),
        ("targets: [{ name: a, command: program, maxProcesses: 4 }]", said),
        ("targets: [{ name: a, command: program, maxProcesses: 4 }]", said),
        ("targets: [{ name: a, command: program, maxProcesses: 2 }]", &[]),
        ("targets: [{ name: a, command: another, maxProcesses: 4 }]", &[]),
        ("targets: [{ name: a, command: another, maxProcesses: 4 }]", &[]),
    ]);
}

#[test]
fn the_processes_of_a_backends_own_target_are_found_where_they_are_written() {
    let document = |most: &str| {
        format!(
            "backends:\n- name: b\n  targets:\n  - other\n  - {{ name: a, command: c, \
             maxProcesses: {most} }}\ntargets: [{{ name: other, url: 'http://a/' }}]\n"
        )
    };
    check_processes(&[
        (&document("2"), &[]),
        (
            &document("3"),
            &["portico.yaml:5:42: warning: backends[0].targets[1].maxProcesses: the target was \
               started with 2 processes at most: the change waits until it is started anew \
               [document.static]"],
        ),
    ]);
}
