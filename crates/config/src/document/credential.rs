//! What a server is shown of a secret, as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A header whose value is a secret that comes beside the document. Where there is no such secret, the
/// server is closed: it is never asked without.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Credential {
    /// The key of the secret.
    pub secret: String,
    /// The name of the value in it.
    pub value: String,
    /// The name of the header.
    pub header: String,
    /// What stands before the value. A value that begins with it already is not given it twice.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}
