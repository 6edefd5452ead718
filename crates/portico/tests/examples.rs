//! Every example is a good document: `portico check` finds nothing in it.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

/// `portico check` finds nothing in the example, and what it expands to holds all of `expected`.
fn check(example: &str, expected: &[&str]) {
    let run = |command: &str| {
        let mut portico = Command::new(env!("CARGO_BIN_EXE_portico"));
        portico.arg(command).arg("-f").arg(examples().join(example)).output().unwrap()
    };
    let checked = run("check");
    assert_eq!(String::from_utf8_lossy(&checked.stdout), "");
    assert!(checked.status.success());
    let expanded = String::from_utf8(run("expand").stdout).unwrap();
    for text in expected {
        assert!(expanded.contains(text), "`{text}` is missing in\n{expanded}");
    }
}

#[test]
fn the_minimal_document_is_good() {
    check("minimal.yaml", &["name: everything", "name: filesystem"]);
}

#[test]
fn the_complete_document_is_good() {
    check("complete.yaml", &["name: canary", "prefix: /canary", "name: scratch"]);
}

#[test]
fn the_mcp_json_is_good() {
    check("mcp.json", &["name: proxy", "transport: sse", "${EVERYTHING_TOKEN:-none}"]);
}

#[test]
fn the_manifests_are_good() {
    check("kubernetes.yaml", &["everything", "127.0.0.1:3001"]);
}
