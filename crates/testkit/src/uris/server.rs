//! A server with a URI in every place from which a client may read one.

use serde_json::{Value, json};

/// A page that every server lists.
pub const SHARED_PAGE: &str = "https://example.com/shared";

/// The templates of every server; `TARGET` stands for its name.
pub const TEMPLATES: [&str; 3] =
    ["memo://page/{id}", "{kind}://open/{id}", "https://TARGET.example/{id}"];

/// The server of that name. All of them have the same URIs, but for those that carry their name.
pub fn of(target: &'static str) -> impl Fn(&str, &Value) -> Option<Value> + Send + Sync + 'static {
    move |method, params| {
        let named = params.get("name").and_then(Value::as_str).unwrap_or_default();
        let uri = params.get("uri").and_then(Value::as_str).unwrap_or_default();
        match method {
            "initialize" => Some(json!({
                "tools": {}, "prompts": {}, "completions": {}, "resources": { "subscribe": true },
                "tasks": { "requests": { "tools": { "call": {} } } },
            })),
            "tools/list" => Some(tools()),
            "prompts/list" => {
                Some(json!({ "prompts": [{ "name": "several" }, { "name": "fail" }] }))
            }
            "resources/list" => Some(resources(target)),
            "resources/templates/list" => Some(templates(target)),
            "tools/call" if params.get("task").is_some() => Some(json!({ "task": {
                "taskId": "task-1", "status": "working", "ttl": null,
                "createdAt": "2025-11-25T00:00:00Z", "lastUpdatedAt": "2025-11-25T00:00:00Z",
            } })),
            "tools/call" if named == "show" => Some(shown(target)),
            "tools/call" if named == "later" => None,
            "tasks/result" if params.get("taskId") == Some(&json!("task-1")) => {
                Some(of_task(shown(target)))
            }
            "prompts/get" if named == "several" => Some(prompt()),
            "resources/read" if uri == "memo:folder" => Some(folder(target)),
            "resources/read" if uri != "memo:fail" => Some(contents(target, uri)),
            "resources/subscribe" | "resources/unsubscribe" if uri != "memo:fail" => {
                Some(json!({}))
            }
            "completion/complete" if params.pointer("/ref/uri").is_some() => {
                let template = params.pointer("/ref/uri").and_then(Value::as_str)?;
                Some(json!({ "completion": { "values": [format!("{target} {template}")] } }))
            }
            _ => Some(json!({ "error": {
                "code": -32002, "message": "not here", "data": { "uri": "memo:of-error" },
            } })),
        }
    }
}

fn tools() -> Value {
    let schema = json!({ "type": "object" });
    json!({ "tools": [
        {
            "name": "show", "inputSchema": schema,
            "_meta": { "ui": { "resourceUri": "ui://app/board", "visibility": ["model"] } },
        },
        {
            "name": "later", "inputSchema": schema,
            "_meta": {
                "ui/resourceUri": "ui://app/flat", "ui": { "resourceUri": "ui://app/both" },
            },
        },
        { "name": "fail", "inputSchema": schema },
    ] })
}

fn resources(target: &str) -> Value {
    let uris = [
        "memo:listed".to_owned(),
        SHARED_PAGE.to_owned(),
        format!("https://{target}.example.com/own"),
        "notes/plain".to_owned(),
        "ui://app/board".to_owned(),
        format!("memo:own-of-{target}"),
    ];
    let listed: Vec<Value> =
        uris.iter().map(|uri| json!({ "uri": uri, "name": "a resource" })).collect();
    json!({ "resources": listed })
}

fn templates(target: &str) -> Value {
    let listed = TEMPLATES.map(|template| {
        json!({ "uriTemplate": template.replace("TARGET", target), "name": "a template" })
    });
    json!({ "resourceTemplates": listed.as_slice() })
}

/// The result of the tool `show`.
pub fn shown(target: &str) -> Value {
    let mut result = json!({
        "content": [
            link("memo:unlisted"),
            {
                "type": "resource",
                "resource": {
                    "uri": "memo:embedded", "text": "memo:stays",
                    "_meta": { "ui": { "resourceUri": "ui://app/inside" } },
                },
                "_meta": { "ui/resourceUri": "ui://app/of-block" },
            },
            link(SHARED_PAGE),
            embedded("notes/plain"),
            link("x://open/1"),
            embedded("memo://page/1"),
            embedded("memo:a+b"),
            embedded("ui://app/board"),
        ],
        "_meta": { "ui": { "resourceUri": "ui://app/of-result" } },
    });
    if let (Some(result), Value::Object(more)) =
        (result.as_object_mut(), structured_content(target))
    {
        result.extend(more);
    }
    result
}

/// What is structured in it.
pub fn structured_content(target: &str) -> Value {
    json!({ "structuredContent": {
        "uri": format!("memo:own-of-{target}"), "page": format!("https://{target}.example/7"),
    } })
}

fn of_task(mut result: Value) -> Value {
    if let Some(Value::Object(meta)) = result.get_mut("_meta") {
        let related = json!({ "taskId": "task-1" });
        meta.insert("io.modelcontextprotocol/related-task".to_owned(), related);
    }
    result
}

fn prompt() -> Value {
    let message = |content: Value| json!({ "role": "user", "content": content });
    json!({
        "messages": [
            message(link("memo:of-prompt")),
            message(embedded("memo:in-prompt")),
            message(json!([embedded("x://open/2"), link("notes/plain")])),
        ],
        "_meta": { "ui": { "resourceUri": "ui://app/of-prompt" } },
    })
}

fn folder(target: &str) -> Value {
    let content = |uri: &str| json!({ "uri": uri, "text": format!("{target} {uri}") });
    json!({
        "contents": [
            content("memo:folder"),
            content("memo:folder/one"),
            content(SHARED_PAGE),
            {
                "uri": "notes/plain", "text": "",
                "_meta": { "ui": { "resourceUri": "ui://app/of-contents" } },
            },
        ],
        "_meta": { "ui/resourceUri": "ui://app/of-read" },
    })
}

fn contents(target: &str, uri: &str) -> Value {
    json!({ "contents": [{ "uri": uri, "text": format!("{target} {uri}") }] })
}

fn link(uri: &str) -> Value {
    json!({ "type": "resource_link", "uri": uri, "name": "a link" })
}

fn embedded(uri: &str) -> Value {
    json!({ "type": "resource", "resource": { "uri": uri, "text": "memo:stays" } })
}
