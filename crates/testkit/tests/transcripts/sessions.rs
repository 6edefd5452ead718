//! Which session an exchange belongs to.

use anyhow::Context;
use http::Method;
use serde_json::Value;
use testkit::{Exchange, Recorder};

const SESSION: &str = "mcp-session-id";

/// Everything that was said, once every answer has ended: the client has left.
pub(crate) async fn all_is_over(recorder: &Recorder) -> anyhow::Result<Vec<Exchange>> {
    let all = |seen: &[Exchange]| open(seen).is_empty().then(|| seen.to_vec());
    let over = recorder.exchanges.until("the end of every answer", all).await;
    over.with_context(|| format!("{:#?}", open(&recorder.exchanges.all())))
}

/// What was said in the session that asked for `method`; `mcp-remote` tries where it is first, in sessions of their own
/// and in requests without one.
pub(crate) fn session_of(method: &str, exchanges: &[Exchange]) -> Vec<Exchange> {
    let call = exchanges.iter().find(|exchange| exchange.asks().as_deref() == Some(method));
    let id = call.and_then(session);
    exchanges.iter().filter(|exchange| session(exchange) == id).cloned().collect()
}

/// What was asked and is not over, but for what the client cancelled: nobody has to end that.
fn open(exchanges: &[Exchange]) -> Vec<String> {
    let messages = exchanges.iter().map(Exchange::message);
    let cancelled: Vec<Value> =
        messages.filter_map(|message| message.pointer("/params/requestId").cloned()).collect();
    let is_cancelled =
        |exchange: &Exchange| exchange.message().get("id").is_some_and(|id| cancelled.contains(id));
    let open = exchanges.iter().filter(|exchange| !exchange.is_over() && !is_cancelled(exchange));
    open.map(|exchange| format!("{} {}", exchange.method, exchange.message())).collect()
}

/// What the gateway and the server said to each other in the session of the client, which is the one that asked for
/// `method` after the first `before` exchanges; the others are the gateway's own, in which it does no more than list and
/// listen. `said` is what the client and the gateway said: where the client left without ending its session, the gateway
/// keeps it.
pub(crate) async fn session_with(
    method: &str,
    upstream: &Recorder,
    before: usize,
    said: &[Exchange],
) -> anyhow::Result<Vec<Exchange>> {
    let is_it = |exchange: &&Exchange| exchange.asks().as_deref() == Some(method);
    let asked = |seen: &[Exchange]| seen.iter().skip(before).find(is_it).cloned();
    let call = upstream.exchanges.until(method, asked).await?;
    let ended = said.iter().any(is_end);
    let session = session(&call).context("a request without a session")?;
    let is_its = |exchange: &Exchange| self::session(exchange).as_ref() == Some(&session);
    let its = |seen: &[Exchange]| {
        let (its, others): (Vec<_>, Vec<_>) = seen.iter().skip(before).cloned().partition(&is_its);
        let is_done = if ended {
            its.iter().any(is_end) && open(&its).is_empty()
        } else {
            its.iter().all(|exchange| exchange.answer.is_some())
        };
        is_done.then_some((its, others))
    };
    let what = "the end of the client's session upstream";
    let done = upstream.exchanges.until(what, its).await;
    let (its, others) = done.with_context(|| format!("{:#?}", open(&upstream.exchanges.all())))?;
    let own = ["initialize", "notifications/initialized", "ping", "logging/setLevel"];
    for exchange in others {
        let method = exchange.asks();
        let is_own = |method: &str| own.contains(&method) || method.ends_with("/list");
        anyhow::ensure!(
            method.as_deref().is_none_or(is_own),
            "the gateway's own session asks for {method:?}"
        );
    }
    Ok(its)
}

/// Whether a session is at its end when this is over: streamable HTTP says so, HTTP+SSE is one stream.
fn is_end(exchange: &Exchange) -> bool {
    let is_of_streamable = exchange.headers.contains_key(SESSION);
    match exchange.method {
        Method::DELETE => true,
        Method::GET => exchange.listens() && !is_of_streamable,
        _ => false,
    }
}

/// The session of an exchange: of its request, or opened by its answer. Over HTTP+SSE it is in the URL that the first
/// event of the stream says.
fn session(exchange: &Exchange) -> Option<String> {
    let answer = exchange.answer.as_ref();
    let answered = answer.and_then(|answer| answer.headers.get(SESSION));
    if let Some(id) = exchange.headers.get(SESSION).or(answered) {
        return Some(String::from_utf8_lossy(id.as_bytes()).into_owned());
    }
    let said = answer.map(|answer| String::from_utf8_lossy(&answer.body).into_owned());
    let first = said.iter().flat_map(|said| said.lines().take(2));
    let is_named = |uri: &str| {
        let (_, id) = ["sessionId=", "session_id="].iter().find_map(|name| uri.split_once(name))?;
        id.split('&').next().map(str::to_owned)
    };
    [&*exchange.target].into_iter().chain(first).find_map(is_named)
}
