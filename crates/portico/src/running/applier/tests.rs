//! What stays as it was at the start.

use config::document::Admin;
use config::read;

use super::Applier;

const START: &str = "admin: { address: \"127.0.0.1:15001\" }\nlimits: { batch: 8 }\n";

/// A gateway that was started with [`START`] and `--admin-port 0` and is given `text` says these
/// messages, and keeps what it was started with.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let document = |text: &str| read("portico.yaml", text).unwrap().document;
    let in_force = Admin { address: "127.0.0.1:0".parse().unwrap() };
    let applier = Applier::new(Vec::new(), document(START), in_force.clone());
    let mut next = document(text);
    let diagnostics = applier.kept.put_back(&mut next);
    let lines: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(lines, expected);
    assert_eq!(next.admin, in_force);
    assert_eq!(next.limits, document(START).limits);
    assert_eq!(next.drain, document(START).drain);
}

#[test]
fn what_the_command_line_says_otherwise_is_no_change() {
    check(START, &[]);
    check(&format!("{START}targets: [{{ name: a, url: \"http://a/\" }}]\n"), &[]);
}

#[test]
fn each_change_that_waits_for_a_restart_is_reported() {
    check(
        "admin: { address: \"127.0.0.1:15002\" }\nlimits: { batch: 9 }\ndrain: { limit: 1s }\n",
        &[
            "warning: limits: `limits` is read at the start: the change waits for a restart \
             [document.static]",
            "warning: drain: `drain` is read at the start: the change waits for a restart \
             [document.static]",
            "warning: admin: `admin` is read at the start: the change waits for a restart \
             [document.static]",
        ],
    );
}
