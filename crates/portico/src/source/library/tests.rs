//! Files as they are while something happens to them. What is followed and how is in `file`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::source::Library;

/// Files of one folder, which is read as a whole or file by file.
struct Files {
    folder: TempDir,
    library: Library,
}

impl Files {
    /// Opens `inputs`, of which `.` is the folder of all `files`.
    fn open(files: &[(&str, &str)], inputs: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join("live")).unwrap();
        for (name, text) in files {
            fs::write(folder.path().join("live").join(name), text).unwrap();
        }
        let inputs = inputs.iter().map(|input| folder.path().join(input)).collect();
        let library = Library::open(inputs);
        Self { folder, library }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&mut self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        self.library.refresh();
    }

    /// The targets are `targets`, and the diagnostics hold one of `expected` each, in their order.
    fn check(&self, targets: &[&str], expected: &[&str]) {
        let reading = self.library.reading();
        let names: Vec<&str> =
            reading.document.targets.iter().map(|target| target.name.as_str()).collect();
        assert_eq!(names, targets);
        let diagnostics: Vec<String> =
            reading.diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(diagnostics.len(), expected.len(), "{diagnostics:#?}");
        for (diagnostic, expected) in diagnostics.iter().zip(expected) {
            assert!(diagnostic.contains(expected), "{diagnostic}");
        }
    }
}

const ONE: &str = "targets: [{name: one, url: 'http://127.0.0.1:1/mcp'}]";
const TWO: &str = "targets: [{name: two, url: 'http://127.0.0.1:1/mcp'}]";
const POLICY: &str = "{apiVersion: agentgateway.dev/v1alpha1, kind: AgentgatewayPolicy, \
                      metadata: {name: p}, spec: {targetRefs: []}}";

#[test]
fn a_folder_that_is_gone_for_a_moment_keeps_what_its_files_said() {
    let mut files = Files::open(&[("one.yaml", ONE), ("two.yaml", TWO)], &["live"]);
    fs::rename(files.path("live"), files.path("away")).unwrap();
    assert!(files.library.refresh());
    files.check(&["one", "two"], &["live:1:1: error: the folder cannot be read: "]);
    assert!(!files.library.refresh());
    fs::rename(files.path("away"), files.path("live")).unwrap();
    fs::remove_file(files.path("live/two.yaml")).unwrap();
    assert!(files.library.refresh());
    files.check(&["one"], &[]);
}

#[test]
fn a_folder_that_becomes_a_file_is_that_file() {
    let mut files = Files::open(&[("one.yaml", ONE)], &["live"]);
    fs::remove_dir_all(files.path("live")).unwrap();
    files.write("live", TWO);
    files.check(&["two"], &[]);
}

#[test]
fn a_link_that_leads_nowhere_is_broken_and_not_deleted() {
    let mut files = Files::open(&[], &["live"]);
    fs::write(files.path("one"), ONE).unwrap();
    std::os::unix::fs::symlink("../one", files.path("live/one.yaml")).unwrap();
    files.library.refresh();
    files.check(&["one"], &[]);
    fs::remove_file(files.path("one")).unwrap();
    files.library.refresh();
    files.check(&["one"], &["live/one.yaml:1:1: error: the file cannot be read"]);
}

#[test]
fn an_emptied_file_keeps_what_it_said_and_names_the_way_to_remove_it() {
    let mut files = Files::open(&[("one.yaml", ONE)], &["live"]);
    for empty in ["", "\n", "\u{feff} \r\n\t"] {
        files.write("live/one.yaml", empty);
        files.check(
            &["one"],
            &["live/one.yaml:1:1: warning: the file is empty; what it said last \
                                 stays; to remove what it defines, delete the file [file.empty]"],
        );
    }
    files.write("live/one.yaml", TWO);
    files.check(&["two"], &[]);
    fs::remove_file(files.path("live/one.yaml")).unwrap();
    files.library.refresh();
    files.check(&[], &["live:1:1: warning: the folder holds no "]);
}

#[test]
fn a_file_that_is_named_itself_is_emptied_by_a_comment() {
    let mut files = Files::open(&[("one.yaml", ONE)], &["live/one.yaml"]);
    files.write("live/one.yaml", "");
    files.check(&["one"], &["to remove what it defines, leave a comment in it"]);
    files.write("live/one.yaml", "# nothing\n");
    files.check(&[], &[]);
}

#[test]
fn an_emptied_policy_still_guards() {
    let mut files = Files::open(&[("policy.yaml", POLICY)], &["live"]);
    let before = files.library.reading();
    assert!(before.diagnostics.iter().any(|one| one.id.starts_with("policy.")), "{before:?}");
    files.write("live/policy.yaml", "");
    let after = files.library.reading();
    assert_eq!(after.document, before.document);
    assert_eq!(after.diagnostics[0].id, "file.empty");
    assert_eq!(after.diagnostics[1..], before.diagnostics);
}

#[test]
fn what_is_empty_from_the_start_is_said_to_define_nothing() {
    Files::open(&[("one.yaml", "\n")], &["live"]).check(&[], &["empty, so it defines nothing"]);
    Files::open(&[], &["live"]).check(&[], &["holds no *.yaml, *.yml or *.json"]);
}

#[test]
fn a_pipe_is_read_once() {
    let folder = TempDir::new().unwrap();
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let writer = write_into(&pipe);
    let mut library = Library::open(vec![pipe]);
    writer.join().unwrap();
    // Reading it again would wait for another writer, for ever.
    assert!(!library.refresh());
    assert_eq!(library.reading().document.targets[0].name, "one");
    assert!(library.folders().is_empty());
}

fn write_into(pipe: &Path) -> std::thread::JoinHandle<()> {
    let pipe = pipe.to_owned();
    std::thread::spawn(move || fs::write(pipe, ONE).unwrap())
}

#[test]
fn a_file_by_two_names_is_read_once() {
    let inputs = ["live", "live/./one.yaml", "live/../live/one.yaml"];
    Files::open(&[("one.yaml", ONE)], &inputs).check(&["one"], &[]);
}
