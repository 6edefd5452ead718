//! The prompts that the scenarios get, and the completions of their arguments.

use rmcp::model::ErrorData;
use serde_json::{Value, json};

use crate::resources::PIXEL;

/// The result of `prompts/list`.
pub(crate) fn list() -> Value {
    let argument = |name: &str, description: &str| json!({ "name": name, "description": description, "required": true });
    json!({ "prompts": [
        { "name": "test_simple_prompt", "description": "A prompt without arguments" },
        {
            "name": "test_prompt_with_arguments",
            "description": "A prompt with two arguments",
            "arguments": [
                argument("arg1", "First test argument"),
                argument("arg2", "Second test argument"),
            ],
        },
        {
            "name": "test_prompt_with_embedded_resource",
            "description": "A prompt with a resource in it",
            "arguments": [argument("resourceUri", "URI of the resource to embed")],
        },
        { "name": "test_prompt_with_image", "description": "A prompt with an image in it" },
    ] })
}

/// The result of `prompts/get`.
pub(crate) fn prompt(name: &str, arguments: &Value) -> Result<Value, ErrorData> {
    let argument = |name: &str| {
        let missing = || ErrorData::invalid_params(format!("`{name}` is missing"), None);
        arguments.get(name).and_then(Value::as_str).ok_or_else(missing)
    };
    match name {
        "test_simple_prompt" => Ok(messages([text("This is a simple prompt for testing.")])),
        "test_prompt_with_arguments" => {
            let (first, second) = (argument("arg1")?, argument("arg2")?);
            let said = format!("Prompt with arguments: arg1='{first}', arg2='{second}'");
            Ok(messages([text(&said)]))
        }
        "test_prompt_with_embedded_resource" => Ok(messages([
            json!({ "type": "resource", "resource": {
                "uri": argument("resourceUri")?,
                "mimeType": "text/plain",
                "text": "Embedded resource content for testing.",
            } }),
            text("Please process the embedded resource above."),
        ])),
        "test_prompt_with_image" => Ok(messages([
            json!({ "type": "image", "data": PIXEL, "mimeType": "image/png" }),
            text("Please analyze the image above."),
        ])),
        unknown => Err(ErrorData::invalid_params(format!("there is no prompt `{unknown}`"), None)),
    }
}

/// The result of `completion/complete`.
pub(crate) fn completion(argument: &str, value: &str) -> Value {
    let known: &[&str] = match argument {
        "arg1" => &["paris", "park", "party", "testValue1"],
        "arg2" => &["testValue2"],
        _ => &[],
    };
    let values: Vec<&&str> = known.iter().filter(|known| known.starts_with(value)).collect();
    json!({ "completion": { "total": values.len(), "hasMore": false, "values": values } })
}

fn messages<const COUNT: usize>(contents: [Value; COUNT]) -> Value {
    let messages = contents.map(|content| json!({ "role": "user", "content": content }));
    json!({ "messages": messages.as_slice() })
}

fn text(text: &str) -> Value {
    json!({ "type": "text", "text": text })
}
