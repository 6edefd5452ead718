//! What stays as it was at the start.

use config::document::Admin;
use config::read;

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
