//! One HTTP request: who it is for, whether it may be answered, and by what.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use config::{Action, Listener, Matched, RequestHead};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;

use crate::access_log::{Ending, Record, RecordedBody};
use crate::context::{Closing, Context};
use crate::downstream::{Endpoint, ReplyBody, cors, guard, respond, sse, streamable};
use crate::error::RequestError;
use crate::world::World;

/// Answers one request. Every way out leaves exactly one line in the access log, here or, where the
/// answer goes elsewhere, with the call that has taken the record over.
pub(crate) async fn serve(
    context: Arc<Context>,
    arrival: Arrival,
    request: Request<Incoming>,
) -> Result<Response<RecordedBody<ReplyBody>>, Infallible> {
    let mut record = Record::new(&context.access_log, &context.clock, arrival.remote);
    let (head, body) = request.into_parts();
    let mut page = None;
    let answered = match context.world.load_full() {
        Some(world) => answer(&context, &world, &arrival, head, body, &mut record, &mut page).await,
        None => Err(RequestError::NotReady),
    };
    let mut response = answered.unwrap_or_else(|error| {
        if matches!(error, RequestError::Closed(_) | RequestError::Limit(_)) {
            record.ends_as(Ending::Refused);
        }
        if let Some(limit) = error.limit() {
            context.metrics.rejected(limit);
        }
        respond::refusal(&error)
    });
    if let Some(page) = page {
        cors::show(&mut response, page);
    }
    record.head(response.status());
    Ok(response.map(|body| RecordedBody::new(body, record)))
}

/// Where a request came in.
#[derive(Clone)]
pub(crate) struct Arrival {
    /// The listener's address as configured.
    pub(crate) configured: SocketAddr,
    /// Whose connection it is.
    pub(crate) remote: SocketAddr,
    /// How the listener says that it ends.
    pub(crate) closing: Closing,
}

/// Answers a request that is for us. `page` is whoever may read what comes of it, if the guard lets
/// it pass.
async fn answer(
    context: &Arc<Context>,
    world: &Arc<World>,
    arrival: &Arrival,
    head: Parts,
    body: Incoming,
    record: &mut Record,
    page: &mut Option<HeaderValue>,
) -> Result<Response<ReplyBody>, RequestError> {
    let &Arrival { configured, remote, ref closing } = arrival;
    let listener = world.listener(configured).ok_or(RequestError::NotReady)?;
    let host = guard::host(&head);
    let Found { route, path } = find(listener, &head, &host);
    let route = route.map(|found| found.route);
    if let Some(metrics) = route.and_then(|route| world.routes.get(&route.name)) {
        record.route(metrics);
    }
    guard::check(listener, configured, &head, &host)?;
    *page = cors::origin(&head);
    if cors::is_preflight(&head) {
        return Ok(cors::preflight(&head));
    }
    if is_discovery(&head) {
        return Err(RequestError::NoDiscovery);
    }
    let route = route.ok_or_else(|| RequestError::NoRoute(head.uri.path().to_owned()))?;
    let backends = match &route.action {
        Action::Closed(close) => return Err(RequestError::Closed(close.clone())),
        Action::Failed(close) => return Err(RequestError::Failed(close.clone())),
        Action::Mcp(backends) => backends,
        Action::Http(_) | Action::Redirect(_) => return Err(RequestError::NotReady),
    };

    let principal = context.authenticator.principal(&head);
    let endpoint = Endpoint { context, world, backends, principal, remote, closing };
    if sse::begins(&head) {
        return sse::get(&endpoint, path, &head, record);
    }
    match head.method {
        Method::POST if let Some(session) = sse::session(&head) => {
            sse::post(&endpoint, session, &head, body, record).await
        }
        Method::POST => streamable::post(&endpoint, head, body, record).await,
        Method::GET => streamable::get(&endpoint, &head, record),
        Method::DELETE => streamable::delete(&endpoint, &head, record),
        _ => Err(RequestError::Method("an MCP endpoint has POST, GET and DELETE")),
    }
}

/// Who answers, and under which path.
struct Found<'l, 'h> {
    route: Option<Matched<'l>>,
    path: &'h str,
}

/// What begins HTTP+SSE at `…/sse` reaches the endpoint above, unless a route is there.
fn find<'l, 'h>(listener: &'l Listener, head: &'h Parts, host: &str) -> Found<'l, 'h> {
    let at = |path: &'h str| {
        let route = listener.routes.find(&RequestHead {
            host,
            path,
            query: head.uri.query(),
            method: head.method.as_str(),
            headers: &head.headers,
        });
        Found { route, path }
    };
    let path = head.uri.path();
    let found = at(path);
    match sse::endpoint_path(path) {
        Some(above) if found.route.is_none() && sse::begins(head) => at(above),
        _ => found,
    }
}

/// Where clients look for an authorization server. Any 200 there means "OAuth required" to
/// Claude Desktop, so a route on `/` must not answer for them.
fn is_discovery(head: &Parts) -> bool {
    let path = head.uri.path();
    path.starts_with("/.well-known/oauth-")
        || path.starts_with("/.well-known/openid-configuration")
        || (path == "/register" && head.method == Method::POST)
}
