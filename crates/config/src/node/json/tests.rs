//! JSON as editors write it.

use super::parse_json;
use crate::node::{Node, Value};

fn text(node: &Node) -> String {
    match &node.value {
        Value::Scalar(scalar) => format!("{:?}", scalar.text),
        Value::Sequence(nodes) => nodes.iter().map(text).collect::<Vec<_>>().join(","),
        Value::Mapping(mapping) => {
            let pair = |entry: &crate::node::Entry| format!("{}:{}", entry.key, text(&entry.value));
            mapping.entries.iter().map(pair).collect::<Vec<_>>().join(";")
        }
    }
}

#[test]
fn comments_and_trailing_commas_are_skipped() {
    for (json, expected) in [
        ("{}", ""),
        ("// a\n{ /* b } */ \"a\": [1, true, null,], // c\n }", r#"a:"1","true","null""#),
        (r#"{"a//b": "c /* d */"}"#, r#"a//b:"c /* d */""#),
        (r#"["\u00e9\ud83d\ude00\/\"\\"]"#, r#""é😀/\"\\""#),
        ("[-1.5e3]", r#""-1.5e3""#),
    ] {
        assert_eq!(text(&parse_json(json).unwrap()), expected, "{json}");
    }
}

#[test]
fn mistakes_are_placed() {
    for (json, line, column) in [
        ("{\n  \"a\" 1 }", 2, 7),
        ("{ a: 1 }", 1, 3),
        ("[1 2]", 1, 4),
        ("{\"é\": tru}", 1, 7),
        ("[01]", 1, 2),
        ("\n  \"open", 2, 3),
        ("[\"\\x\"]", 1, 2),
        ("{} {}", 1, 4),
        ("/* open", 1, 1),
        ("[,]", 1, 2),
    ] {
        let position = parse_json(json).unwrap_err().position;
        assert_eq!((position.line, position.column), (line, column), "{json}");
    }
    assert!(parse_json(&"[".repeat(100_000)).is_err());
}
