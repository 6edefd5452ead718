//! What `notes` lists: its tools, its resource template and its prompt.

use serde_json::{Value, json};

/// The URI template of a note.
pub(super) const TEMPLATE: &str = "notes://{id}";

pub(super) fn tools() -> Value {
    let text = |name: &str, description: &str| {
        json!({
            "type": "object",
            "properties": { name: { "type": "string", "description": description } },
            "required": [name],
        })
    };
    let notes = json!({
        "type": "object",
        "properties": { "notes": { "type": "array", "items": {
            "type": "object",
            "properties": { "id": { "type": "integer" }, "text": { "type": "string" } },
            "required": ["id", "text"],
        } } },
        "required": ["notes"],
    });
    json!([
        {
            "name": "add",
            "title": "Add a note",
            "description": "Keeps a note. It becomes a resource.",
            "inputSchema": text("text", "What to note, at most 4096 bytes"),
            "outputSchema": {
                "type": "object",
                "properties": { "id": { "type": "integer" } },
                "required": ["id"],
            },
            "annotations": { "destructiveHint": false },
        },
        {
            "name": "list",
            "title": "List notes",
            "description": "All notes, oldest first.",
            "inputSchema": { "type": "object", "properties": {} },
            "outputSchema": notes,
            "annotations": { "readOnlyHint": true },
        },
        {
            "name": "search",
            "title": "Search notes",
            "description": "The notes that contain a text, in any case.",
            "inputSchema": text("query", "The text to look for"),
            "outputSchema": notes,
            "annotations": { "readOnlyHint": true },
        },
    ])
}

pub(super) fn templates() -> Value {
    json!([{
        "uriTemplate": TEMPLATE,
        "name": "note",
        "title": "A note",
        "mimeType": "text/plain",
    }])
}

pub(super) fn prompts() -> Value {
    json!([{
        "name": "summarize",
        "title": "Summarize notes",
        "description": "Asks for a summary of all notes.",
        "arguments": [{ "name": "style", "description": "brief, detailed or funny" }],
    }])
}
