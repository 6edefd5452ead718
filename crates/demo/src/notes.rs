//! The server `notes`: tools, resources and a prompt over notes that are kept in memory, with
//! sessions that hear of new ones.

mod notebook;
mod offer;

use mcp::{ErrorCode, Message, Method, Reference, Text};
use serde::Deserialize;
use serde_json::{Value, json};

use self::notebook::{Note, Notebook};
use crate::service::{Asker, Failure, Hello, Service};
use crate::service::{arguments, list, mistake, name, params, success};
use crate::session::Sessions;

/// The resource that holds all notes.
const ALL: &str = "notes://all";

/// Keeps notes.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    notebook: Notebook,
    sessions: Sessions,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    query: String,
}

impl Service for Notes {
    fn hello(&self) -> Hello {
        Hello {
            name: "notes",
            title: "Notes",
            instructions: "Keeps short notes for as long as it runs. Each is a resource too.",
            capabilities: json!({
                "tools": {},
                "resources": { "subscribe": true, "listChanged": true },
                "prompts": {},
                "completions": {},
            }),
        }
    }

    fn sessions(&self) -> Option<&Sessions> {
        Some(&self.sessions)
    }

    fn answer(&self, asker: &Asker<'_>, request: &Message) -> Result<Value, Failure> {
        match request.method() {
            Some(Method::ToolsList) => list(request, "tools", offer::tools()),
            Some(Method::ToolsCall) => self.call(asker, request),
            Some(Method::ResourcesList) => list(request, "resources", self.resources()),
            Some(Method::ResourceTemplatesList) => {
                list(request, "resourceTemplates", offer::templates())
            }
            Some(Method::ResourcesRead) => self.read(request),
            Some(Method::ResourcesSubscribe) => self.subscribe(asker, request),
            Some(Method::ResourcesUnsubscribe) => {
                self.sessions.unsubscribe(asker.session.unwrap_or_default(), uri(request)?);
                Ok(json!({}))
            }
            Some(Method::PromptsList) => list(request, "prompts", offer::prompts()),
            Some(Method::PromptsGet) => self.prompt(request),
            Some(Method::CompletionComplete) => self.complete(request),
            _ => Err(Failure::unknown_method(request)),
        }
    }
}

impl Notes {
    fn call(&self, asker: &Asker<'_>, request: &Message) -> Result<Value, Failure> {
        let answer = match name(request)? {
            "add" => self.add(asker, request),
            "list" => Ok(found(&self.notebook.notes())),
            "search" => arguments(request).map(|Search { query }| {
                let query = query.to_lowercase();
                let matches = |note: &Note| note.text.to_lowercase().contains(&query);
                found(&self.notebook.notes().into_iter().filter(matches).collect::<Vec<_>>())
            }),
            other => return Err(Failure::unknown_tool(other)),
        };
        Ok(answer.unwrap_or_else(mistake))
    }

    fn add(&self, asker: &Asker<'_>, request: &Message) -> Result<Value, String> {
        let Add { text } = arguments(request)?;
        let note = self.notebook.add(text).map_err(|full| full.to_string())?;
        let changed = json!({
            "jsonrpc": "2.0",
            "method": "notifications/resources/list_changed",
        });
        self.sessions.announce(changed.to_string().as_bytes());
        let updated = json!({
            "jsonrpc": "2.0",
            "method": "notifications/resources/updated",
            "params": { "uri": ALL },
        });
        self.sessions.announce_to_subscribers(ALL, updated.to_string().as_bytes());
        let mut content = vec![json!({ "type": "text", "text": format!("Added {}.", note.uri()) })];
        if asker.revision.has_resource_links() {
            content.push(json!({
                "type": "resource_link",
                "uri": note.uri(),
                "name": note.title(),
                "mimeType": "text/plain",
            }));
        }
        Ok(json!({ "content": content, "structuredContent": { "id": note.id } }))
    }

    fn resources(&self) -> Value {
        let all = json!({
            "uri": ALL,
            "name": "all",
            "title": "All notes",
            "mimeType": "text/plain",
        });
        let notes = self.notebook.notes().into_iter().map(
            |note| json!({ "uri": note.uri(), "name": note.title(), "mimeType": "text/plain" }),
        );
        Value::Array([all].into_iter().chain(notes).collect())
    }

    fn read(&self, request: &Message) -> Result<Value, Failure> {
        let uri = uri(request)?;
        let text = self.text(uri).ok_or_else(|| unknown_resource(uri))?;
        Ok(json!({ "contents": [{ "uri": uri, "mimeType": "text/plain", "text": text }] }))
    }

    fn text(&self, uri: &str) -> Option<String> {
        let notes = self.notebook.notes();
        if uri == ALL {
            return Some(lines(&notes));
        }
        notes.into_iter().find(|note| note.uri() == uri).map(|note| note.text.to_string())
    }

    fn subscribe(&self, asker: &Asker<'_>, request: &Message) -> Result<Value, Failure> {
        let uri = uri(request)?;
        self.text(uri).ok_or_else(|| unknown_resource(uri))?;
        if !self.sessions.subscribe(asker.session.unwrap_or_default(), uri) {
            return Err(Failure::invalid_params("this session has too many subscriptions"));
        }
        Ok(json!({}))
    }

    fn prompt(&self, request: &Message) -> Result<Value, Failure> {
        #[derive(Deserialize)]
        struct Get {
            arguments: Option<Style>,
        }
        #[derive(Default, Deserialize)]
        struct Style {
            style: Option<String>,
        }
        let name = name(request)?;
        if name != "summarize" {
            return Err(Failure::invalid_params(format!("Unknown prompt: {name}")));
        }
        let Get { arguments } = params(request)?;
        let style = arguments.unwrap_or_default().style.unwrap_or_else(|| "brief".to_owned());
        let text = format!("Summarize these notes. Be {style}.");
        let resource =
            json!({ "uri": ALL, "mimeType": "text/plain", "text": lines(&self.notebook.notes()) });
        Ok(json!({
            "description": "A summary of all notes",
            "messages": [
                { "role": "user", "content": { "type": "text", "text": text } },
                { "role": "user", "content": { "type": "resource", "resource": resource } },
            ],
        }))
    }

    fn complete(&self, request: &Message) -> Result<Value, Failure> {
        #[derive(Deserialize)]
        struct Complete {
            argument: Argument,
        }
        #[derive(Deserialize)]
        struct Argument {
            name: String,
            value: String,
        }
        let Complete { argument } = params(request)?;
        let known: Vec<String> = match (&request.routed().reference, argument.name.as_str()) {
            (Some(Reference::Prompt(name)), "style") if name.as_str() == "summarize" => {
                ["brief", "detailed", "funny"].map(str::to_owned).into()
            }
            (Some(Reference::Resource(uri)), "id") if uri.as_str() == offer::TEMPLATE => {
                self.notebook.notes().iter().map(|note| note.id.to_string()).collect()
            }
            _ => return Err(Failure::invalid_params("there is no such argument to complete")),
        };
        let fits = known.into_iter().filter(|value| value.starts_with(&argument.value));
        let values: Vec<String> = fits.take(100).collect();
        Ok(json!({ "completion": { "values": values, "hasMore": false } }))
    }
}

fn uri(request: &Message) -> Result<&str, Failure> {
    let uri = request.routed().uri.as_ref();
    uri.map(Text::as_str).ok_or_else(|| Failure::invalid_params("`uri` is missing"))
}

fn unknown_resource(uri: &str) -> Failure {
    Failure { code: ErrorCode::ResourceNotFound, message: format!("Resource not found: {uri}") }
}

fn found(notes: &[Note]) -> Value {
    let text = if notes.is_empty() { "There are no notes.".to_owned() } else { lines(notes) };
    let notes: Vec<Value> =
        notes.iter().map(|note| json!({ "id": note.id, "text": &*note.text })).collect();
    success(text, json!({ "notes": notes }))
}

fn lines(notes: &[Note]) -> String {
    let lines: Vec<String> =
        notes.iter().map(|note| format!("{}: {}", note.id, note.text)).collect();
    lines.join("\n")
}
