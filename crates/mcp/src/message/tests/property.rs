//! The message head against serde_json, over generated texts.

use std::fmt;

use bytes::Bytes;
use proptest::prelude::*;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::message::{Kind, Message, MessageError};
use crate::text::Text;

/// The members of an object in order, repeated ones too.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Members;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(All)
    }
}

impl Members {
    fn of(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.get())
    }

    fn string(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.raw(name)?).ok()
    }

    /// Each of these is there at most once, in whatever case.
    fn are_single(&self, names: &[&str]) -> bool {
        names.iter().all(|name| {
            let alike = self.0.iter().filter(|(key, _)| key.to_lowercase() == name.to_lowercase());
            let alike: Vec<&String> = alike.map(|(key, _)| key).collect();
            alike.is_empty() || alike == [name]
        })
    }
}

/// What serde_json says: whether it is a request or notification of `tools/call`, by the rules.
fn accepts(text: &str) -> bool {
    let Some(envelope) = Members::of(text) else { return false };
    let params = envelope.raw("params").unwrap_or("null");
    let members = Members::of(params);
    let meta = members.as_ref().and_then(|params| Members::of(params.raw("_meta")?));
    envelope.are_single(&["jsonrpc", "id", "method", "params", "result", "error"])
        && envelope.string("jsonrpc").as_deref() == Some("2.0")
        && envelope.string("method").is_some()
        && envelope.raw("id").is_none_or(|id| id.starts_with(['"', '-', '0', '1', '9']))
        && ["result", "error"].iter().all(|name| envelope.raw(name).unwrap_or("null") == "null")
        && (params == "null" || members.is_some())
        && members.is_none_or(|params| params.are_single(&["name", "_meta"]))
        && meta.is_none_or(|meta| meta.are_single(&["progressToken"]))
}

fn space() -> impl Strategy<Value = &'static str> {
    prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\n\t"), 1 => Just("\r\n  ")]
}

/// A JSON string that says `text`, with some of its characters escaped.
fn spelled(text: &'static str) -> impl Strategy<Value = String> {
    let spelling = |text: &str, escaped: Vec<bool>| {
        let mut json = String::from("\"");
        for (character, escaped) in text.chars().zip(escaped) {
            match character {
                '/' if escaped => json.push_str("\\/"),
                character if escaped => json.push_str(&format!("\\u{:04X}", u32::from(character))),
                character => json.push(character),
            }
        }
        json + "\""
    };
    prop_oneof![
        4 => Just(format!("\"{text}\"")),
        1 => prop::collection::vec(any::<bool>(), text.len()).prop_map(move |e| spelling(text, e)),
        1 => Just(format!("\"{}\"", text.to_uppercase())),
    ]
}

fn scalar() -> impl Strategy<Value = String> {
    let texts = [
        "null",
        "true",
        "0",
        "-0.0",
        "1e400",
        "9007199254740993",
        "123456789012345678901234567890",
        "1.0",
        "\"\"",
        "\"2.0\"",
        "\"tools/call\"",
        "\"a b\"",
        r#""\u00e9\ud83d\ude00\"\\""#,
    ];
    prop::sample::select(texts.to_vec()).prop_map(str::to_owned)
}

fn object(members: Vec<(String, String, &'static str)>) -> String {
    let members = members
        .into_iter()
        .map(|(key, value, space)| format!("{space}{key}{space}:{space}{value}{space}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn member(
    name: &'static str,
    value: impl Strategy<Value = String> + 'static,
) -> BoxedStrategy<(String, String, &'static str)> {
    (spelled(name), value, space()).boxed()
}

fn any_value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(3, 12, 4, |inner| {
        let entry = prop_oneof![
            member("name", inner.clone()),
            member("progressToken", inner.clone()),
            member("x", inner.clone())
        ];
        prop_oneof![
            prop::collection::vec(inner, 0..3)
                .prop_map(|values| format!("[{}]", values.join(" ,"))),
            prop::collection::vec(entry, 0..4).prop_map(object),
        ]
    })
}

fn message() -> impl Strategy<Value = String> {
    let meta = prop::collection::vec(
        prop_oneof![member("progressToken", scalar()), member("x", any_value())],
        0..3,
    );
    let params = prop::collection::vec(
        prop_oneof![
            3 => member("name", scalar()),
            1 => member("arguments", any_value()),
            1 => member("_meta", prop_oneof![4 => meta.prop_map(object), 1 => any_value()]),
            1 => member("uri", scalar()),
        ],
        0..4,
    );
    let params = prop_oneof![6 => params.prop_map(object), 1 => any_value()];
    // Mostly a usable envelope, with a few members more, in any order.
    let extra = prop_oneof![
        member("id", scalar()),
        member("method", scalar()),
        member("result", any_value()),
        member("x", any_value()),
        member("jsonrpc", scalar())
    ];
    let base = (
        member("jsonrpc", Just("\"2.0\"".to_owned())),
        member("method", spelled("tools/call")),
        prop::option::weighted(0.8, member("id", scalar())),
        prop::option::weighted(0.8, member("params", params)),
        prop::collection::vec(extra, 0..2),
    );
    base.prop_map(|(version, method, id, params, extra)| {
        [version, method].into_iter().chain(id).chain(params).chain(extra).collect::<Vec<_>>()
    })
    .prop_shuffle()
    .prop_map(object)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn the_head_is_what_serde_json_reads(text in message()) {
        let parsed = Message::parse(Bytes::from(text.clone()));
        match parsed {
            Ok(message) if matches!(message.kind(), Kind::Request | Kind::Notification) => {
                // `TOOLS/CALL` is another method, whose `name` is not routed by.
                prop_assume!(message.method_name() == Some("tools/call"));
                prop_assert!(accepts(&text), "{text}");
                let envelope = Members::of(&text).unwrap();
                let id = message.id().map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
                prop_assert_eq!(id.as_deref(), envelope.raw("id"));
                let params = Members::of(envelope.raw("params").unwrap_or("{}")).unwrap_or(Members(Vec::new()));
                let name = message.routed().name.as_ref().map(|name| name.as_str().to_owned());
                prop_assert_eq!(name, params.string("name"));
                if let Some(place) = message.routed().name.as_ref().map(Text::span) {
                    prop_assert_eq!(std::str::from_utf8(&message.bytes()[place]).ok(), params.raw("name"));
                }
                let token = message.routed().progress_token.clone();
                let meta = params.raw("_meta").and_then(Members::of);
                let raw = meta.as_ref().and_then(|meta| meta.raw("progressToken"));
                let raw = raw.filter(|raw| !raw.starts_with(['n', 't', '[', '{']));
                prop_assert_eq!(token.map(|(_, raw)| raw), raw.map(|raw| Bytes::from(raw.to_owned())));
            }
            Ok(_) => prop_assert!(!accepts(&text), "{text}"),
            Err(error) => {
                prop_assert!(!matches!(error, MessageError::Syntax { .. }), "{text}: {error}");
                let other = Members::of(&text).unwrap().string("method");
                prop_assert!(!accepts(&text) || other.as_deref() != Some("tools/call"), "{text}: {error}");
            }
        }
    }

    #[test]
    fn what_is_json_is_what_serde_json_takes(text in message(), at in any::<prop::sample::Index>(), byte in prop::sample::select(b"{}[]:,\"\\u0 19.eE+-ntx\n\x01".to_vec())) {
        let mut bytes = text.into_bytes();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
            let parsed = Message::parse(Bytes::from(text.to_owned()));
            prop_assert_eq!(!matches!(parsed, Err(MessageError::Syntax { .. })), is_json, "{}", text);
        }
    }

    #[test]
    fn whatever_goes_in_unedited_comes_out_the_same(text in message()) {
        if let Ok(message) = Message::parse(Bytes::from(text.clone())) {
            prop_assert_eq!(message.rewrite().bytes(), text.as_bytes());
            if let Some(id) = message.id() {
                prop_assert_eq!(message.rewrite().id(id).bytes(), text.as_bytes());
            }
        }
    }
}
