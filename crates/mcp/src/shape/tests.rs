//! Entries and results that strict clients refuse, and what they get instead.

mod property;
mod results;

use bytes::Bytes;

use super::{Shape, ShapedItem, Shaper};
use crate::method::ListKind;
use crate::revision::Revision;

fn shaped(kind: ListKind, item: &str, shape: Shape) -> ShapedItem {
    Shaper::new(kind, shape).shape(&Bytes::copy_from_slice(item.as_bytes()))
}

fn wraps(tool: &str, shape: Shape) -> bool {
    matches!(shaped(ListKind::Tools, tool, shape), ShapedItem::Changed { wraps: true, .. })
}

/// What it is changed to, whether it is wrapped or not.
fn changed(kind: ListKind, item: &str, shape: Shape) -> Option<Bytes> {
    match shaped(kind, item, shape) {
        ShapedItem::Changed { item, .. } => Some(item),
        ShapedItem::Same | ShapedItem::Withheld(_) => None,
    }
}

/// What every client gets of that entry.
#[track_caller]
fn check(kind: ListKind, item: &str, expected: &str) {
    for shape in Shape::ALL {
        check_for(shape, kind, item, expected);
    }
}

/// What clients of that shape get of that entry.
#[track_caller]
fn check_for(shape: Shape, kind: ListKind, item: &str, expected: &str) {
    match item == expected {
        true => assert_eq!(shaped(kind, item, shape), ShapedItem::Same, "{shape:?} of {item}"),
        false => {
            let wanted = Some(Bytes::copy_from_slice(expected.as_bytes()));
            assert_eq!(changed(kind, item, shape), wanted, "{shape:?} of {item}");
        }
    }
    assert_eq!(shaped(kind, expected, shape), ShapedItem::Same, "{shape:?} of {expected}");
}

/// Why nobody gets that entry.
#[track_caller]
fn check_withheld(kind: ListKind, item: &str, reason: &str) {
    for shape in Shape::ALL {
        assert_eq!(shaped(kind, item, shape), ShapedItem::Withheld(reason.to_owned()), "{item}");
    }
}

/// What every client gets of a tool with that `inputSchema`.
#[track_caller]
fn check_input(schema: &str, expected: &str) {
    let tool = |schema: &str| format!("{{\"name\":\"a\",\"inputSchema\":{schema}}}");
    check(ListKind::Tools, &tool(schema), &tool(expected));
}

#[track_caller]
fn check_bad_input(schema: &str, reason: &str) {
    let tool = format!("{{\"name\":\"a\",\"inputSchema\":{schema}}}");
    check_withheld(ListKind::Tools, &tool, reason);
}

/// What a client of 2025-06-18 or 2025-11-25 gets of an `outputSchema`; `""` for nothing.
#[track_caller]
fn check_output(schema: &str, expected: &str) {
    let tool = |schema: &str| match schema {
        "" => "{\"name\":\"a\",\"inputSchema\":{\"type\":\"object\"}}".to_owned(),
        schema => format!(
            "{{\"name\":\"a\",\"inputSchema\":{{\"type\":\"object\"}},\"outputSchema\":{schema}}}"
        ),
    };
    let is_wrapped = expected.contains("\"required\":[\"result\"]") && schema != expected;
    check_for(Shape::V2025_06_18, ListKind::Tools, &tool(schema), &tool(expected));
    assert_eq!(wraps(&tool(schema), Shape::V2025_06_18), is_wrapped, "{schema}");
    check_for(Shape::V2025_03_26, ListKind::Tools, &tool(schema), &tool(""));
    assert!(!wraps(&tool(schema), Shape::V2026_07_28));
}

#[test]
fn every_revision_has_its_shape() {
    let shapes = Revision::ALL.map(Shape::of);
    assert!(shapes.is_sorted());
    assert_eq!(Shape::of(Revision::V2025_06_18), Shape::of(Revision::V2025_11_25));
    assert!(Shape::ALL.iter().all(|shape| shapes.contains(shape)));
}

#[test]
fn a_good_entry_stays_as_it_is() {
    let tool = r#" { "name":"a","title":"t", "description":"d","inputSchema":{"type":"object","properties":{"type":{"type":["string","null"],"default":null,"const":null},"x":{}},
        "required":["type"],"additionalProperties":false,"x":null},"annotations":{"title":"t","readOnlyHint":true,"x":1},"icons":[{"src":"s","sizes":["any"],"theme":"dark"}],
        "execution":{"taskSupport":"optional"},"_meta":{"x":null},"y":null} "#;
    check(ListKind::Tools, tool, tool);
    let prompt = r#"{"name":"a","arguments":[{"name":"b","required":true,"description":""}],"arguments2":null}"#;
    check(ListKind::Prompts, prompt, prompt);
    let resource = r#"{"uri":"a:1","name":"a","size":1.5,"annotations":{"audience":["user"],"priority":0.5,"lastModified":"2025-01-12T15:00:58.25+01:00"}}"#;
    check(ListKind::Resources, resource, resource);
    let template = r#"{"uriTemplate":"a:{x}","name":"a","mimeType":"text/plain","size":1}"#;
    check(ListKind::ResourceTemplates, template, template);
}

#[test]
fn optional_members_that_are_null_or_of_another_type_are_dropped() {
    check(
        ListKind::Tools,
        r#"{"title":null,"name":"a", "description":5,"inputSchema":{"type":"object"},"annotations":null,"outputSchema":null,"icons":{},"_meta":[],"execution":null}"#,
        r#"{"name":"a","inputSchema":{"type":"object"}}"#,
    );
    check(
        ListKind::Tools,
        r#"{"name":"a","inputSchema":{"type":"object"},"annotations":{"readOnlyHint":"yes","title":null},"execution":{"taskSupport":"maybe"},"icons":[{"src":"a","theme":"red","sizes":"any"}]}"#,
        r#"{"name":"a","inputSchema":{"type":"object"},"annotations":{},"execution":{},"icons":[{"src":"a"}]}"#,
    );
    check(
        ListKind::Tools,
        r#"{"icons":[{"src":"a"},{"sizes":["any"]}],"name":"a","inputSchema":{"type":"object"}}"#,
        r#"{"name":"a","inputSchema":{"type":"object"}}"#,
    );
    check(
        ListKind::Prompts,
        r#"{"description":null,"name":"a","arguments":null}"#,
        r#"{"name":"a"}"#,
    );
    check(
        ListKind::Prompts,
        r#"{"name":"a","arguments":[{"name":"b","description":null,"required":null},{"required":1,"name":"c"}]}"#,
        r#"{"name":"a","arguments":[{"name":"b"},{"name":"c"}]}"#,
    );
    check(
        ListKind::Resources,
        r#"{"uri":"a:1","mimeType":null,"name":"a","size":null,"annotations":{"audience":["all"],"priority":2,"lastModified":"2025-01-12T15:00:58"}}"#,
        r#"{"uri":"a:1","name":"a","annotations":{}}"#,
    );
}

#[test]
fn a_resource_without_a_name_has_its_uri() {
    check(ListKind::Resources, r#"{"uri":"a:\u0031"}"#, r#"{"name":"a:\u0031","uri":"a:\u0031"}"#);
    check(
        ListKind::ResourceTemplates,
        r#"{"name":null,"uriTemplate":"a:{x}"}"#,
        r#"{"name":"a:{x}","uriTemplate":"a:{x}"}"#,
    );
}

#[test]
fn what_cannot_be_repaired_is_withheld() {
    check_withheld(ListKind::Tools, r#"{"inputSchema":{"type":"object"}}"#, "it has no `name`");
    check_withheld(ListKind::Tools, r#"{"name":5}"#, "`name` is not a string");
    check_withheld(ListKind::Prompts, "[]", "it is not an object");
    check_withheld(
        ListKind::Prompts,
        r#"{"name":"a","arguments":{}}"#,
        "`arguments` is not an array",
    );
    let nameless = "one of `arguments` has no `name`";
    check_withheld(ListKind::Prompts, r#"{"name":"a","arguments":[{}]}"#, nameless);
    check_withheld(ListKind::Prompts, r#"{"name":"a","arguments":["b"]}"#, nameless);
    check_withheld(ListKind::Resources, r#"{"name":"a"}"#, "it has no `uri`");
    check_withheld(ListKind::Resources, r#"{"name":1,"uri":"a"}"#, "`name` is not a string");
    check_withheld(
        ListKind::ResourceTemplates,
        r#"{"name":"a","uriTemplate":null}"#,
        "`uriTemplate` is not a string",
    );
    check_withheld(ListKind::Tools, "{", "it is not JSON, or nested too deeply");
}

#[test]
fn an_input_schema_is_one_of_an_object() {
    check(ListKind::Tools, r#"{"name":"a"}"#, r#"{"inputSchema":{"type":"object"},"name":"a"}"#);
    check(
        ListKind::Tools,
        r#"{"name":"a","inputSchema":null}"#,
        r#"{"inputSchema":{"type":"object"},"name":"a"}"#,
    );
    check(
        ListKind::Tools,
        r#"{"inputSchema":[],"name":"a"}"#,
        r#"{"inputSchema":{"type":"object"},"name":"a"}"#,
    );
    check_input("{ }", r#"{"type":"object" }"#);
    check_input(r#"{"type":null}"#, r#"{"type":"object"}"#);
    check_input(
        r##"{"$ref":"#/$defs/A","$defs":{"A":{}}}"##,
        r##"{"type":"object","$ref":"#/$defs/A","$defs":{"A":{}}}"##,
    );
    check_input(r#"{"type":"object","anyOf":[{}]}"#, r#"{"type":"object","anyOf":[{}]}"#);
    check_bad_input(r#"{"anyOf":[{}]}"#, "`inputSchema` is a union without the type `object`");
    check_bad_input(r#"{"type":"array"}"#, "the type of `inputSchema` is not `object`");
    check_bad_input(r#"{"type":["object"]}"#, "the type of `inputSchema` is not `object`");
    check_bad_input(
        r#"{"type":"array","type":"object"}"#,
        "the type of `inputSchema` is not `object`",
    );
    check_bad_input("true", "`inputSchema` is not an object");
    check_bad_input("[1]", "`inputSchema` is not an object");
}

#[test]
fn nulls_in_a_schema_go_where_they_mean_nothing() {
    check_input(r#"{"required":null,"type":"object","properties":null}"#, r#"{"type":"object"}"#);
    check_input(
        r#"{"type":"object","properties":{"a":{"type":"array","items":null,"default":null,"enum":[null]}},"description":null,"$defs":{"B":{"required":null}}}"#,
        r#"{"type":"object","properties":{"a":{"type":"array","default":null,"enum":[null]}},"$defs":{"B":{}}}"#,
    );
}

#[test]
fn properties_are_an_object_of_objects() {
    check_input(
        r#"{"type":"object","properties":{"a":true,"b":false,"c":null,"d":[],"e":{"properties":[]}}}"#,
        r#"{"type":"object","properties":{"a":{},"b":{"not":{}},"c":{},"d":{},"e":{"properties":{}}}}"#,
    );
    check_input(r#"{"type":"object","properties":[]}"#, r#"{"type":"object","properties":{}}"#);
    let reason = "`inputSchema.properties` is not an object of schemas";
    for properties in ["5", "[{}]", r#"{"a":"string"}"#, r#"{"a":[1]}"#] {
        check_bad_input(&format!("{{\"type\":\"object\",\"properties\":{properties}}}"), reason);
    }
    let reason = "`inputSchema.required` is not an array of strings";
    for required in ["true", "[1]", r#""a""#] {
        check_bad_input(&format!("{{\"type\":\"object\",\"required\":{required}}}"), reason);
    }
}

#[test]
fn a_type_that_is_none_is_found_wherever_there_is_a_schema() {
    let reason = r#"`inputSchema` has the type "int", which is none"#;
    for schema in [
        r#"{"type":"int"}"#,
        r#"{"type":"object","properties":{"a":{"type":"int"}}}"#,
        r#"{"type":"object","properties":{"a":{"items":{"anyOf":[{"type":"int"}]}}}}"#,
        r#"{"type":"object","$defs":{"a":{"type":"int"}}}"#,
        r#"{"type":"object","additionalProperties":{"type":"int"}}"#,
    ] {
        check_bad_input(schema, reason);
    }
    let reason = r#"`inputSchema` has the type ["string","int"], which is none"#;
    check_bad_input(r#"{"type":"object","items":{"type":["string","int"]}}"#, reason);
    let data = r#"{"type":"object","properties":{"type":{"default":{"type":"int"},"x-y":{"type":"int"}}}}"#;
    check_input(data, data);
}

#[test]
fn an_output_schema_of_an_object_stays() {
    let object = r#"{"type":"object","properties":{"a":{"type":"string"}}}"#;
    check_output(object, object);
    check_output(r#"{"properties":{"a":{}}}"#, r#"{"type":"object","properties":{"a":{}}}"#);
    check_output("null", "");
}

#[test]
fn an_output_schema_of_something_else_is_wrapped() {
    check_output(
        r##"{"type":"array","items":{"$ref":"#/$defs/A"},"$defs":{"A":{"type":"integer"}}}"##,
        r##"{"type":"object","properties":{"result":{"type":"array","items":{"$ref":"#/properties/result/$defs/A"},"$defs":{"A":{"type":"integer"}}}},"required":["result"]}"##,
    );
    check_output(
        r##"{"$schema":"http://x","anyOf":[{"$ref":"#"},{"$ref":"#a"},{"$ref":"http://x#/a"},{"$anchor":"a","$id":"http://y","properties":{"$ref":{"const":{"$ref":"#/a"}}}}]}"##,
        r##"{"$schema":"http://x","type":"object","properties":{"result":{"$schema":"http://x","anyOf":[{"$ref":"#/properties/result"},{"$ref":"#a"},{"$ref":"http://x#/a"},{"$anchor":"a","$id":"http://y","properties":{"$ref":{"const":{"$ref":"#/a"}}}}]}},"required":["result"]}"##,
    );
    check_output(
        r##"{"oneOf":[{"$ref":"#/x/y"},{"$id":"http://x","items":{"$ref":"#/x"}}],"x":{"y":{"$ref":"#/x"}}}"##,
        r##"{"type":"object","properties":{"result":{"oneOf":[{"$ref":"#/properties/result/x/y"},{"$id":"http://x","items":{"$ref":"#/x"}}],"x":{"y":{"$ref":"#/properties/result/x"}}}},"required":["result"]}"##,
    );
    check_output(
        r#"{"type":["object","null"],"title":null}"#,
        r#"{"type":"object","properties":{"result":{"type":["object","null"]}},"required":["result"]}"#,
    );
    check_output("true", r#"{"type":"object","properties":{"result":{}},"required":["result"]}"#);
}

#[test]
fn an_output_schema_that_cannot_be_repaired_costs_itself_only() {
    for schema in [
        r#"{"type":"object","properties":{"a":{"type":"int"}}}"#,
        r#"{"type":"object","title":null,"required":true}"#,
        r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"B":{}}}"##,
        r##"{"type":"array","items":{"$ref":"#a"},"$defs":{"A":{"$anchor":"b"}}}"##,
        r#"{"type":"object","properties":{"a":{"$ref":"https://example.com/a.json"}}}"#,
        r#"{"type":"object","properties":{"a":{"type":"number","exclusiveMinimum":true}}}"#,
        r#"{"type":"object","properties":{"a":{"nullable":true,"anyOf":[]}}}"#,
        r#"{"type":"array","items":{"enum":"a"}}"#,
        r#""string""#,
        "false",
        "[]",
    ] {
        check_output(schema, "");
    }
}

#[test]
fn references_that_lead_somewhere_cost_nothing() {
    for schema in [
        r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/a~1b/items/0"}},"$defs":{"a/b":{"items":[{}]}}}"##,
        r##"{"type":"object","properties":{"a":{"$ref":"#/x-schemas/A"}},"x-schemas":{"A":{"$ref":"#/no"}}}"##,
        r##"{"type":"object","properties":{"a":{"$ref":"#a"},"b":{"$ref":"#"}},"$defs":{"A":{"$anchor":"a"}}}"##,
        r##"{"type":"object","properties":{"a":{"$ref":"y#/no"}},"$defs":{"A":{"$id":"y"}}}"##,
        r##"{"type":"object","properties":{"$ref":{"nullable":true,"type":"string"}},"default":{"$ref":"#/no"}}"##,
        r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/%C3%A9"}},"$defs":{"é":{}}}"##,
    ] {
        check_output(schema, schema);
    }
}

#[test]
fn a_modern_client_takes_any_output_schema() {
    for schema in [r##"{"type":"array"}"##, "true", r##"{"anyOf":[{"$ref":"#/x"}]}"##] {
        let tool = format!(
            "{{\"name\":\"a\",\"inputSchema\":{{\"type\":\"object\"}},\"outputSchema\":{schema}}}"
        );
        check_for(Shape::V2026_07_28, ListKind::Tools, &tool, &tool);
    }
}
