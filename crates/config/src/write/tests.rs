//! Documents as text.

use std::collections::BTreeMap;

use super::{redacted, schema, to_yaml};
use crate::document::{Document, Target};
use crate::read;

/// Texts that YAML has other uses for, and random ones made of its special characters.
fn texts() -> Vec<String> {
    let special = [
        "",
        " ",
        "null",
        "~",
        "true",
        "No",
        "1",
        "1.10",
        "0x1f",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#a",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "%a",
        "@a",
        "`a",
        "'",
        "\"",
        "{a",
        "[a",
        "a\nb",
        "a\n",
        "\na",
        "a\tb",
        " a ",
        "---",
        "...",
        "<<",
        "${VAR}",
        "${VAR:-a: b}",
        "é😀",
        "\u{85}",
        "\u{2028}",
        "\u{feff}a",
        "a\r\nb",
        "\\n",
        "2026-11-21",
        "1_000",
        ".inf",
        "=",
        "?",
        "? a",
        "a:",
        ":a",
    ];
    let mut texts: Vec<String> = special.map(str::to_owned).to_vec();
    let alphabet: Vec<char> = "ab01 \n\t:#-?&*!|>'\"%@`{}[],\\~$.=<é\u{a0}".chars().collect();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    for _ in 0..2_000 {
        let length = random() % 12;
        texts.push((0..length).map(|_| alphabet[random() % alphabet.len()]).collect());
    }
    // A long line may be folded.
    texts.push("word ".repeat(100));
    texts
}

#[test]
fn any_text_is_written_so_that_it_reads_back() {
    for text in texts() {
        let pairs: BTreeMap<String, String> = [(text.clone(), text.clone())].into();
        let target = Target {
            name: text.clone(),
            args: vec![text.clone(), text.clone()],
            env: pairs.clone(),
            headers: pairs,
            ..Target::default()
        };
        let document = Document { targets: vec![target], ..Document::default() };
        let yaml = to_yaml(&document);
        let reading = read("written.yaml", &yaml);
        let reading = reading.unwrap_or_else(|error| panic!("{text:?}: {error}\n{yaml}"));
        assert_eq!(reading.document, document, "{text:?}:\n{yaml}");
        assert_eq!(reading.diagnostics, [], "{text:?}:\n{yaml}");
    }
}

#[test]
fn the_schema_has_every_member_of_a_document_and_no_other() {
    let schema: serde_json::Value = serde_json::from_str(&schema()).unwrap();
    let mut members: Vec<&str> =
        schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut known = crate::read::MEMBERS;
    members.sort_unstable();
    known.sort_unstable();
    assert_eq!(members, known);
    assert_eq!(schema["additionalProperties"], false);
    assert_eq!(schema["$defs"]["Target"]["additionalProperties"], false);
    assert!(schema["$defs"]["Route"]["properties"]["path"].is_object());
}

#[test]
fn a_redacted_document_shows_references_and_no_values() {
    let reading = read(
        "secrets.yaml",
        r#"
targets:
  - { name: a, url: "http://a/", headers: { A: "Bearer s3cret", B: "Bearer ${TOKEN}", C: "s3cret ${B}" } }
  - { name: d, url: "https://d/mcp?key=s3cret&other=${KEY}" }
backends:
  - name: b
    targets:
      - { name: c, command: c, env: { C: s3cret, D: "${env:D}", E: "${E:-s3cret}" } }
      - { name: e, command: e, args: ["--token", s3cret, "--key=${KEY}", "s3cret", "${OTHER}"] }
"#,
    );
    let reading = reading.unwrap();
    assert_eq!(reading.diagnostics, []);
    let yaml = to_yaml(&redacted(&reading.document));
    assert!(!yaml.contains("s3cret"), "{yaml}");
    for shown in ["Bearer ${TOKEN}", "${env:D}", "${E:-***}", "***${KEY}", "${OTHER}", "https://d/"]
    {
        assert!(yaml.contains(shown), "`{shown}` is missing in {yaml}");
    }
}

#[test]
fn of_a_url_only_the_host_and_references_are_shown() {
    for (url, shown) in [
        ("http://a", "http://a"),
        ("http://a/", "http://a/"),
        ("https://a:1/mcp", "https://a:1/***"),
        ("https://a?key=s3cret", "https://a***"),
        ("https://a#s3cret", "https://a***"),
        ("https://a/s/s3cret/mcp?${KEY}", "https://a/***${KEY}"),
        ("https://user:s3cret@a/mcp", "https://***@a/***"),
        ("https://s3cret@b@a/mcp", "https://***@a/***"),
        ("https://${USER}:s3cret@a/mcp", "https://${USER}***@a/***"),
        ("https://${HOST}/mcp", "https://${HOST}/***"),
        ("https://${HOST:-s3cret/x}:80/mcp?a", "https://${HOST:-***}:80/***"),
        ("https://a.${DOMAIN}/${PATH_}", "https://a.${DOMAIN}/${PATH_}"),
        ("${URL}", "${URL}"),
        ("${URL}/s3cret", "${URL}***"),
        ("s3cret", "***"),
        ("a b s3cret://a", "***"),
        ("https://a/$${KEY}", "https://a/***"),
        ("https://a/${s3cret!}", "https://a/***"),
        ("https://a/${s3cret", "https://a/***"),
    ] {
        let target = Target { url: Some(url.to_owned()), ..Target::default() };
        let document = Document { targets: vec![target], ..Document::default() };
        let redacted = redacted(&document);
        assert_eq!(redacted.targets[0].url.as_deref(), Some(shown), "{url}");
    }
}
