//! JSON as rmcp wants it.

use rmcp::model::ErrorData;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// JSON as the type that rmcp wants.
pub(crate) fn typed<T: DeserializeOwned>(json: Value) -> Result<T, ErrorData> {
    serde_json::from_value(json)
        .map_err(|error| ErrorData::internal_error(format!("not what rmcp wants: {error}"), None))
}
