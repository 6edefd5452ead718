//! Who answers a call: the menu for what the gateway knows by itself, the one target that owns
//! the name or URI for everything else.

mod call;
mod route;
mod task;

use std::sync::Arc;

use futures_util::future::join_all;
use http::HeaderMap;
use mcp::{ListKind, Method, Shape};
use tracing::debug;

use crate::access_log::Record;
use crate::context::Context;
use crate::error::CallError;
use crate::exchange::{Effect, Exchange, Rename, ResultView};
use crate::federation::{Member, NameKind, Offer, View};
use crate::reply::Reply;
use crate::session::Speaker;

pub use call::{Call, Caller};

use route::{Destination, Routed};

/// Answers one request. Errors are the gateway's own; a target's are replies.
pub async fn dispatch(
    context: &Context,
    view: &View,
    call: Call,
    record: &mut Record,
) -> Result<Reply, CallError> {
    let method = call.message.method().unwrap_or(Method::Other);
    if method == Method::Ping {
        return Ok(Reply::from(mcp::result_response(&call.id, b"{}")));
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
    if !routed.as_ref().is_ok_and(Routed::is_listed) {
        // What no list shows yet may be there once every target has answered.
        offer = call.caller.offered(view.known().await);
        routed = route(&offer, &call, method);
    }
    match routed? {
        Routed::To(destination) => start(context, offer, call, destination, record),
        Routed::Nobody { reply, .. } => Ok(reply),
    }
}

fn route(offer: &Offer, call: &Call, method: Method) -> Result<Routed, CallError> {
    match method {
        Method::ToolsCall => route::named(offer, call, NameKind::Tool),
        Method::PromptsGet => route::named(offer, call, NameKind::Prompt),
        Method::ResourcesRead => route::read(offer, call),
        Method::CompletionComplete => route::complete(offer, call),
        Method::ResourcesSubscribe => {
            route::watch(offer, call, "resources/subscribe", Effect::Subscribed)
        }
        Method::ResourcesUnsubscribe => {
            route::watch(offer, call, "resources/unsubscribe", Effect::Unsubscribed)
        }
        Method::TasksGet | Method::TasksResult | Method::TasksCancel if !offer.menu.is_single() => {
            task::route(offer, call, method)
        }
        _ => route::single(offer, call),
    }
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
    let Some(level) = call.level() else {
        let (method, field) = ("logging/setLevel", "params.level");
        return Err(CallError::MissingField { method, field });
    };
    if let Caller::Session(session) = &call.caller {
        session.set_level(level);
        for upstream in offer.members.iter().filter_map(|member| member.upstream.as_ref().ok()) {
            if upstream.shared_session().is_some() {
                // Who uses it is asked what it wants.
                upstream.lease(&call.caller.owner(context, upstream)?).await.ok();
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
    Ok(Reply::from(mcp::result_response(&call.id, b"{}")))
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
    let owner = call.caller.owner(context, &upstream)?;
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
        within: call.within,
        effect: destination.effect,
        _counted: context.metrics.exchange(),
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
