//! Every folder of `fixtures/`: its documents read, merged and compiled, beside what is expected.
//! `UPDATE_FIXTURES=1` writes what came out as what is expected.
#![allow(clippy::unwrap_used, clippy::panic, reason = "the whole file is a test")]

use std::fs;
use std::path::{Path, PathBuf};

use config::{
    Format, Reading, Variables, compile, expand, format, merge, read, read_published, to_yaml,
};

const SECRET: &str = "very-secret";

fn cases() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut cases: Vec<PathBuf> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.sort();
    assert!(cases.len() > 20, "the fixtures are gone");
    cases
}

/// The inputs of a case: their names and texts, in order.
fn inputs(case: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(case).unwrap().map(|entry| entry.unwrap().path());
    let is_input = |path: &PathBuf| path.extension().is_some_and(|kind| kind != "txt");
    let mut paths: Vec<PathBuf> = entries.filter(is_input).collect();
    paths.sort();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap())).collect()
}

fn variables() -> Variables {
    let pairs = [("TOKEN", SECRET), ("HOME", "/home/operator"), ("EMPTY", "")];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn read_any(file: &str, text: &str) -> Result<Reading, config::Diagnostic> {
    if file.starts_with("published") {
        return read_published(file, text);
    }
    match format(text) {
        Format::McpJson => expand(file, text),
        Format::Native => read(file, text),
        Format::Manifests => panic!("{file} is for the controller"),
    }
}

fn check(case: &Path, file: &str, actual: &str) -> bool {
    let path = case.join(file);
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, actual).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    if actual != expected {
        eprintln!("{} differs; what came out:\n{actual}", path.display());
    }
    actual == expected
}

#[test]
fn documents_mean_what_is_written_beside_them() {
    let mut failed = Vec::new();
    for case in cases() {
        let mut readings = Vec::new();
        let mut lines = Vec::new();
        for (file, text) in inputs(&case) {
            match read_any(&file, &text) {
                Ok(reading) => readings.push(reading),
                Err(diagnostic) => lines.push(diagnostic.to_string()),
            }
        }
        let reading = merge(readings);
        let compiled = compile(&reading.document, &reading.origins, &variables());
        let diagnostics = reading.diagnostics.iter().chain(&compiled.diagnostics);
        lines.extend(diagnostics.map(ToString::to_string));
        lines.push(String::new());
        let snapshot = compiled.snapshot.to_string();
        let debug = format!("{:?}", compiled.snapshot);
        assert!(!lines.join("\n").contains(SECRET), "a secret is reported in {}", case.display());
        assert!(!snapshot.contains(SECRET) && !debug.contains(SECRET), "{snapshot}\n{debug}");
        let same = check(&case, "diagnostics.txt", &lines.join("\n"));
        if !check(&case, "snapshot.txt", &snapshot) || !same {
            failed.push(case);
        }
    }
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn what_is_written_out_reads_back_to_the_same_document() {
    for case in cases() {
        let inputs = inputs(&case);
        let readings = inputs.iter().filter_map(|(file, text)| read_any(file, text).ok());
        let document = merge(readings.collect()).document;
        let yaml = to_yaml(&document);
        let reading = read("expanded.yaml", &yaml).unwrap();
        assert_eq!(reading.diagnostics, [], "{}:\n{yaml}", case.display());
        assert_eq!(reading.document, document, "{}:\n{yaml}", case.display());
        let written = inputs.iter().any(|(_, text)| text.contains("${TOKEN}"));
        if written && document.targets.iter().any(|target| target.close.is_none()) {
            assert!(yaml.contains("TOKEN}"), "{yaml}");
        }
    }
}
