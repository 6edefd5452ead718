//! Which way in a text is.

use super::{Format, format};

#[test]
fn a_format_is_told_by_content() {
    for (text, expected) in [
        ("", Format::Native),
        ("targets: []", Format::Native),
        ("{ targets: [] }", Format::Native),
        ("# servers:\ntargets: [{ name: servers, url: 'http://a' }]", Format::Native),
        ("targets:\n  - name: a\n    servers: b", Format::Native),
        (r#"{"mcpServers": {}}"#, Format::McpJson),
        ("// \"apiVersion\": kind\n{ \"servers\": { } }", Format::McpJson),
        ("/* { */ {\n\t\"servers\": {", Format::McpJson),
        ("\u{feff}{\"mcp\": {\"servers\": {}}}", Format::McpJson),
        ("mcpServers:\n  a: { command: x }", Format::McpJson),
        (r#"{"targets": [{"mcpServers": 1}]}"#, Format::Native),
        ("apiVersion: v1\nkind: Service\n", Format::Manifests),
        ("# first\n---\nfoo: bar\n---\nkind: Gateway\napiVersion: x\n", Format::Manifests),
        (r#"{"apiVersion": "v1", "kind": "List", "items": ["#, Format::Manifests),
        ("apiVersion: v1\n---\nkind: x\n", Format::Native),
        ("kind: AgentgatewayPolicy\nmetadata: { name: p }\n", Format::Manifests),
        ("apiVersion: v1\nspec: {}\n", Format::Manifests),
        ("metadata: {}\nspec: {}\n", Format::Native),
        ("apiVersion: v1\nkind: [unclosed", Format::Manifests),
    ] {
        assert_eq!(format(text), expected, "{text}");
    }
}
