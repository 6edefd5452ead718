//! How a Backend of any generation fares, as its `status` says it.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

/// How a Backend fares. What another controller wrote there and cannot be read counts as not
/// written.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct BackendStatus {
    /// Whether it is served as it is written (`Accepted`), and whether everything that it selects may
    /// be used (`ResolvedRefs`).
    #[serde(default, deserialize_with = "readable", skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Its servers in short.
    #[serde(default, deserialize_with = "readable", skip_serializing_if = "Option::is_none")]
    pub summary: Option<BackendSummary>,
    /// Each of its servers, in the order in which clients see them.
    #[serde(default, deserialize_with = "readable", skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<TargetStatus>,
}

/// The servers of a Backend in short.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct BackendSummary {
    /// How many of them answer, of how many: `2/3`.
    pub targets: String,
    /// How many tools they offer.
    pub tools: i64,
}

/// How one server of a Backend fares.
#[derive(Clone, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TargetStatus {
    /// What clients call it. It keeps this name as long as it is selected.
    pub name: String,
    /// The Service's port that it is: `namespace/name:port`. Unset for a host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// How many of the Service's endpoints are ready. Unset for a host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<i64>,
    /// `starting`, `up`, `stale`, `down` or `closed`, as the proxies report it. Unset where none has
    /// yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The revision of MCP that it speaks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// How many tools it offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<i64>,
    /// The class of the last error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// What someone has to know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A field of a status, or nothing where it cannot be read: no status makes its object unreadable.
fn readable<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(serde_json::from_value(value).unwrap_or_default())
}
