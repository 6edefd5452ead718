//! Whatever goes in, what comes out is JSON that would stay as it is.

use bytes::Bytes;
use proptest::prelude::*;
use serde::de::IgnoredAny;

use crate::message::Message;
use crate::method::ListKind;
use crate::shape::{Shape, ShapedItem, Shaper, shape_result};
use crate::uri::ResultKind;

/// Names that mean something somewhere, and one that does not.
const NAMES: [&str; 41] = [
    "name",
    "uri",
    "uriTemplate",
    "title",
    "description",
    "mimeType",
    "size",
    "annotations",
    "audience",
    "priority",
    "lastModified",
    "readOnlyHint",
    "icons",
    "src",
    "sizes",
    "theme",
    "_meta",
    "arguments",
    "inputSchema",
    "outputSchema",
    "type",
    "properties",
    "required",
    "items",
    "anyOf",
    "$defs",
    "$ref",
    "$id",
    "$schema",
    "default",
    "content",
    "structuredContent",
    "isError",
    "messages",
    "role",
    "contents",
    "resource",
    "text",
    "blob",
    "data",
    "x",
];

fn scalar() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "null",
        "true",
        "false",
        "0",
        "-1.5e3",
        "\"\"",
        "\"object\"",
        "\"array\"",
        "\"int\"",
        "\"text\"",
        "\"audio\"",
        "\"resource_link\"",
        "\"resource\"",
        "\"video\"",
        "\"user\"",
        "\"#/a\"",
        "\"2025-01-12T15:00:58Z\"",
        r#""\ud800\"\u00e9""#,
        "{}",
        "[]",
    ])
    .prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(6, 60, 6, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(|all| format!("[{}]", all.join(" , "))),
            3 => object(inner),
        ]
    })
}

fn object(inner: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let member = (prop::sample::select(NAMES.to_vec()), inner);
    prop::collection::vec(member, 0..7).prop_map(|members| {
        let members = members.iter().map(|(name, value)| format!(" \"{name}\" :{value}"));
        format!("{{{}}}", members.collect::<Vec<_>>().join(" ,"))
    })
}

/// Mostly of the form that is looked at: a few members that must be there, and any others.
fn entry() -> impl Strategy<Value = String> {
    let usual = (object(value()), object(value()), object(value())).prop_map(|(more, input, output)| {
        let more = more.trim_start_matches('{');
        let comma = if more == "}" { "" } else { "," };
        format!("{{\"name\":\"a\",\"uri\":\"a:1\",\"uriTemplate\":\"a:{{x}}\",\"inputSchema\":{input},\"outputSchema\":{output}{comma}{more}")
    });
    prop_oneof![2 => usual, 1 => value()]
}

fn result() -> impl Strategy<Value = String> {
    let block = object(value());
    let blocks = prop::collection::vec(prop_oneof![3 => block, 1 => value()], 0..4)
        .prop_map(|blocks| format!("[{}]", blocks.join(",")));
    let usual = (blocks, value()).prop_map(|(blocks, structured)| {
        format!("{{\"content\":{blocks},\"contents\":{blocks},\"messages\":[{{\"content\":{blocks}}}],\"structuredContent\":{structured}}}")
    });
    prop_oneof![2 => usual, 1 => value()]
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn a_shaped_entry_stays_as_it_is(text in entry()) {
        let item = Bytes::from(text);
        for kind in ListKind::ALL {
            for shape in Shape::ALL {
                let shaped = |item| Shaper::new(kind, shape).shape(item);
                if let ShapedItem::Changed { item: bytes, .. } = shaped(&item) {
                    prop_assert!(is_json(&bytes), "{:?}", bytes);
                    prop_assert_ne!(&bytes, &item);
                    prop_assert_eq!(shaped(&bytes), ShapedItem::Same, "{:?} became {:?}", item, bytes);
                }
            }
        }
    }

    #[test]
    fn a_shaped_result_stays_as_it_is(text in result()) {
        let text = format!("{{\"id\":1,\"result\":{text},\"jsonrpc\":\"2.0\"}}");
        let response = Message::parse(Bytes::from(text)).unwrap();
        for kind in [ResultKind::ToolCall, ResultKind::Prompt, ResultKind::Read] {
            for shape in Shape::ALL {
                if let Some(bytes) = shape_result(kind, &response, shape, false) {
                    prop_assert!(is_json(&bytes), "{:?}", bytes);
                    let shaped = Message::parse(bytes.clone()).unwrap();
                    let again = shape_result(kind, &shaped, shape, false);
                    prop_assert_eq!(again, None, "{:?} became {:?}", response.bytes(), bytes);
                }
                if let Some(bytes) = shape_result(kind, &response, shape, true) {
                    prop_assert!(is_json(&bytes), "{:?}", bytes);
                }
            }
        }
    }
}
