//! The fields of `params` that a gateway routes by, and which of them each method has.

use bytes::Bytes;

use super::error::Problem;
use super::fields::{ENVELOPE_VERSION, Fields};
use crate::id::Id;
use crate::method::Method;
use crate::scan::Span;
use crate::text::Text;

/// The fields of `params` that a gateway routes by, where the message has them.
///
/// A field of the wrong type counts as missing.
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
    /// `params.level` of `logging/setLevel`.
    pub level: Option<Text>,
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
            ..Self::default()
        };
        for name in fields(method) {
            match *name {
                "name" => routed.name = params.text(bytes, name),
                "uri" => routed.uri = params.text(bytes, name),
                "ref" => routed.reference = reference(bytes, params),
                "cursor" => routed.cursor = params.some(bytes, name),
                "requestId" => {
                    routed.request_id =
                        params.span(name).and_then(|span| Id::of(bytes.slice(span)));
                }
                "progressToken" => routed.progress_token = token(bytes, params),
                "protocolVersion" => routed.protocol_version = params.text(bytes, name),
                "clientInfo" => {
                    let client = params.inside(name);
                    routed.client_name = client.and_then(|client| client.text(bytes, "name"));
                    routed.client_version = client.and_then(|client| client.text(bytes, "version"));
                }
                "level" => routed.level = params.text(bytes, name),
                _ => {}
            }
        }
        routed
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
    let fields = fields(method);
    params.strict(fields)?;
    for name in fields {
        if let Some(inside) = params.inside(name) {
            inside.strict(&["type", "name", "uri", "version"])?;
        }
    }
    Ok(())
}

/// The members of `params` that a method is routed by.
fn fields(method: Method) -> &'static [&'static str] {
    match method {
        Method::Initialize => &["protocolVersion", "clientInfo"],
        Method::ToolsCall | Method::PromptsGet => &["name"],
        Method::ResourcesRead
        | Method::ResourcesSubscribe
        | Method::ResourcesUnsubscribe
        | Method::ResourcesUpdated => &["uri"],
        Method::CompletionComplete => &["ref"],
        Method::ToolsList
        | Method::PromptsList
        | Method::ResourcesList
        | Method::ResourceTemplatesList => &["cursor"],
        Method::Cancelled => &["requestId"],
        Method::Progress => &["progressToken"],
        Method::SetLevel => &["level"],
        Method::Initialized
        | Method::Ping
        | Method::Discover
        | Method::LogMessage
        | Method::ToolsListChanged
        | Method::PromptsListChanged
        | Method::ResourcesListChanged
        | Method::RootsListChanged
        | Method::RootsList
        | Method::SamplingCreateMessage
        | Method::ElicitationCreate
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

fn token(bytes: &Bytes, holder: &Fields) -> Option<(Span, Bytes)> {
    let span = holder.span("progressToken")?;
    let token = Id::of(bytes.slice(span.clone()))?;
    Some((span, token.as_bytes().clone()))
}
