//! The resources that the scenarios read and subscribe to.

use rmcp::model::ErrorData;
use serde_json::{Value, json};

/// A PNG of one red pixel.
pub(crate) const PIXEL: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC";

/// The result of `resources/list`.
pub(crate) fn list() -> Value {
    json!({ "resources": [
        {
            "uri": "test://static-text",
            "name": "Static text",
            "description": "A resource that is text",
            "mimeType": "text/plain",
        },
        {
            "uri": "test://static-binary",
            "name": "Static binary",
            "description": "A resource that is an image",
            "mimeType": "image/png",
        },
        {
            "uri": "test://watched-resource",
            "name": "Watched resource",
            "description": "A resource to subscribe to",
            "mimeType": "text/plain",
        },
    ] })
}

/// The result of `resources/templates/list`.
pub(crate) fn templates() -> Value {
    json!({ "resourceTemplates": [{
        "uriTemplate": "test://template/{id}/data",
        "name": "Template",
        "description": "A resource with a parameter",
        "mimeType": "application/json",
    }] })
}

/// The result of `resources/read`.
pub(crate) fn resource(uri: &str) -> Result<Value, ErrorData> {
    let content = match uri {
        "test://static-text" => json!({
            "uri": uri,
            "mimeType": "text/plain",
            "text": "This is the content of the static text resource.",
        }),
        "test://static-binary" => json!({ "uri": uri, "mimeType": "image/png", "blob": PIXEL }),
        "test://watched-resource" => json!({
            "uri": uri,
            "mimeType": "text/plain",
            "text": "Watched resource content",
        }),
        templated => {
            let rest = templated.strip_prefix("test://template/");
            let id = rest.and_then(|rest| rest.strip_suffix("/data"));
            let said = json!({ "uri": uri });
            let missing = || ErrorData::resource_not_found("Resource not found", Some(said));
            let id = id.ok_or_else(missing)?;
            let data = format!("Data for ID: {id}");
            json!({
                "uri": uri,
                "mimeType": "application/json",
                "text": json!({ "id": id, "templateTest": true, "data": data }).to_string(),
            })
        }
    };
    Ok(json!({ "contents": [content] }))
}
