//! The fields of `params` that a gateway routes by, and which of them each method has.

use bytes::Bytes;

use super::error::Problem;
use super::fields::{ENVELOPE_VERSION, Fields, RELATED_TASK};
use crate::id::Id;
use crate::method::Method;
use crate::scan::Span;
use crate::text::Text;

/// The fields of `params` that a gateway routes by, where the message has them.
///
/// A field of the wrong type counts as missing. What only servers send may be there twice (the
/// last one counts); in every other message that is an error.
#[derive(Debug, Clone, Default)]
pub struct Routed {
    /// `params.name` of `tools/call` and `prompts/get`.
    pub name: Option<Text>,
    /// `params.uri` of `resources/read`, `subscribe`, `unsubscribe` and `updated`.
    pub uri: Option<Text>,
    /// `params.ref` of `completion/complete`.
    pub reference: Option<Reference>,
    /// `params.cursor` of the lists, whatever it is; null counts as none.
    pub cursor: Option<Span>,
    /// `params.requestId` of `notifications/cancelled`.
    pub request_id: Option<Id>,
    /// The place of `request_id`.
    pub request_id_span: Option<Span>,
    /// `params._meta.progressToken` of a request, `params.progressToken` of
    /// `notifications/progress`: its place and its raw JSON, a string or a number.
    pub progress_token: Option<(Span, Bytes)>,
    /// `params.protocolVersion` of `initialize`.
    pub protocol_version: Option<Text>,
    /// `params._meta["io.modelcontextprotocol/protocolVersion"]`: the message is a modern one.
    pub envelope_version: Option<Text>,
    /// `params.clientInfo.name` of `initialize`.
    pub client_name: Option<Text>,
    /// `params.clientInfo.version` of `initialize`.
    pub client_version: Option<Text>,
    /// `params.clientInfo` of `initialize`, the whole object.
    pub client_info: Option<Bytes>,
    /// `params.capabilities` of `initialize`, the whole object; see `ClientCapabilities::read`.
    pub capabilities: Option<Bytes>,
    /// `params.level` of `logging/setLevel` and `notifications/message`; see `Level::parse`.
    pub level: Option<Text>,
    /// `params.logger` of `notifications/message`.
    pub logger: Option<Text>,
    /// `params.includeContext` of `sampling/createMessage`.
    pub include_context: Option<Text>,
    /// `params.mode` of `elicitation/create`: `form` or `url`; none means `form`.
    pub elicitation_mode: Option<Text>,
    /// `params.message` of `elicitation/create`.
    pub elicitation_message: Option<Text>,
    /// `params.elicitationId` of `elicitation/create` and `notifications/elicitation/complete`.
    pub elicitation_id: Option<Text>,
    /// `params.taskId` of `tasks/get`, `result`, `cancel` and `notifications/tasks/status`.
    pub task_id: Option<Text>,
    /// `_meta["io.modelcontextprotocol/related-task"].taskId` of `params`, or of the result.
    pub related_task: Option<Text>,
    /// Whether a request has `params.task`: it asks for a task instead of the result
    /// (2025-11-25, tasks).
    pub is_task: bool,
}

/// What a completion is asked for.
#[derive(Debug, Clone)]
pub enum Reference {
    /// A prompt, by name.
    Prompt(Text),
    /// A resource or a template, by URI or URI template.
    Resource(Text),
}

impl Routed {
    pub(super) fn of(bytes: &Bytes, envelope: &Fields, method: Method) -> Self {
        let Some(params) = envelope.inside("params") else { return Self::default() };
        let meta = params.inside("_meta");
        let mut routed = Self {
            progress_token: meta.and_then(|meta| token(bytes, meta)),
            envelope_version: meta.and_then(|meta| meta.text(bytes, ENVELOPE_VERSION)),
            related_task: related_task(bytes, params),
            is_task: envelope.span("id").is_some() && params.some(bytes, "task").is_some(),
            ..Self::default()
        };
        for name in fields(method) {
            match *name {
                "name" => routed.name = params.text(bytes, name),
                "uri" => routed.uri = params.text(bytes, name),
                "ref" => routed.reference = reference(bytes, params),
                "cursor" => routed.cursor = params.some(bytes, name),
                "requestId" => {
                    let id = |span: &Span| Id::of(bytes.slice(span.clone()));
                    routed.request_id_span = params.span(name).filter(|span| id(span).is_some());
                    routed.request_id = routed.request_id_span.as_ref().and_then(id);
                }
                "progressToken" => routed.progress_token = token(bytes, params),
                "protocolVersion" => routed.protocol_version = params.text(bytes, name),
                "clientInfo" => {
                    let client = params.inside(name);
                    routed.client_info = whole(bytes, params, name);
                    routed.client_name = client.and_then(|client| client.text(bytes, "name"));
                    routed.client_version = client.and_then(|client| client.text(bytes, "version"));
                }
                "capabilities" => routed.capabilities = whole(bytes, params, name),
                "level" => routed.level = params.text(bytes, name),
                "logger" => routed.logger = params.text(bytes, name),
                "includeContext" => routed.include_context = params.text(bytes, name),
                "mode" => routed.elicitation_mode = params.text(bytes, name),
                "message" => routed.elicitation_message = params.text(bytes, name),
                "elicitationId" => routed.elicitation_id = params.text(bytes, name),
                "taskId" => routed.task_id = params.text(bytes, name),
                _ => {}
            }
        }
        routed
    }

    /// Of a response, which has no `params`.
    pub(super) fn of_answer(bytes: &Bytes, envelope: &Fields) -> Self {
        let result = envelope.inside("result");
        let related_task = result.and_then(|result| related_task(bytes, result));
        Self { related_task, ..Self::default() }
    }
}

/// No field that the method is routed by, and none of the envelope, is there twice or in another
/// spelling.
pub(super) fn check(envelope: &Fields, method: Method) -> Result<(), Problem> {
    envelope.strict(&["jsonrpc", "id", "method", "params", "result", "error"])?;
    let Some(params) = envelope.inside("params") else { return Ok(()) };
    params.strict(&["_meta"])?;
    if let Some(meta) = params.inside("_meta") {
        meta.strict(&["progressToken", ENVELOPE_VERSION])?;
        meta.strict_reserved()?;
    }
    if is_sent_by_servers_only(method) {
        return Ok(());
    }
    let related = params.inside("_meta").and_then(|meta| meta.inside(RELATED_TASK));
    if let Some(related) = related {
        related.strict(&["taskId"])?;
    }
    let fields = fields(method);
    params.strict(fields)?;
    for name in fields {
        if let Some(inside) = params.inside(name) {
            inside.strict(&["type", "name", "uri", "version"])?;
        }
    }
    Ok(())
}

/// Where nobody but a server can have written a field twice, and nobody but its own user loses.
fn is_sent_by_servers_only(method: Method) -> bool {
    method.is_asked_of_clients()
        || matches!(method, Method::LogMessage | Method::ElicitationComplete)
}

/// The members of `params` that a method is routed by.
fn fields(method: Method) -> &'static [&'static str] {
    match method {
        Method::Initialize => &["protocolVersion", "clientInfo", "capabilities"],
        Method::ToolsCall => &["name", "task"],
        Method::PromptsGet => &["name"],
        Method::ResourcesRead
        | Method::ResourcesSubscribe
        | Method::ResourcesUnsubscribe
        | Method::ResourcesUpdated => &["uri"],
        Method::CompletionComplete => &["ref"],
        Method::ToolsList
        | Method::PromptsList
        | Method::ResourcesList
        | Method::ResourceTemplatesList
        | Method::TasksList => &["cursor"],
        Method::Cancelled => &["requestId"],
        Method::Progress => &["progressToken"],
        Method::SetLevel => &["level"],
        Method::LogMessage => &["level", "logger"],
        Method::SamplingCreateMessage => &["includeContext"],
        Method::ElicitationCreate => &["mode", "message", "elicitationId"],
        Method::ElicitationComplete => &["elicitationId"],
        Method::TasksGet | Method::TasksResult | Method::TasksCancel | Method::TaskStatus => {
            &["taskId"]
        }
        Method::Initialized
        | Method::Ping
        | Method::Discover
        | Method::ToolsListChanged
        | Method::PromptsListChanged
        | Method::ResourcesListChanged
        | Method::RootsListChanged
        | Method::RootsList
        | Method::Other => &[],
    }
}

fn reference(bytes: &Bytes, params: &Fields) -> Option<Reference> {
    let reference = params.inside("ref")?;
    match reference.text(bytes, "type")?.as_str() {
        "ref/prompt" => reference.text(bytes, "name").map(Reference::Prompt),
        "ref/resource" => reference.text(bytes, "uri").map(Reference::Resource),
        _ => None,
    }
}

/// The raw bytes of a field that is an object.
fn whole(bytes: &Bytes, params: &Fields, name: &str) -> Option<Bytes> {
    let span = params.span(name).filter(|span| bytes.get(span.start) == Some(&b'{'));
    span.map(|span| bytes.slice(span))
}

fn related_task(bytes: &Bytes, holder: &Fields) -> Option<Text> {
    holder.inside("_meta")?.inside(RELATED_TASK)?.text(bytes, "taskId")
}

fn token(bytes: &Bytes, holder: &Fields) -> Option<(Span, Bytes)> {
    let span = holder.span("progressToken")?;
    let token = Id::of(bytes.slice(span.clone()))?;
    Some((span, token.as_bytes().clone()))
}
