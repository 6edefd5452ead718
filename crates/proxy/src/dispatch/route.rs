//! Which target a request is for, and what it says there.

use std::sync::Arc;

use mcp::{Method, Reference, ResultKind};

use crate::dispatch::call::{Call, Caller, field};
use crate::error::CallError;
use crate::exchange::{Effect, Rename};
use crate::federation::{NameKind, Offer, Resolved, Unresolved};
use crate::reply::Reply;

/// Where a call goes.
pub(super) enum Routed {
    To(Destination),
    /// Answered here, because no target has what it needs, or has to hear of it.
    Nobody {
        reply: Reply,
        /// As of a [`Destination`].
        is_listed: bool,
    },
}

pub(super) struct Destination {
    pub(super) target: usize,
    /// Whether the menu has what is asked for, so that no other target can turn out to own it.
    pub(super) is_listed: bool,
    pub(super) rename: Rename,
    pub(super) result: Option<ResultKind>,
    pub(super) effect: Option<Effect>,
}

impl Routed {
    /// Whether the menu has what is asked for, so that no other target can turn out to own it.
    pub(super) fn is_listed(&self) -> bool {
        match self {
            Self::To(destination) => destination.is_listed,
            Self::Nobody { is_listed, .. } => *is_listed,
        }
    }
}

impl Destination {
    /// The only target, as it is.
    pub(super) const ONLY: Self =
        Self { target: 0, is_listed: true, rename: Rename::Nothing, result: None, effect: None };
}

pub(super) fn named(offer: &Offer, call: &Call, kind: NameKind) -> Result<Routed, CallError> {
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

pub(super) fn read(offer: &Offer, call: &Call) -> Result<Routed, CallError> {
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
pub(super) fn watch(
    offer: &Offer,
    call: &Call,
    method: &'static str,
    effect: fn(Arc<str>) -> Effect,
) -> Result<Routed, CallError> {
    let uri = field(call.message.routed().uri.as_ref(), method, "params.uri")?;
    let resolved = resolve_uri(offer, uri)?;
    if call.caller.session().is_none() && !offer.menu.is_single() {
        // Nobody could be told of a change.
        return Err(CallError::NotInitialized);
    }
    let effect = effect(resolved.native.clone());
    if let (Effect::Unsubscribed(uri), Caller::Session(session)) = (&effect, &call.caller)
        && let Some(Ok(upstream)) =
            offer.members.get(resolved.target).map(|member| &member.upstream)
        && session.subscriptions().at(upstream.serial()).contains(uri)
        && upstream.is_watched_by_others(uri)
    {
        // The target goes on telling the others.
        session.subscriptions().remove(upstream.serial(), uri);
        let reply = Reply::from(mcp::result_response(&call.id, b"{}"));
        // It watched it there: no other target can turn out to own it.
        return Ok(Routed::Nobody { reply, is_listed: true });
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

/// A completion belongs to whoever has the prompt or the template. A target without completions
/// has none to offer, which is no error.
pub(super) fn complete(offer: &Offer, call: &Call) -> Result<Routed, CallError> {
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
        let reply = Reply::from(mcp::result_response(&call.id, empty));
        return Ok(Routed::Nobody { reply, is_listed: resolved.listed });
    }
    let Resolved { target, listed: is_listed, .. } = resolved;
    // An error may say which resource.
    let result = Some(ResultKind::Read);
    Ok(Routed::To(Destination { target, is_listed, rename, result, effect: None }))
}

/// What the gateway does not know goes to a single target as it is; among several nobody could
/// say to which.
pub(super) fn single(offer: &Offer, call: &Call) -> Result<Routed, CallError> {
    if !offer.menu.is_single() {
        let method = call.message.method_name().unwrap_or_default();
        return Err(CallError::MethodNotFound(method.to_owned()));
    }
    let effect = match call.message.method() {
        Some(Method::SetLevel) => call.level().map(Effect::Level),
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
