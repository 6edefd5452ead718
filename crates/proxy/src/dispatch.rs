//! Who answers a call: the menu for what the gateway knows by itself, the one target that owns
//! the name or URI for everything else.

mod task;

use std::sync::Arc;

use futures_util::future::join_all;
use http::HeaderMap;
use mcp::{Id, Level, ListKind, Message, Method, Reference, ResultKind, Revision, Shape, Text};
use tokio_util::sync::CancellationToken;
use tracing::debug;

use crate::access_log::Record;
use crate::auth::Principal;
use crate::context::Context;
use crate::error::CallError;
use crate::exchange::{Effect, Exchange, Rename, ResultView};
use crate::federation::{Member, NameKind, Offer, Resolved, Unresolved, View};
use crate::reply::{Reply, Segments};
use crate::session::{Session, Speaker};
use crate::upstream::{Owner, Upstream};

/// Who calls, as far as a target's connection depends on it.
#[derive(Clone)]
pub enum Caller {
    /// A client's session.
    Session(Arc<Session>),
    /// Somebody without one.
    Principal(Principal),
}

impl Caller {
    /// Its session, where it has one.
    pub fn session(&self) -> Option<&Arc<Session>> {
        match self {
            Self::Session(session) => Some(session),
            Self::Principal(_) => None,
        }
    }

    /// What it is offered where others of its kind are offered `shared`.
    fn offered(&self, shared: Arc<Offer>) -> Arc<Offer> {
        match self {
            Self::Session(session) => session.offered(shared),
            Self::Principal(_) => shared,
        }
    }
}

/// A request on its way through.
pub struct Call {
    /// The request as the client wrote it.
    pub message: Message,
    /// Its id.
    pub id: Id,
    /// Who calls.
    pub caller: Caller,
    /// The revision that the client speaks; the latest legacy one where nobody said which.
    pub revision: Revision,
    /// The client's headers, of which targets may name some to be passed on.
    pub headers: Arc<HeaderMap>,
    /// Cancelled when it is to end with an error, because its listener does.
    pub over: CancellationToken,
    /// Whether the answer can be events.
    pub takes_events: bool,
}

/// Answers one request. Errors are the gateway's own; a target's are replies.
pub async fn dispatch(
    context: &Context,
    view: &View,
    call: Call,
    record: &mut Record,
) -> Result<Reply, CallError> {
    let method = call.message.method().unwrap_or(Method::Other);
    if method == Method::Ping {
        return Ok(local(mcp::result_response(&call.id, b"{}")));
    }
    if let Some(kind) = method.list() {
        let offer = call.caller.offered(view.known().await);
        if offer.menu.has_list(kind) {
            return list(&offer, &call, kind);
        }
        return start(context, offer, call, Destination::ONLY, record);
    }

    let mut offer = call.caller.offered(view.offer());
    if method == Method::SetLevel && (!offer.menu.is_single() || shares_a_session(&offer)) {
        return set_level(context, &offer, &call).await;
    }
    if method == Method::TasksList && !offer.menu.is_single() {
        return task::list(context, &view.known().await, &call).await;
    }
    let mut routed = route(&offer, &call, method);
    let is_listed = matches!(&routed, Ok(Routed::To(destination)) if destination.is_listed);
    if !is_listed {
        // What no list shows yet may be there once every target has answered.
        offer = call.caller.offered(view.known().await);
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
    effect: Option<Effect>,
}

fn route(offer: &Offer, call: &Call, method: Method) -> Result<Routed, CallError> {
    match method {
        Method::ToolsCall => named(offer, call, NameKind::Tool),
        Method::PromptsGet => named(offer, call, NameKind::Prompt),
        Method::ResourcesRead => read(offer, call),
        Method::CompletionComplete => complete(offer, call),
        Method::ResourcesSubscribe => watch(offer, call, "resources/subscribe", Effect::Subscribed),
        Method::ResourcesUnsubscribe => {
            watch(offer, call, "resources/unsubscribe", Effect::Unsubscribed)
        }
        Method::TasksGet | Method::TasksResult | Method::TasksCancel if !offer.menu.is_single() => {
            task::route(offer, call, method)
        }
        _ => single(offer, call),
    }
}

impl Destination {
    /// The only target, as it is.
    const ONLY: Self =
        Self { target: 0, is_listed: true, rename: Rename::Nothing, result: None, effect: None };
}

fn list(offer: &Offer, call: &Call, kind: ListKind) -> Result<Reply, CallError> {
    if call.message.routed().cursor.is_some() {
        return Err(CallError::UnknownCursor);
    }
    let incomplete = offer.incomplete();
    if !incomplete.is_empty() {
        return Err(CallError::Incomplete(incomplete));
    }
    Ok(Reply::Local(offer.menu.list(kind, Shape::of(call.revision), &call.id)))
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
        effect: None,
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
        effect: None,
    }))
}

/// A resource is watched, or not any more, at the one target that has it.
fn watch(
    offer: &Offer,
    call: &Call,
    method: &'static str,
    effect: fn(Arc<str>) -> Effect,
) -> Result<Routed, CallError> {
    let uri = field(call.message.routed().uri.as_ref(), method, "params.uri")?;
    let resolved = resolve_uri(offer, uri)?;
    let effect = effect(resolved.native.clone());
    if let (Effect::Unsubscribed(uri), Caller::Session(session)) = (&effect, &call.caller)
        && let Some(Ok(upstream)) =
            offer.members.get(resolved.target).map(|member| &member.upstream)
        && session.subscriptions().at(upstream.serial()).contains(uri)
        && upstream.is_watched_by_others(uri)
    {
        // The target goes on telling the others.
        session.subscriptions().remove(upstream.serial(), uri);
        return Ok(Routed::Nobody(local(mcp::result_response(&call.id, b"{}"))));
    }
    Ok(Routed::To(Destination {
        target: resolved.target,
        is_listed: resolved.listed,
        effect: Some(effect),
        rename: Rename::Uri(resolved.native),
        // An error may say which resource.
        result: Some(ResultKind::Read),
    }))
}

/// Whether the only target keeps one session for all its clients, whose levels differ.
fn shares_a_session(offer: &Offer) -> bool {
    let upstreams = offer.members.iter().filter_map(|member| member.upstream.as_ref().ok());
    upstreams.into_iter().any(|upstream| upstream.shared_session().is_some())
}

/// What log lines a client wants that is not the only one of its targets' clients, or of whom there
/// are several targets: remembered for every session that is opened for it, and told to those that
/// are open. One that it shares with others is told the most verbose level that any of them wants;
/// each then gets what it wants of that.
async fn set_level(context: &Context, offer: &Offer, call: &Call) -> Result<Reply, CallError> {
    let Some(level) = level(call) else {
        let (method, field) = ("logging/setLevel", "params.level");
        return Err(CallError::MissingField { method, field });
    };
    if let Caller::Session(session) = &call.caller {
        session.set_level(level);
        for upstream in offer.members.iter().filter_map(|member| member.upstream.as_ref().ok()) {
            if upstream.shared_session().is_some() {
                // Who uses it is asked what it wants.
                upstream.lease(&owner(context, &call.caller, upstream)?).await.ok();
            }
        }
        let slots = session.slots();
        let open = slots.iter().filter_map(|(serial, slot)| {
            let member = offer.members.get(offer.target_of(*serial)?)?;
            let upstream = member.upstream.as_ref().ok()?;
            let (seat, level) = match upstream.shared_session() {
                Some(seat) => (seat, upstream.shared_level().map_or(level, |all| all.min(level))),
                None => (slot.seat()?, level),
            };
            let logs = seat.connection().hello().capabilities.logging;
            logs.then_some((upstream, seat, level))
        });
        // One that does not answer hears it again when its session is opened again.
        join_all(open.map(|(upstream, seat, level)| async move {
            if let Err(error) = upstream.set_level(&seat, level).await {
                debug!(%error, "A target did not take the level of log lines.");
            }
        }))
        .await;
    }
    Ok(local(mcp::result_response(&call.id, b"{}")))
}

fn level(call: &Call) -> Option<Level> {
    call.message.routed().level.as_ref().and_then(|text| Level::parse(text.as_str()))
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
    // An error may say which resource.
    let result = Some(ResultKind::Read);
    Ok(Routed::To(Destination { target, is_listed, rename, result, effect: None }))
}

/// What the gateway does not know goes to a single target as it is; among several nobody could
/// say to which.
fn single(offer: &Offer, call: &Call) -> Result<Routed, CallError> {
    if !offer.menu.is_single() {
        let method = call.message.method_name().unwrap_or_default();
        return Err(CallError::MethodNotFound(method.to_owned()));
    }
    let effect = match call.message.method() {
        Some(Method::SetLevel) => level(call).map(Effect::Level),
        _ => None,
    };
    Ok(Routed::To(Destination { effect, ..Destination::ONLY }))
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
    let result = result_view(&offer, &call, &destination);
    let owner = owner(context, &call.caller, &upstream)?;
    let session = call.caller.session().cloned();
    let exchange = Exchange {
        target,
        upstream,
        owner,
        message: call.message,
        id: call.id,
        rename: destination.rename,
        headers,
        result,
        speaker: Speaker { offer, target: destination.target },
        session,
        takes_events: call.takes_events,
        effect: destination.effect,
    };
    let orphan = context.limits.orphan_call.get();
    Ok(Reply::Upstream(exchange.start(&context.tasks, orphan, call.over)))
}

/// How the answer has to look.
fn result_view(offer: &Offer, call: &Call, destination: &Destination) -> Option<ResultView> {
    let (target, kind, shape) = (destination.target, destination.result?, Shape::of(call.revision));
    let tool = match &destination.rename {
        Rename::Task(_) => return Some(ResultView::of_tasks(offer, target, kind, shape)),
        Rename::Name(_) if call.message.routed().is_task && !offer.menu.is_single() => {
            return Some(ResultView::of_tasks(offer, target, kind, shape));
        }
        Rename::Name(name) => name,
        Rename::Nothing | Rename::Uri(_) => "",
    };
    ResultView::new(offer, target, kind, tool, shape)
}

/// Whose connection to an upstream is used.
fn owner(context: &Context, caller: &Caller, upstream: &Upstream) -> Result<Owner, CallError> {
    match caller {
        Caller::Session(session) => {
            let slot = session.slot(upstream.serial(), &context.tasks, context.clock.now());
            Ok(Owner::Session(slot.ok_or(CallError::UnknownSession)?))
        }
        Caller::Principal(principal) => Ok(Owner::Principal(principal.clone())),
    }
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
