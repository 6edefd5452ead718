//! The one task per feed that keeps its catalog: opens the catalog's own session, drains
//! every list, listens for changes, and tries again with back-off when that fails. A failure
//! never empties what is known.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use mcp::{ErrorCode, Item, ListKind, Message, Page};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::{debug, info, warn};

use crate::catalog::{Catalog, Cut, Listed, Unread};
use crate::metrics::Limit;
use crate::random;
use crate::upstream::ask::ask;
use crate::upstream::backoff::Backoff;
use crate::upstream::error::UpstreamError;
use crate::upstream::feed::Feed;
use crate::upstream::transport::{Connection, Inbound};
use crate::upstream::{CATALOG, INBOUND_QUEUE, Seat, Upstream, requests};

/// However many ask, a target's lists are read at most once in this time.
const AT_MOST_EVERY: Duration = Duration::from_secs(1);
/// A session of the catalog that lived this long was a good one.
const LIVED: Duration = Duration::from_secs(10);
/// The longest wait before a target that is a URL is tried again: a refused connection is cheap.
const LONGEST_WAIT_URL: Duration = Duration::from_secs(5);
/// How soon a list that was not given is asked for again.
const UNREAD_AGAIN: Duration = Duration::from_secs(30);
/// How much of a target's error is told to readers of its list, in characters.
const REASON: usize = 500;
/// The longest wait before a process is started again.
const LONGEST_WAIT_PROCESS: Duration = Duration::from_secs(30);

/// Why the lists are read again.
enum Wake {
    /// Something may have changed; the session is good.
    Changed,
    /// The session is gone.
    Lost(Arc<UpstreamError>),
}

/// Runs as long as the upstream.
pub(super) async fn keep_fresh(upstream: Arc<Upstream>, feed: Arc<Feed>) {
    let longest = if upstream.is_process() { LONGEST_WAIT_PROCESS } else { LONGEST_WAIT_URL };
    let mut backoff = Backoff::new(longest);
    loop {
        let began = Instant::now();
        feed.begin();
        let failure = match fill(&upstream, &feed).await {
            Ok((seat, mut inbound)) => {
                info!(target_name = %upstream.target().name, "Read the catalog.");
                follow(&upstream, &feed, &seat, &mut inbound).await
            }
            Err(error) => error,
        };
        warn!(target_name = %upstream.target().name, error = %failure, "The catalog is not fresh.");
        upstream.failed(&feed, &failure);
        upstream.part_with_catalog_seat(&feed);

        // One that answers and then dies is not tried faster and faster.
        if began.elapsed() >= LIVED {
            backoff.reset();
        }
        let wait = tokio::time::sleep(backoff.wait(random::byte()));
        tokio::select! {
            () = wait => {}
            () = feed.asked() => {}
        }
        tokio::time::sleep_until(began + AT_MOST_EVERY).await;
    }
}

/// Opens the catalog's own session and reads every list.
async fn fill(
    upstream: &Arc<Upstream>,
    feed: &Feed,
) -> Result<(Arc<Seat>, mpsc::Receiver<Inbound>), UpstreamError> {
    let (sender, inbound) = mpsc::channel(INBOUND_QUEUE);
    let seat = upstream.open(CATALOG, feed.declaration().clone(), sender.into()).await?;
    feed.set_seat(seat.clone());
    if upstream.is_base(feed) {
        upstream.leases.share(&seat);
    }
    read(upstream, feed, seat.connection()).await?;
    Ok((seat, inbound))
}

/// Reads again whenever something says so, until the session is gone; says why it went.
async fn follow(
    upstream: &Arc<Upstream>,
    feed: &Feed,
    seat: &Arc<Seat>,
    inbound: &mut mpsc::Receiver<Inbound>,
) -> UpstreamError {
    loop {
        let read_at = Instant::now();
        match wake(upstream, feed, seat.connection(), inbound).await {
            Wake::Lost(error) => return (*error).clone(),
            Wake::Changed => {}
        }
        if let Some(error) = rest(upstream, inbound, read_at + AT_MOST_EVERY).await {
            return (*error).clone();
        }
        feed.begin();
        if let Err(error) = read(upstream, feed, seat.connection()).await {
            return error;
        }
    }
}

/// Waits until the lists may be read again: what changes meanwhile is answered by that one reading,
/// what clients are told passes. Says why the session is gone, if it is.
async fn rest(
    upstream: &Upstream,
    inbound: &mut mpsc::Receiver<Inbound>,
    until: Instant,
) -> Option<Arc<UpstreamError>> {
    let rest = tokio::time::sleep_until(until);
    tokio::pin!(rest);
    loop {
        tokio::select! {
            () = &mut rest => return None,
            Some(message) = inbound.recv() => match message {
                Inbound::ListChanged(_) => {}
                Inbound::Closed(error) => return Some(error),
                said => upstream.heard(&said),
            },
        }
    }
}

async fn wake(
    upstream: &Upstream,
    feed: &Feed,
    connection: &Connection,
    inbound: &mut mpsc::Receiver<Inbound>,
) -> Wake {
    let is_fresh = feed.catalog().is_none_or(|catalog| catalog.is_fresh());
    let every = if is_fresh { upstream.limits.refresh.get() } else { UNREAD_AGAIN };
    let periodic = tokio::time::sleep(every);
    tokio::pin!(periodic);
    loop {
        tokio::select! {
            () = &mut periodic => return Wake::Changed,
            () = feed.asked() => return Wake::Changed,
            message = inbound.recv() => match message {
                Some(Inbound::ListChanged(_)) => return Wake::Changed,
                Some(Inbound::Closed(error)) => return Wake::Lost(error),
                Some(said) => upstream.heard(&said),
                None => return Wake::Lost(Arc::new(connection.closed())),
            },
        }
    }
}

/// Reads every list. One that fails costs the others nothing, and what it gave last stays offered.
///
/// # Errors
/// The connection is of no use, or the target answered nothing at all.
async fn read(
    upstream: &Upstream,
    feed: &Feed,
    connection: &Connection,
) -> Result<(), UpstreamError> {
    let hello = connection.hello().clone();
    let known = feed.catalog();
    let mut lists: [Vec<Item>; 4] = Default::default();
    let (mut unread, mut cuts) = (Vec::new(), Vec::new());
    let (mut answered, mut failure) = (false, None);
    let drains = ListKind::ALL.map(|kind| {
        let is_offered = hello.capabilities.offers(kind);
        async move { if is_offered { Some(drain(upstream, connection, kind).await) } else { None } }
    });
    let drained = join_all(drains).await;
    for ((kind, items), drained) in ListKind::ALL.into_iter().zip(lists.iter_mut()).zip(drained) {
        let reason = match drained {
            None => continue,
            Some(Ok(Drained::List(Listed { items: list, cut }))) => {
                (*items, answered) = (list, true);
                cuts.extend(cut.map(|reason| Cut { kind, reason }));
                continue;
            }
            Some(Ok(Drained::Refused(reason))) => {
                answered = true;
                reason
            }
            Some(Err(error)) if error.is_about_the_connection() => return Err(error),
            Some(Err(error)) => failure.get_or_insert(error).to_string(),
        };
        let known = known.as_deref();
        *items = known.map(|known| known.items(kind).to_vec()).unwrap_or_default();
        let since = known.and_then(|known| known.unread(kind)).map(|unread| unread.since);
        let since = since.unwrap_or_else(|| upstream.clock.unix());
        unread.push(Unread { kind, since, reason });
    }
    match failure {
        Some(failure) if !answered => return Err(failure),
        Some(failure) => upstream.count(&failure),
        None => {}
    }
    for Unread { kind, reason, .. } in &unread {
        warn!(target_name = %upstream.target().name, list = kind.field(), reason, "The list is not fresh.");
    }
    for Cut { kind, reason } in &cuts {
        warn!(target_name = %upstream.target().name, list = kind.field(), reason, "The list is not whole.");
    }
    upstream.succeeded(feed, Catalog::new(hello, lists, unread, cuts));
    Ok(())
}

/// What a target answered when it was asked for a list.
pub(super) enum Drained {
    List(Listed),
    /// An error, and what it says.
    Refused(String),
}

/// All pages of one list, within `limits.pagesPerDrain` and `limits.toolsPerTarget`, and within
/// `limits.rewrittenAnswer` together. A cursor that comes back would never end, so it ends the list.
pub(super) async fn drain(
    upstream: &Upstream,
    connection: &Connection,
    kind: ListKind,
) -> Result<Drained, UpstreamError> {
    let target = upstream.target();
    let mut bytes = 0;
    let mut items = Vec::new();
    let mut cursors = HashSet::new();
    let mut cursor: Option<String> = None;
    let method = kind.method().name().unwrap_or_default();
    for _ in 0..upstream.limits.pages_per_drain {
        let nonce = random::nonce();
        let body = requests::list(nonce, method, cursor.as_deref());
        let limit = upstream.limits.rewritten_answer;
        let answer = ask(connection, nonce, body, limit, target.settings.timeouts.list).await?;
        if is_method_not_found(&answer) {
            debug!(target_name = %target.name, list = kind.field(), "The list is advertised, not served.");
            return Ok(Drained::List(Listed { items, cut: None }));
        }
        if let Some(error) = answer.error() {
            let said: String = String::from_utf8_lossy(&error).chars().take(REASON).collect();
            return Ok(Drained::Refused(format!("its answer to `{method}`: {said}")));
        }
        let page = Page::parse(&answer, kind)
            .map_err(|error| connection.invalid(format!("its answer to `{}`: {error}", method)))?;
        bytes += answer.bytes().len();
        if bytes > limit {
            return Ok(cut(upstream, items, Limit::Answer));
        }
        items.extend(page.items);
        if items.len() > upstream.limits.tools_per_target {
            items.truncate(upstream.limits.tools_per_target);
            return Ok(cut(upstream, items, Limit::Entries));
        }
        match page.next_cursor {
            Some(next) if cursors.insert(next.clone()) => cursor = Some(next),
            Some(_) => {
                let reason = format!("a cursor came back after {} entries", items.len());
                return Ok(Drained::List(Listed { items, cut: Some(reason) }));
            }
            None => return Ok(Drained::List(Listed { items, cut: None })),
        }
    }
    Ok(cut(upstream, items, Limit::Pages))
}

/// A list that ends at a bound of ours.
fn cut(upstream: &Upstream, items: Vec<Item>, limit: Limit) -> Drained {
    upstream.rejected(limit);
    let reason = format!("cut after {} entries by `limits.{}`", items.len(), limit.field());
    Drained::List(Listed { items, cut: Some(reason) })
}

fn is_method_not_found(answer: &Message) -> bool {
    answer.error_code() == Some(ErrorCode::MethodNotFound.as_i64())
}

#[cfg(test)]
mod tests;
