//! Tasks of several targets (2025-11-25, tasks): clients know each as `<target>+<id>`.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::future::join_all;
use mcp::{Message, Method, ResultKind, TaskPage};
use tracing::debug;

use crate::context::Context;
use crate::dispatch::call::{Call, field};
use crate::dispatch::route::{Destination, Routed};
use crate::error::CallError;
use crate::exchange::{Rename, map_tasks};
use crate::federation::Offer;
use crate::reply::Reply;
use crate::session::Speaker;

/// A request about one task goes to the target that keeps it.
pub(super) fn route(offer: &Offer, call: &Call, method: Method) -> Result<Routed, CallError> {
    let method_name = method.name().unwrap_or_default();
    let id = field(call.message.routed().task_id.as_ref(), method_name, "params.taskId")?;
    let unknown = || CallError::UnknownName { kind: "task", name: id.to_owned() };
    let resolved = offer.menu.resolve_task(id).ok_or_else(unknown)?;
    // What `tasks/result` gives is the result of the tool; the others have no URIs.
    let is_result = method == Method::TasksResult;
    let kind = if is_result { ResultKind::ToolCall } else { ResultKind::Read };
    Ok(Routed::To(Destination {
        target: resolved.target,
        is_listed: resolved.listed,
        rename: Rename::Task(resolved.native),
        result: Some(kind),
        effect: None,
    }))
}

/// The tasks of all targets that keep some, as one page. A target that does not answer is left out.
pub(super) async fn list(
    context: &Context,
    offer: &Arc<Offer>,
    call: &Call,
) -> Result<Reply, CallError> {
    if call.message.routed().cursor.is_some() {
        return Err(CallError::UnknownCursor);
    }
    let keepers: Vec<_> =
        (0..offer.members.len()).filter(|target| offer.menu.has_tasks(*target)).collect();
    if keepers.is_empty() {
        return Err(CallError::MethodNotFound("tasks/list".to_owned()));
    }
    let lists = keepers.into_iter().map(|target| kept(context, offer, call, target));
    let mut result = BytesMut::from(&br#"{"tasks":["#[..]);
    let mut is_first = true;
    for task in join_all(lists).await.into_iter().flatten() {
        if !is_first {
            result.extend_from_slice(b",");
        }
        is_first = false;
        result.extend_from_slice(&task);
    }
    result.extend_from_slice(b"]}");
    Ok(Reply::from(mcp::result_response(&call.id, &result)))
}

/// The tasks that one target keeps for a client, as the client knows them.
async fn kept(context: &Context, offer: &Arc<Offer>, call: &Call, target: usize) -> Vec<Bytes> {
    let Some(member) = offer.members.get(target) else { return Vec::new() };
    let Ok(upstream) = &member.upstream else { return Vec::new() };
    let Ok(owner) = call.caller.owner(context, upstream) else { return Vec::new() };
    let pages = async {
        let lease = upstream.lease(&owner).await?;
        upstream.tasks(&lease.seat()).await
    };
    let deadline = member.target.settings.timeouts.list;
    let pages = match tokio::time::timeout(deadline, pages).await {
        Ok(Ok(pages)) => pages,
        Ok(Err(error)) => {
            debug!(target_name = %member.target.name, %error, "A target did not list its tasks.");
            return Vec::new();
        }
        Err(_) => return Vec::new(),
    };
    let mut tasks = Vec::new();
    for page in pages {
        let mut edits = Vec::new();
        let speaker = Speaker { offer: offer.clone(), target };
        map_tasks(&speaker, &page, &mut edits);
        edits.sort_by_key(|(span, _)| span.start);
        let mapped = Message::parse(mcp::splice(page.bytes(), &edits));
        let page = mapped.ok().and_then(|page| TaskPage::parse(&page).ok());
        tasks.extend(page.map(|page| page.tasks).unwrap_or_default());
    }
    tasks
}
