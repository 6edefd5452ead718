//! What is changed in requests and answers on their way, as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::is_default;

/// What is changed in the requests of a route and in their answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Filters {
    /// The headers of requests. MCP targets see them only where they are forwarded.
    #[serde(skip_serializing_if = "is_default")]
    pub request_headers: HeaderChanges,
    /// The headers of answers.
    #[serde(skip_serializing_if = "is_default")]
    pub response_headers: HeaderChanges,
    /// Host and path, as the server sees them. It means nothing to MCP servers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rewrite: Option<Rewrite>,
    /// Which web pages of other origins may use the route, answered by the gateway. Among the
    /// filters of one of several backends it means nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cors: Option<Cors>,
}

/// Headers that are set, added and removed, in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct HeaderChanges {
    /// They have these values and no others.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub set: BTreeMap<String, String>,
    /// They have these values, too.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub add: BTreeMap<String, String>,
    /// They are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<String>,
}

/// Host and path of a request, as the server sees them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Rewrite {
    /// The host in place of the client's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The path in place of the client's. The query stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathRewrite>,
}

/// Another path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "PathForm", into = "PathForm")]
#[schemars(with = "PathForm")]
pub enum PathRewrite {
    /// This one.
    Full(String),
    /// This in place of the prefix that the route matched. Every match of the route has to be by
    /// a prefix.
    Prefix(String),
}

/// Another path, as it is written.
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
struct PathForm {
    /// This one.
    #[serde(skip_serializing_if = "Option::is_none")]
    full: Option<String>,
    /// This in place of the prefix that the route matched. Every match of the route has to be by
    /// a prefix.
    #[serde(skip_serializing_if = "Option::is_none")]
    prefix: Option<String>,
}

impl TryFrom<PathForm> for PathRewrite {
    type Error = &'static str;

    fn try_from(form: PathForm) -> Result<Self, Self::Error> {
        match (form.full, form.prefix) {
            (Some(path), None) => Ok(Self::Full(path)),
            (None, Some(path)) => Ok(Self::Prefix(path)),
            _ => Err("another path has exactly one of `full` and `prefix`"),
        }
    }
}

impl From<PathRewrite> for PathForm {
    fn from(path: PathRewrite) -> Self {
        match path {
            PathRewrite::Full(path) => Self { full: Some(path), prefix: None },
            PathRewrite::Prefix(path) => Self { full: None, prefix: Some(path) },
        }
    }
}

/// Where clients are sent. What is not said stays as the client asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Redirect {
    /// `http` or `https`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheme: Option<RedirectScheme>,
    /// The host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The port. Unset: the scheme's where that is said, else the listener's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The path. The query stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathRewrite>,
    /// 301, 302, 303, 307 or 308. Unset: 302.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
}

/// The scheme that clients are sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum RedirectScheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

/// Which web pages of other origins may use a route (Gateway API, `HTTPCORSFilter`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Cors {
    /// Their origins: `https://app.example.com`, `https://*.example.com`, or `*` for any.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
    /// Whether they may send what the browser knows of the user.
    #[serde(skip_serializing_if = "super::is_false")]
    pub credentials: bool,
    /// The methods that they may use, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub methods: Vec<String>,
    /// The headers that they may send, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// The headers that they may read, or `*`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expose_headers: Vec<String>,
    /// How many seconds a browser need not ask again. Unset: 5.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_age: Option<u32>,
}
