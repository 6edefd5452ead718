//! The conditions of a route, as they are written.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// Conditions that all have to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Match {
    /// The path of the request. Unset: any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathMatch>,
    /// The HTTP method, in upper case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Headers of the request; all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<HeaderMatch>,
    /// Query parameters; all of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub query: Vec<QueryMatch>,
}

/// A condition on the path. A plain string is a prefix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum PathMatch {
    /// This path and no other.
    Exact(String),
    /// This path and everything below it, by whole path elements: `/a` is not a prefix of `/ab`.
    Prefix(String),
    /// A regular expression that has to match the whole path.
    Regex(String),
}

/// A condition on a header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "NamedForm", into = "NamedForm")]
#[schemars(with = "NamedForm")]
pub struct HeaderMatch {
    /// The header's name; case does not matter.
    pub name: String,
    /// What its value has to be.
    pub value: MatchValue,
}

/// A condition on a query parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "NamedForm", into = "NamedForm")]
#[schemars(with = "NamedForm")]
pub struct QueryMatch {
    /// The parameter's name, exactly.
    pub name: String,
    /// What its value has to be.
    pub value: MatchValue,
}

/// What a value has to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MatchValue {
    /// Exactly this.
    Exact(String),
    /// Matched whole by this regular expression.
    Regex(String),
}

/// A named value and its condition, as written.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NamedForm {
    /// The name of the header or query parameter.
    name: String,
    /// The value is exactly this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exact: Option<String>,
    /// A regular expression matches the whole value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    regex: Option<String>,
}

/// A condition on the path, as written in full.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[derive(Default)]
struct PathForm {
    /// This path and no other.
    exact: Option<String>,
    /// This path and everything below it.
    prefix: Option<String>,
    /// A regular expression that has to match the whole path.
    regex: Option<String>,
}

impl NamedForm {
    fn split(self) -> Result<(String, MatchValue), &'static str> {
        let value = match (self.exact, self.regex) {
            (Some(exact), None) => MatchValue::Exact(exact),
            (None, Some(regex)) => MatchValue::Regex(regex),
            _ => return Err("a match has exactly one of `exact` and `regex`"),
        };
        Ok((self.name, value))
    }

    fn join(name: String, value: MatchValue) -> Self {
        match value {
            MatchValue::Exact(exact) => Self { name, exact: Some(exact), regex: None },
            MatchValue::Regex(regex) => Self { name, exact: None, regex: Some(regex) },
        }
    }
}

impl TryFrom<NamedForm> for HeaderMatch {
    type Error = &'static str;

    fn try_from(form: NamedForm) -> Result<Self, Self::Error> {
        form.split().map(|(name, value)| Self { name, value })
    }
}

impl From<HeaderMatch> for NamedForm {
    fn from(header: HeaderMatch) -> Self {
        Self::join(header.name, header.value)
    }
}

impl TryFrom<NamedForm> for QueryMatch {
    type Error = &'static str;

    fn try_from(form: NamedForm) -> Result<Self, Self::Error> {
        form.split().map(|(name, value)| Self { name, value })
    }
}

impl From<QueryMatch> for NamedForm {
    fn from(query: QueryMatch) -> Self {
        Self::join(query.name, query.value)
    }
}

impl<'de> Deserialize<'de> for PathMatch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PathVisitor)
    }
}

struct PathVisitor;

impl<'de> Visitor<'de> for PathVisitor {
    type Value = PathMatch;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a path, or one of `exact`, `prefix` and `regex`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PathMatch, E> {
        Ok(PathMatch::Prefix(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PathMatch, A::Error> {
        let form = PathForm::deserialize(MapAccessDeserializer::new(map))?;
        match (form.exact, form.prefix, form.regex) {
            (Some(path), None, None) => Ok(PathMatch::Exact(path)),
            (None, Some(path), None) => Ok(PathMatch::Prefix(path)),
            (None, None, Some(path)) => Ok(PathMatch::Regex(path)),
            _ => Err(de::Error::custom("a path has exactly one of `exact`, `prefix` and `regex`")),
        }
    }
}

impl JsonSchema for PathMatch {
    fn schema_name() -> Cow<'static, str> {
        "PathMatch".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let form = PathForm::json_schema(generator);
        json_schema!({
            "description": "A condition on the path. A plain string is a prefix.",
            "anyOf": [{ "type": "string" }, form]
        })
    }
}
