//! The MCP server a client sees, as it is written.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::is_default;
use super::route::Close;
use super::target::Target;

/// The MCP server a client sees: an ordered list of targets and how to merge them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Backend {
    /// What routes call it.
    pub name: String,
    /// Its targets, by name or written out in place. Their order is the order of lists.
    pub targets: Vec<TargetEntry>,
    /// When names carry the target's name in front.
    #[serde(skip_serializing_if = "is_default")]
    pub prefix_mode: PrefixMode,
    /// What a target that cannot be listed does to the rest. Unset: lists are partial and say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_mode: Option<FailureMode>,
    /// What the user reads in front of an elicitation's message, where there are several targets:
    /// the client knows the gateway only.
    #[serde(skip_serializing_if = "is_default")]
    pub elicitation_label: ElicitationLabel,
    /// Keeps it shut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<Close>,
    /// Features that whoever serves this has to know; where one is not known, it is kept shut. A
    /// controller writes them for proxies that are older than itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
}

/// A target of a backend: the name of one, or one written out in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum TargetEntry {
    /// The name of one of the document's `targets`.
    Named(String),
    /// A target of this backend alone.
    Inline(Box<Target>),
}

/// When tool and prompt names carry the target's name in front.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum PrefixMode {
    /// With several targets.
    #[default]
    Conditional,
    /// Always.
    Always,
    /// Only where two targets share a name.
    Never,
}

/// What a target that cannot be listed does to the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FailureMode {
    /// `initialize` and lists fail while a target has never been listed.
    FailClosed,
    /// Lists are partial.
    FailOpen,
}

/// What stands in front of an elicitation's message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ElicitationLabel {
    /// The name of the target that asks, in brackets.
    #[default]
    Target,
    /// Nothing.
    None,
}

impl<'de> Deserialize<'de> for TargetEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(EntryVisitor)
    }
}

struct EntryVisitor;

impl<'de> Visitor<'de> for EntryVisitor {
    type Value = TargetEntry;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a target, or a target")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<TargetEntry, E> {
        Ok(TargetEntry::Named(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<TargetEntry, A::Error> {
        let target = Target::deserialize(MapAccessDeserializer::new(map))?;
        Ok(TargetEntry::Inline(Box::new(target)))
    }
}

impl JsonSchema for TargetEntry {
    fn schema_name() -> Cow<'static, str> {
        "TargetEntry".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let target = generator.subschema_for::<Target>();
        json_schema!({
            "description": "A target of a backend: the name of one, or one written out in place.",
            "anyOf": [{ "type": "string" }, target]
        })
    }
}
