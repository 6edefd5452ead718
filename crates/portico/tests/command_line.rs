//! The binary as people call it: what it prints, and with which exit code it ends.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// What a command did.
struct Output {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

/// Runs `portico` with `arguments` in a folder with these files.
fn portico(files: &[(&str, &str)], arguments: &[&str]) -> Output {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_portico"));
    command.args(arguments).current_dir(folder.path()).env_remove("RUST_LOG").env_remove("TOKEN");
    let output = command.output().unwrap();
    Output {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// `portico check` of these files prints exactly `expected` and ends with `code`.
fn check(files: &[(&str, &str)], expected: &[&str], code: i32) {
    let mut arguments = vec!["check"];
    for (name, _) in files {
        arguments.extend(["-f", name]);
    }
    let output = portico(files, &arguments);
    assert_eq!(output.stdout.lines().collect::<Vec<_>>(), expected, "{}", output.stderr);
    assert_eq!(output.code, Some(code), "{}", output.stderr);
}

const GOOD: &str = "targets:\n- name: github\n  url: http://127.0.0.1:1/mcp\n";

#[test]
fn a_good_document_has_nothing_to_report() {
    check(&[("portico.yaml", GOOD)], &[], 0);
}

#[test]
fn a_reference_to_nothing_is_reported_where_it_stands() {
    let document = format!("{GOOD}backends:\n- name: all\n  targets: [github, gitlab]\n");
    let files = [("portico.yaml", document.as_str())];
    let output = portico(&files, &["check", "-f", "portico.yaml"]);
    assert!(output.stdout.starts_with("portico.yaml:6:21: error: "), "{}", output.stdout);
    assert!(output.stdout.contains("`gitlab`"), "{}", output.stdout);
    assert_eq!(output.stderr, "1 file: 1 error\n");
    assert_eq!(output.code, Some(1));
}

#[test]
fn a_file_that_does_not_parse_says_where() {
    let files = [("portico.yaml", "targets:\n- name: [\n")];
    let output = portico(&files, &["check"]);
    assert!(output.stdout.starts_with("portico.yaml:"), "{}", output.stdout);
    assert_eq!(output.code, Some(1));
}

#[test]
fn a_file_that_is_not_there_is_reported_by_name() {
    let output = portico(&[], &["check", "-f", "nowhere.yaml"]);
    assert!(output.stdout.starts_with("nowhere.yaml:1:1: error: "), "{}", output.stdout);
    assert_eq!(output.code, Some(1));
}

#[test]
fn the_usual_files_are_found_in_their_order() {
    let mcp_json = ("mcp.json", r#"{"mcpServers":{"gitlab":{"url":"http://127.0.0.1:1/mcp"}}}"#);
    let output = portico(&[mcp_json], &["expand"]);
    assert!(output.stdout.contains("name: gitlab"), "{}", output.stdout);
    let output = portico(&[mcp_json, ("portico.yaml", GOOD)], &["expand"]);
    assert!(output.stdout.contains("name: github"), "{}", output.stdout);
    assert!(!output.stdout.contains("gitlab"), "{}", output.stdout);
}

#[test]
fn without_any_file_it_says_what_to_do() {
    let output = portico(&[], &["run"]);
    assert_eq!(output.code, Some(2));
    for way in ["-f", "portico.yaml", "mcp.json", "--demo"] {
        assert!(output.stderr.contains(way), "{}", output.stderr);
    }
}

#[test]
fn several_ways_in_expand_to_one_document() {
    let folder_file = ("more/servers.json", r#"{"servers":{"b":{"command":"true"}}}"#);
    let manifest =
        "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {ports: [{port: 1}]}\n";
    let files = [("portico.yaml", GOOD), folder_file, ("more/service.yaml", manifest)];
    let output = portico(&files, &["expand", "-f", "portico.yaml", "-f", "more"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    for name in ["name: github", "name: b"] {
        assert!(output.stdout.contains(name), "{}", output.stdout);
    }
}

#[test]
fn what_expand_prints_expands_to_itself() {
    let first = portico(&[("portico.yaml", GOOD)], &["expand"]);
    let second = portico(&[("portico.yaml", &first.stdout)], &["expand"]);
    assert_eq!(first.stdout, second.stdout);
}

#[test]
fn references_to_secrets_are_not_resolved_by_expand() {
    let document = format!("{GOOD}  headers:\n    Authorization: Bearer ${{HOME}}\n");
    let output = portico(&[("portico.yaml", &document)], &["expand"]);
    assert!(output.stdout.contains("Bearer ${HOME}"), "{}", output.stdout);
}

#[test]
fn a_name_in_two_files_is_reported_at_both_places() {
    let files = [("a.yaml", GOOD), ("b.yaml", GOOD)];
    let output = portico(&files, &["check", "-f", "a.yaml", "-f", "b.yaml"]);
    assert_eq!(output.code, Some(1));
    for place in ["a.yaml:2:", "b.yaml:2:"] {
        let at_place = |line: &str| line.starts_with(place) && line.contains("error");
        assert!(output.stdout.lines().any(at_place), "{place}: {}", output.stdout);
    }
}

#[test]
fn run_refuses_to_start_with_a_file_that_does_not_parse() {
    let output = portico(&[("portico.yaml", "targets:\n- name: [\n")], &["run"]);
    assert_eq!(output.code, Some(2));
    assert!(output.stderr.contains("portico.yaml:"), "{}", output.stderr);
}

#[test]
fn a_port_that_is_taken_is_named_with_a_way_out() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port();
    let document = format!("{GOOD}listeners:\n- address: 127.0.0.1:{port}\n");
    let arguments = ["run", "--admin-port", "0", "--access-log", "off"];
    let output = portico(&[("portico.yaml", &document)], &arguments);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    assert!(output.stderr.contains(&format!("127.0.0.1:{port}")), "{}", output.stderr);
    assert!(output.stderr.contains(&format!("--port {port}=")), "{}", output.stderr);
}

#[test]
fn an_admin_port_that_is_taken_is_named_with_a_way_out() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = portico(&[("portico.yaml", GOOD)], &["run", "--admin-port", &port]);
    assert_eq!(output.code, Some(1), "{}", output.stderr);
    assert!(output.stderr.contains("--admin-port"), "{}", output.stderr);
}

#[test]
fn a_port_that_is_moved_twice_is_refused() {
    let arguments = ["run", "--port", "8080=0", "--port", "8080=1"];
    let output = portico(&[("portico.yaml", GOOD)], &arguments);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
    assert!(output.stderr.contains("`--port 8080=…` is given twice"), "{}", output.stderr);
}

#[test]
fn a_folder_without_files_is_said_to_define_nothing() {
    let files = [("live/notes.txt", "nothing for a gateway")];
    let output = portico(&files, &["check", "-f", "live"]);
    assert!(
        output.stdout.starts_with("live:1:1: warning: the folder holds no "),
        "{}",
        output.stdout
    );
    assert_eq!(output.stderr, "0 files: 1 warning\n");
    assert_eq!(output.code, Some(0));
}

#[test]
fn every_command_is_in_the_help() {
    let output = portico(&[], &["--help"]);
    for command in ["run", "stdio", "check", "expand", "schema", "crds"] {
        assert!(output.stdout.contains(&format!("\n  {command} ")), "{}", output.stdout);
    }
}

#[test]
fn it_says_where_it_serves_and_a_signal_ends_it() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("portico.yaml"), GOOD).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_portico"));
    command.args(["run", "--port", "8080=0", "--admin-port", "0", "--access-log", "off"]);
    command.current_dir(folder.path()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut portico = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(portico.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("portico serves http://127.0.0.1:"), "{line}");
    assert!(line.ends_with("/mcp\n"), "{line}");
    let pid = portico.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(portico.wait().unwrap().code(), Some(0));
}

#[test]
fn stdio_ends_with_its_input_and_keeps_standard_output_for_messages() {
    let output = portico(&[("portico.yaml", GOOD)], &["stdio"]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.stdout, "");
    let output = portico(&[("portico.yaml", GOOD)], &["stdio", "--access-log", "stdout"]);
    assert_eq!(output.code, Some(2), "{}", output.stderr);
}

#[test]
fn stdio_says_what_could_be_served_where_nothing_is() {
    for arguments in [["--path", "/other"], ["--listener", "other"]] {
        let arguments = [&["stdio"], &arguments[..]].concat();
        let output = portico(&[("portico.yaml", GOOD)], &arguments);
        assert_eq!(output.code, Some(2), "{}", output.stderr);
        assert!(output.stderr.contains("http://127.0.0.1:8080/mcp"), "{}", output.stderr);
    }
}

#[test]
fn the_schema_is_json_that_knows_every_part_of_a_document() {
    let output = portico(&[], &["schema"]);
    let schema: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    for part in ["listeners", "routes", "backends", "targets", "limits", "admin", "drain"] {
        assert!(schema["properties"][part].is_object(), "{part}");
    }
}
