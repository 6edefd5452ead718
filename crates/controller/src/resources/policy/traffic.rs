//! What is in force of `spec.traffic` of a policy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resources::schema::{Rule, rules};

/// How long an answer may take.
const REQUEST: Rule = (
    "!has(self.request) || (self.request.matches('^([0-9]{1,5}(h|m|s|ms)){1,4}$') && \
     duration(self.request) >= duration('1ms'))",
    "write `request` as a time of at least 1ms: `500ms`, `10s`, `1m30s`",
);

/// How long an answer may take.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
#[schemars(extend("x-kubernetes-validations" = rules(&[REQUEST])))]
pub struct PolicyTimeouts {
    /// From a request to the end of its answer: `500ms`, `10s`. To MCP servers, of a call; streams on which
    /// clients listen have no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 32))]
    pub request: Option<String>,
}

/// What is changed in the headers of requests and of answers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct HeaderModifiers {
    /// Headers of requests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<HeaderFilter>,
    /// Headers of answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<HeaderFilter>,
}

/// Headers that are set, added and removed, as the header filters of an HTTPRoute say it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HeaderFilter {
    /// They have these values and no others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub set: Vec<Header>,
    /// They have these values, too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 16),
        extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["name"])
    )]
    pub add: Vec<Header>,
    /// They are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16), extend("x-kubernetes-list-type" = "set"))]
    pub remove: Vec<String>,
}

/// A header and its value.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Header {
    /// Its name, whatever its case.
    #[schemars(length(min = 1, max = 256), regex(pattern = r"^[A-Za-z0-9!#$%&'*+\-.^_\x60|~]+$"))]
    pub name: String,
    /// Its value.
    #[schemars(length(min = 1, max = 4096))]
    pub value: String,
}

/// Which pages of other origins may call, as the CORS filter of an HTTPRoute says it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-preserve-unknown-fields" = true))]
pub struct Cors {
    /// Their origins: `https://app.example.com`, `https://*.example.com`, `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "set"))]
    pub allow_origins: Vec<String>,
    /// Whether they may send cookies. Unset: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_credentials: Option<bool>,
    /// With which methods; `*` for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 9), extend("x-kubernetes-list-type" = "set"))]
    pub allow_methods: Vec<String>,
    /// With which headers; `*` for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "set"))]
    pub allow_headers: Vec<String>,
    /// Which headers of answers they may read; `*` for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), extend("x-kubernetes-list-type" = "set"))]
    pub expose_headers: Vec<String>,
    /// For how many seconds a browser need not ask again. Unset: 5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_age: Option<i32>,
}
