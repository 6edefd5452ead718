//! The tools that the scenarios call, and what each does.
#![expect(deprecated, reason = "sampling is what a scenario asks for")]

use std::time::Duration;

use rmcp::model::{ElicitRequestParams, ErrorData, ProgressNotificationParam};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};

use crate::json::typed;
use crate::log::Log;
use crate::resources::PIXEL;
use crate::sessions::Answer;

/// The pause that the scenarios want between two notifications.
const PAUSE: Duration = Duration::from_millis(50);

/// A WAV file with one sample.
const SAMPLE: &str = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA==";

/// The result of `tools/list`.
pub(crate) fn list() -> Value {
    let plain = |name: &str, description: &str| tool(name, description, json!({}), &[]);
    json!({ "tools": [
        plain("test_simple_text", "Answers with text"),
        plain("test_image_content", "Answers with an image"),
        plain("test_audio_content", "Answers with audio"),
        plain("test_embedded_resource", "Answers with an embedded resource"),
        plain("test_multiple_content_types", "Answers with text, an image and a resource"),
        plain("test_tool_with_logging", "Logs three messages while it runs"),
        plain("test_tool_with_progress", "Tells its progress three times"),
        plain("test_error_handling", "Always fails"),
        plain("test_reconnection", "Ends its stream before it answers (SEP-1699)"),
        tool(
            "test_sampling",
            "Asks the client's model",
            json!({ "prompt": { "type": "string", "description": "What to ask" } }),
            &["prompt"],
        ),
        tool(
            "test_elicitation",
            "Asks the user",
            json!({ "message": { "type": "string", "description": "What to ask" } }),
            &["message"],
        ),
        plain("test_elicitation_sep1034_defaults", "Asks the user, with defaults (SEP-1034)"),
        plain("test_elicitation_sep1330_enums", "Asks the user to choose (SEP-1330)"),
        {
            "name": "json_schema_2020_12_tool",
            "description": "Has a schema with JSON Schema 2020-12 keywords",
            "inputSchema": schema_2020_12(),
        },
    ] })
}

/// The result of `tools/call`.
pub(crate) async fn call(
    log: &Log,
    name: &str,
    arguments: &Value,
    context: &RequestContext<RoleServer>,
) -> Result<Value, ErrorData> {
    let argument = |name: &str| {
        let value = arguments.get(name).and_then(Value::as_str);
        let missing = || ErrorData::invalid_params(format!("`{name}` is missing"), None);
        value.map(ToOwned::to_owned).ok_or_else(missing)
    };
    match name {
        "test_simple_text" => Ok(text("This is a simple text response for testing.")),
        "test_image_content" => Ok(json!({ "content": [image()] })),
        "test_audio_content" => Ok(json!({ "content": [
            { "type": "audio", "data": SAMPLE, "mimeType": "audio/wav" },
        ] })),
        "test_embedded_resource" => Ok(json!({ "content": [{ "type": "resource", "resource": {
            "uri": "test://embedded-resource",
            "mimeType": "text/plain",
            "text": "This is an embedded resource content.",
        } }] })),
        "test_multiple_content_types" => Ok(json!({ "content": [
            { "type": "text", "text": "Multiple content types test:" },
            image(),
            { "type": "resource", "resource": {
                "uri": "test://mixed-content-resource",
                "mimeType": "application/json",
                "text": json!({ "test": "data", "value": 123 }).to_string(),
            } },
        ] })),
        "test_tool_with_logging" => Ok(logged(log, context).await),
        "test_tool_with_progress" => Ok(progress(context).await),
        "test_error_handling" => {
            Ok(failure("This tool intentionally returns an error for testing"))
        }
        "test_reconnection" => Ok(reconnect(context).await),
        "test_sampling" => sample(&argument("prompt")?, context).await,
        "test_elicitation" => {
            elicit("User response:", &argument("message")?, contact_form(), context).await
        }
        "test_elicitation_sep1034_defaults" => {
            let message = "Please review and update the form fields with defaults";
            elicit("Elicitation completed:", message, form_with_defaults(), context).await
        }
        "test_elicitation_sep1330_enums" => {
            let message = "Please select options from the enum fields";
            elicit("Elicitation completed:", message, form_with_choices(), context).await
        }
        "json_schema_2020_12_tool" => Ok(text(&format!("It was called with {arguments}."))),
        unknown => Err(ErrorData::invalid_params(format!("there is no tool `{unknown}`"), None)),
    }
}

async fn logged(log: &Log, context: &RequestContext<RoleServer>) -> Value {
    log.say(context, "Tool execution started").await;
    tokio::time::sleep(PAUSE).await;
    log.say(context, "Tool processing data").await;
    tokio::time::sleep(PAUSE).await;
    log.say(context, "Tool execution completed").await;
    text("Tool with logging executed successfully")
}

async fn progress(context: &RequestContext<RoleServer>) -> Value {
    let token = context.meta.get_progress_token();
    for done in [0.0, 50.0, 100.0] {
        if let Some(token) = token.clone() {
            let progress = ProgressNotificationParam::new(token, done).with_total(100.0);
            // A client that is gone misses it.
            let _ = context.peer.notify_progress(progress).await;
        }
        tokio::time::sleep(PAUSE).await;
    }
    text("Tool with progress executed successfully")
}

/// Answers only when somebody came back for the answer: nobody passes who never did. On a pipe there is no stream to
/// end, and it answers at once.
async fn reconnect(context: &RequestContext<RoleServer>) -> Value {
    if let Some(answer) = context.extensions.get::<Answer>() {
        answer.end_and_await_return().await;
    }
    text("Reconnection test completed successfully")
}

async fn sample(prompt: &str, context: &RequestContext<RoleServer>) -> Result<Value, ErrorData> {
    if context.client_capabilities().is_none_or(|client| client.sampling.is_none()) {
        return Ok(failure("the client has no model to ask"));
    }
    let request = typed(json!({
        "messages": [{ "role": "user", "content": { "type": "text", "text": prompt } }],
        "maxTokens": 100,
    }))?;
    Ok(match context.peer.create_message(request).await {
        Ok(answer) => {
            let answer = json!(answer);
            let said = answer.pointer("/content/text").and_then(Value::as_str);
            text(&format!("LLM response: {}", said.unwrap_or("no text")))
        }
        Err(error) => failure(&format!("the client did not sample: {error}")),
    })
}

async fn elicit(
    opening: &str,
    message: &str,
    form: Value,
    context: &RequestContext<RoleServer>,
) -> Result<Value, ErrorData> {
    if context.client_capabilities().is_none_or(|client| client.elicitation.is_none()) {
        return Ok(failure("the client has no user to ask"));
    }
    let request: ElicitRequestParams =
        typed(json!({ "mode": "form", "message": message, "requestedSchema": form }))?;
    Ok(match context.peer.create_elicitation(request).await {
        Ok(answer) => {
            let (action, content) = (json!(answer.action), answer.content.unwrap_or(json!({})));
            let action = action.as_str().unwrap_or_default();
            text(&format!("{opening} action={action}, content={content}"))
        }
        Err(error) => failure(&format!("the client did not ask: {error}")),
    })
}

fn contact_form() -> Value {
    json!({
        "type": "object",
        "properties": {
            "username": { "type": "string", "description": "User's response" },
            "email": { "type": "string", "description": "User's email address" },
        },
        "required": ["username", "email"],
    })
}

fn form_with_defaults() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "description": "User name", "default": "John Doe" },
            "age": { "type": "integer", "description": "User age", "default": 30 },
            "score": { "type": "number", "description": "User score", "default": 95.5 },
            "status": {
                "type": "string",
                "description": "User status",
                "enum": ["active", "inactive", "pending"],
                "default": "active",
            },
            "verified": { "type": "boolean", "description": "Is it verified?", "default": true },
        },
        "required": [],
    })
}

fn form_with_choices() -> Value {
    let titled = |noun: &str| {
        json!([
            { "const": "value1", "title": format!("First {noun}") },
            { "const": "value2", "title": format!("Second {noun}") },
            { "const": "value3", "title": format!("Third {noun}") },
        ])
    };
    let untitled = json!(["option1", "option2", "option3"]);
    json!({
        "type": "object",
        "properties": {
            "untitledSingle": { "type": "string", "enum": untitled },
            "titledSingle": { "type": "string", "oneOf": titled("Option") },
            "legacyEnum": {
                "type": "string",
                "enum": ["opt1", "opt2", "opt3"],
                "enumNames": ["Option One", "Option Two", "Option Three"],
            },
            "untitledMulti": { "type": "array", "items": { "type": "string", "enum": untitled } },
            "titledMulti": { "type": "array", "items": { "anyOf": titled("Choice") } },
        },
        "required": [],
    })
}

fn schema_2020_12() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "$defs": { "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": { "street": { "type": "string" }, "city": { "type": "string" } },
        } },
        "properties": {
            "name": { "type": "string" },
            "address": { "$ref": "#/$defs/address" },
            "contactMethod": { "type": "string", "enum": ["phone", "email"] },
            "phone": { "type": "string" },
            "email": { "type": "string" },
        },
        "allOf": [{ "anyOf": [{ "required": ["phone"] }, { "required": ["email"] }] }],
        "if": {
            "properties": { "contactMethod": { "const": "phone" } },
            "required": ["contactMethod"],
        },
        "then": { "required": ["phone"] },
        "else": { "required": ["email"] },
        "additionalProperties": false,
    })
}

fn tool(name: &str, description: &str, properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({ "type": "object", "properties": properties });
    if let (Some(schema), [_, ..]) = (schema.as_object_mut(), required) {
        schema.insert("required".to_owned(), json!(required));
    }
    json!({ "name": name, "description": description, "inputSchema": schema })
}

fn text(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }] })
}

fn failure(text: &str) -> Value {
    json!({ "content": [{ "type": "text", "text": text }], "isError": true })
}

fn image() -> Value {
    json!({ "type": "image", "data": PIXEL, "mimeType": "image/png" })
}
