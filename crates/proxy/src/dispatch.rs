//! Who answers a call: the menu for what the gateway knows by itself, the one target that owns
//! the name or URI for everything else.

use std::sync::Arc;

use http::HeaderMap;
use mcp::{Id, ListKind, Message, Method, Reference, ResultKind, Text};
use tokio_util::sync::CancellationToken;

use crate::access_log::Record;
use crate::auth::Principal;
use crate::context::Context;
use crate::error::CallError;
use crate::exchange::{Exchange, Rename, UriView};
use crate::federation::{Federation, Member, NameKind, Offer, Resolved, Unresolved};
use crate::reply::{Reply, Segments};
use crate::session::Session;
use crate::upstream::Owner;

/// Who calls, as far as a target's connection depends on it.
#[derive(Clone)]
pub enum Caller {
    /// A client's session.
    Session(Arc<Session>),
    /// Somebody without one.
    Principal(Principal),
}

/// A request on its way through.
pub struct Call {
    /// The request as the client wrote it.
    pub message: Message,
    /// Its id.
    pub id: Id,
    /// Who calls.
    pub caller: Caller,
    /// The client's headers, of which targets may name some to be passed on.
    pub headers: Arc<HeaderMap>,
    /// Cancelled when it is to end with an error, because its listener does.
    pub over: CancellationToken,
}

/// Answers one request. Errors are the gateway's own; a target's are replies.
pub async fn dispatch(
    context: &Context,
    federation: &Federation,
    call: Call,
    record: &mut Record,
) -> Result<Reply, CallError> {
    let method = call.message.method().unwrap_or(Method::Other);
    if method == Method::Ping {
        return Ok(local(mcp::result_response(&call.id, b"{}")));
    }
    if let Some(kind) = method.list() {
        return list(federation, &call, kind).await;
    }

    let mut offer = federation.offer();
    let mut routed = route(&offer, &call, method);
    let is_listed = matches!(&routed, Ok(Routed::To(destination)) if destination.is_listed);
    if !is_listed {
        // What no list shows yet may be there once every target has answered.
        offer = federation.known().await;
        routed = route(&offer, &call, method);
    }
    match routed? {
        Routed::To(destination) => start(context, offer, call, destination, record),
        Routed::Nobody(reply) => Ok(reply),
    }
}

/// Where a call goes.
enum Routed {
    To(Destination),
    /// Answered here, because no target has what it needs.
    Nobody(Reply),
}

struct Destination {
    target: usize,
    /// Whether the menu has what is asked for, so that no other target can turn out to own it.
    is_listed: bool,
    rename: Rename,
    result: Option<ResultKind>,
}

fn route(offer: &Offer, call: &Call, method: Method) -> Result<Routed, CallError> {
    match method {
        Method::ToolsCall => named(offer, call, NameKind::Tool),
        Method::PromptsGet => named(offer, call, NameKind::Prompt),
        Method::ResourcesRead => read(offer, call),
        Method::CompletionComplete => complete(offer, call),
        _ => single(offer, call),
    }
}

async fn list(federation: &Federation, call: &Call, kind: ListKind) -> Result<Reply, CallError> {
    if call.message.routed().cursor.is_some() {
        return Err(CallError::UnknownCursor);
    }
    let offer = federation.known().await;
    let incomplete = offer.incomplete();
    if !incomplete.is_empty() {
        return Err(CallError::Incomplete(incomplete));
    }
    Ok(Reply::Local(offer.menu.list(kind, &call.id)))
}

fn named(offer: &Offer, call: &Call, kind: NameKind) -> Result<Routed, CallError> {
    let (method, result) = match kind {
        NameKind::Tool => ("tools/call", ResultKind::ToolCall),
        NameKind::Prompt => ("prompts/get", ResultKind::Prompt),
    };
    let name = field(call.message.routed().name.as_ref(), method, "params.name")?;
    let resolved = resolve_name(offer, kind, name)?;
    Ok(Routed::To(Destination {
        target: resolved.target,
        is_listed: resolved.listed,
        rename: Rename::Name(resolved.native),
        result: Some(result),
    }))
}

fn read(offer: &Offer, call: &Call) -> Result<Routed, CallError> {
    let uri = field(call.message.routed().uri.as_ref(), "resources/read", "params.uri")?;
    let resolved = resolve_uri(offer, uri)?;
    Ok(Routed::To(Destination {
        target: resolved.target,
        is_listed: resolved.listed,
        rename: Rename::Uri(resolved.native),
        result: Some(ResultKind::Read),
    }))
}

/// A completion belongs to whoever has the prompt or the template. A target without completions
/// has none to offer, which is no error.
fn complete(offer: &Offer, call: &Call) -> Result<Routed, CallError> {
    let (resolved, rename) = match &call.message.routed().reference {
        Some(Reference::Prompt(name)) => {
            let resolved = resolve_name(offer, NameKind::Prompt, name.as_str())?;
            let rename = Rename::Name(resolved.native.clone());
            (resolved, rename)
        }
        Some(Reference::Resource(uri)) => {
            let resolved = resolve_uri(offer, uri.as_str())?;
            let rename = Rename::Uri(resolved.native.clone());
            (resolved, rename)
        }
        None => {
            let (method, field) = ("completion/complete", "params.ref");
            return Err(CallError::MissingField { method, field });
        }
    };
    if !offer.menu.is_single() && !offer.menu.has_completions(resolved.target) {
        let empty = br#"{"completion":{"values":[]}}"#;
        return Ok(Routed::Nobody(local(mcp::result_response(&call.id, empty))));
    }
    let Resolved { target, listed: is_listed, .. } = resolved;
    Ok(Routed::To(Destination { target, is_listed, rename, result: None }))
}

/// What the gateway does not know goes to a single target as it is; among several nobody could
/// say to which.
fn single(offer: &Offer, call: &Call) -> Result<Routed, CallError> {
    if !offer.menu.is_single() {
        let method = call.message.method_name().unwrap_or_default();
        return Err(CallError::MethodNotFound(method.to_owned()));
    }
    let rename = Rename::Nothing;
    Ok(Routed::To(Destination { target: 0, is_listed: true, rename, result: None }))
}

fn resolve_name(offer: &Offer, kind: NameKind, name: &str) -> Result<Resolved, CallError> {
    offer.menu.resolve_name(kind, name).map_err(|unresolved| match unresolved {
        Unresolved::Unknown => {
            let kind = match kind {
                NameKind::Tool => "tool",
                NameKind::Prompt => "prompt",
            };
            CallError::UnknownName { kind, name: name.to_owned() }
        }
        Unresolved::Ambiguous { candidates } => {
            CallError::Ambiguous { name: name.to_owned(), candidates }
        }
    })
}

fn resolve_uri(offer: &Offer, uri: &str) -> Result<Resolved, CallError> {
    offer.menu.resolve_uri(uri).map_err(|unresolved| {
        let candidates = match unresolved {
            Unresolved::Unknown => Vec::new(),
            Unresolved::Ambiguous { candidates } => candidates,
        };
        CallError::UnknownResource { uri: uri.to_owned(), candidates }
    })
}

fn field<'a>(
    text: Option<&'a Text>,
    method: &'static str,
    field: &'static str,
) -> Result<&'a str, CallError> {
    text.map(Text::as_str).ok_or(CallError::MissingField { method, field })
}

fn start(
    context: &Context,
    offer: Arc<Offer>,
    call: Call,
    destination: Destination,
    record: &mut Record,
) -> Result<Reply, CallError> {
    let Some(member) = offer.members.get(destination.target) else {
        return Err(CallError::ShuttingDown);
    };
    let target = member.target.name.clone();
    record.target(&member.metrics);
    let upstream = match &member.upstream {
        Ok(upstream) => upstream.clone(),
        Err(close) => return Err(CallError::Closed { target, close: close.clone() }),
    };
    let headers = forwarded(member, &call.headers);
    let uris = destination
        .result
        .filter(|_| offer.menu.rewrites_uris(destination.target))
        .map(|kind| UriView { offer: offer.clone(), target: destination.target, kind });
    let (owner, in_flight) = match call.caller {
        Caller::Session(session) => {
            let slot = session.slot(upstream.serial(), context.clock.now());
            let slot = slot.ok_or(CallError::UnknownSession)?;
            (Owner::Session(slot), Some(session.call(&call.id)))
        }
        Caller::Principal(principal) => (Owner::Principal(principal), None),
    };
    let exchange = Exchange {
        target,
        upstream,
        owner,
        message: call.message,
        id: call.id,
        rename: destination.rename,
        headers,
        uris,
        in_flight,
    };
    let orphan = context.limits.orphan_call.get();
    Ok(Reply::Upstream(exchange.start(&context.tasks, orphan, call.over)))
}

/// Only what the operator named goes to a target.
fn forwarded(member: &Member, headers: &HeaderMap) -> HeaderMap {
    let mut forwarded = HeaderMap::new();
    for name in &member.target.settings.forward_headers {
        for value in headers.get_all(name) {
            forwarded.append(name, value.clone());
        }
    }
    forwarded
}

fn local(bytes: bytes::Bytes) -> Reply {
    Reply::Local(Segments::from(bytes))
}
