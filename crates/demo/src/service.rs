//! What a demo server is, apart from HTTP: it says hello and answers requests.

use mcp::{ErrorCode, Message, Revision};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::session::Sessions;

/// An MCP server without its transport.
pub(crate) trait Service: Send + Sync + 'static {
    /// What it says of itself.
    fn hello(&self) -> Hello;

    /// Its sessions; `None` if it is stateless.
    fn sessions(&self) -> Option<&Sessions>;

    /// Answers a request other than `initialize` and `ping`, which are the same everywhere.
    fn answer(&self, asker: &Asker<'_>, request: &Message) -> Result<Value, Failure>;
}

/// What an `initialize` result says besides the revision.
pub(crate) struct Hello {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) instructions: &'static str,
    pub(crate) capabilities: Value,
}

/// Who sends a request.
pub(crate) struct Asker<'a> {
    pub(crate) revision: Revision,
    /// The session's id, where the server has sessions.
    pub(crate) session: Option<&'a str>,
}

/// A JSON-RPC error.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

impl Failure {
    /// The request lacks something, or names what is not there.
    pub(crate) fn invalid_params(message: impl Into<String>) -> Self {
        Self { code: ErrorCode::InvalidParams, message: message.into() }
    }

    /// This server does not have the method.
    pub(crate) fn unknown_method(request: &Message) -> Self {
        let method = request.method_name().unwrap_or_default();
        Self { code: ErrorCode::MethodNotFound, message: format!("unknown method: {method}") }
    }

    /// This server does not have the tool.
    pub(crate) fn unknown_tool(name: &str) -> Self {
        Self::invalid_params(format!("Unknown tool: {name}"))
    }
}

/// One page with everything on it. There is no other, so every cursor is wrong.
pub(crate) fn list(request: &Message, field: &str, items: Value) -> Result<Value, Failure> {
    if request.routed().cursor.is_some() {
        return Err(Failure::invalid_params("there is no page with that cursor"));
    }
    Ok(json!({ field: items }))
}

/// The name that a request calls or gets.
pub(crate) fn name(request: &Message) -> Result<&str, Failure> {
    let name = request.routed().name.as_ref();
    name.map(mcp::Text::as_str).ok_or_else(|| Failure::invalid_params("`name` is missing"))
}

/// `params`, read into what the method needs.
pub(crate) fn params<T: DeserializeOwned>(request: &Message) -> Result<T, Failure> {
    let params = request.params();
    serde_json::from_slice(params.as_deref().unwrap_or(b"{}"))
        .map_err(|error| Failure::invalid_params(format!("wrong params: {error}")))
}

/// The `arguments` of a call, read into what the tool needs; `Err` is for the model to read.
pub(crate) fn arguments<T: DeserializeOwned>(request: &Message) -> Result<T, String> {
    #[derive(serde::Deserialize)]
    struct Call {
        arguments: Option<Value>,
    }
    let call: Call = params(request).map_err(|failure| failure.message)?;
    let arguments = call.arguments.unwrap_or_else(|| json!({}));
    serde_json::from_value(arguments).map_err(|error| format!("wrong arguments: {error}"))
}

/// The result of a tool that worked: `structured`, and the same as text.
pub(crate) fn success(text: String, structured: Value) -> Value {
    json!({ "content": [{ "type": "text", "text": text }], "structuredContent": structured })
}

/// The result of a tool that did not work, for the model to read.
pub(crate) fn mistake(text: String) -> Value {
    json!({ "content": [{ "type": "text", "text": text }], "isError": true })
}
