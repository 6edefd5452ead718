//! What a backend answers to `initialize`.

use bytes::Bytes;
use mcp::Revision;
use serde::Serialize;

use crate::federation::menu::{Menu, MenuTarget};

/// The most that is taken of one target's instructions, in bytes.
const TARGET_INSTRUCTIONS: usize = 4 * 1024;
/// The most that instructions come to in all, in bytes.
const ALL_INSTRUCTIONS: usize = 16 * 1024;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Hello<'a> {
    protocol_version: &'static str,
    capabilities: Capabilities,
    server_info: ServerInfo<'a>,
    #[serde(skip_serializing_if = "String::is_empty")]
    instructions: String,
}

/// The fixed set: a list that nobody has is empty, not an error.
#[derive(Serialize)]
struct Capabilities {
    tools: List,
    prompts: List,
    resources: Resources,
    completions: Nothing,
    logging: Nothing,
    #[serde(skip_serializing_if = "Option::is_none")]
    tasks: Option<Tasks>,
}

#[derive(Default, Serialize)]
struct Tasks {
    list: Nothing,
    cancel: Nothing,
    requests: TaskRequests,
}

#[derive(Default, Serialize)]
struct TaskRequests {
    tools: TaskTools,
}

#[derive(Default, Serialize)]
struct TaskTools {
    call: Nothing,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct List {
    list_changed: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resources {
    list_changed: bool,
    subscribe: bool,
}

#[derive(Default, Serialize)]
struct Nothing {}

#[derive(Serialize)]
struct ServerInfo<'a> {
    name: &'static str,
    version: &'a str,
}

/// See [`Menu::initialize_result`].
pub(super) fn initialize_result(menu: &Menu, revision: Revision, gateway_version: &str) -> Bytes {
    if let [MenuTarget { catalog: Some(catalog), .. }] = menu.targets.as_slice() {
        return catalog.hello.for_client(revision);
    }
    let keeps_tasks = (0..menu.targets.len()).any(|target| menu.has_tasks(target));
    let list = || List { list_changed: true };
    let hello = Hello {
        protocol_version: revision.as_str(),
        capabilities: Capabilities {
            tools: list(),
            prompts: list(),
            resources: Resources { list_changed: true, subscribe: true },
            completions: Nothing {},
            logging: Nothing {},
            tasks: (revision.has_tasks() && keeps_tasks).then(Tasks::default),
        },
        server_info: ServerInfo { name: "portico", version: gateway_version },
        instructions: instructions(&menu.targets),
    };
    serde_json::to_vec(&hello).map(Bytes::from).unwrap_or_default()
}

/// The targets' instructions, each under a heading with its name.
fn instructions(targets: &[MenuTarget]) -> String {
    let mut all = String::new();
    for target in targets {
        let own = target.catalog.as_ref().and_then(|catalog| catalog.hello.instructions.as_ref());
        let Some(own) = own.map(|text| text.as_str().trim()).filter(|text| !text.is_empty()) else {
            continue;
        };
        if !all.is_empty() {
            all.push_str("\n\n");
        }
        all.push_str(&format!("# {}\n\n{}", target.name.as_str(), cut(own, TARGET_INSTRUCTIONS)));
    }
    cut(&all, ALL_INSTRUCTIONS).into_owned()
}

/// A text of at most `limit` bytes, with an ellipsis where it was cut.
fn cut(text: &str, limit: usize) -> std::borrow::Cow<'_, str> {
    const ELLIPSIS: &str = "…";
    if text.len() <= limit {
        return text.into();
    }
    let end = text.floor_char_boundary(limit.saturating_sub(ELLIPSIS.len()));
    let (kept, _) = text.split_at_checked(end).unwrap_or((text, ""));
    format!("{kept}{ELLIPSIS}").into()
}
