//! One HTTP request: who it is for, whether it may be answered, and by what.

use std::convert::Infallible;
use std::sync::Arc;

use config::{Cors, Listener, Matched, RequestHead, Weighted};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use mcp::headers::MCP_SESSION_ID;

use crate::access_log::{Ending, Record, RecordedBody};
use crate::arrival::Arrival;
use crate::context::Context;
use crate::downstream::{Endpoint, ReplyBody, cors, guard, respond, sse, streamable};
use crate::error::{ForwardError, RequestError};
use crate::forward::{self, Forward, Turn};
use crate::world::World;

/// Answers one request. Every way out leaves exactly one line in the access log, here or, where the
/// answer goes elsewhere, with whoever has taken the record over.
pub(crate) async fn serve(
    context: Arc<Context>,
    arrival: Arrival,
    request: Request<Incoming>,
) -> Result<Response<RecordedBody<ReplyBody>>, Infallible> {
    let mut record = Record::new(&context.access_log, &context.clock, arrival.remote);
    let (head, body) = request.into_parts();
    let is_head = head.method == Method::HEAD;
    let mut page = None;
    let answered = match context.world.load_full() {
        Some(world) => {
            let asking = Asking { context: &context, world: &world, arrival: &arrival };
            asking.answer(head, body, &mut record, &mut page).await
        }
        None => Err(RequestError::NotReady.into()),
    };
    let mut response = answered.unwrap_or_else(|refusal| {
        let mut response = refusal.answer(&context, &mut record);
        if is_head {
            // Nothing comes after this head, and clients would read that as a document.
            response.headers_mut().remove(CONTENT_TYPE);
        }
        response
    });
    match page {
        None => {}
        Some(Page::Mcp(origin)) => cors::show(&mut response, origin),
        Some(Page::Listed(cors, origin)) => forward::cors::show(&mut response, &cors, origin),
    }
    record.head(response.status());
    Ok(response.map(|body| RecordedBody::new(body, record)))
}

/// Whoever may read an answer in a browser.
enum Page {
    /// A page that may use MCP endpoints.
    Mcp(HeaderValue),
    /// A page that the route says may use it.
    Listed(Arc<Cors>, HeaderValue),
}

/// Why a request was not answered.
enum Refusal {
    /// As MCP says it.
    Mcp(RequestError),
    /// As a line of text.
    Plain(ForwardError),
}

/// One request, and what it finds.
struct Asking<'a> {
    context: &'a Arc<Context>,
    world: &'a Arc<World>,
    arrival: &'a Arrival,
}

impl Asking<'_> {
    /// Answers a request. `page` is whoever may read what comes of it, if there is one.
    async fn answer(
        &self,
        head: Parts,
        body: Incoming,
        record: &mut Record,
        page: &mut Option<Page>,
    ) -> Result<Response<ReplyBody>, Refusal> {
        let &Self { context, world, arrival } = self;
        let listener = world.listener(arrival.configured).ok_or(RequestError::NotReady)?;
        let host = guard::host(&head)?;
        check_tls(listener, arrival, &host)?;
        let Some(found) = find(listener, &head, &host) else {
            guard::check(listener, arrival.configured, &head, &host)?;
            *page = cors::origin(&head).map(Page::Mcp);
            return nobody(&head);
        };
        let matched = found.matched;
        let route = matched.route;
        if let Some(metrics) = world.routes.get(&route.name) {
            record.route(metrics);
        }
        let listed = route.filters.cors.as_ref();
        if let Some(cors) = listed {
            let origin = forward::cors::page(cors, &head.headers);
            *page = origin.map(|origin| Page::Listed(cors.clone(), origin));
        }
        let turn = forward::turn(&route.action, has_session(&head));
        if !matches!(turn, Turn::Plain(_)) {
            guard::check_host(listener, arrival.configured, &host)?;
            if page.is_none() {
                guard::check_origins(listener, &head, &host)?;
            }
            guard::check_single(&head.headers)?;
            if page.is_none() {
                *page = cors::origin(&head).map(Page::Mcp);
            }
        }
        if cors::is_preflight(&head) {
            match (listed, &*page, &turn) {
                (Some(cors), Some(Page::Listed(..)) | None, _) => {
                    return Ok(forward::cors::preflight(cors, &head.headers, page.is_some()));
                }
                (_, _, Turn::Mcp(_) | Turn::Closed(_)) => return Ok(cors::preflight(&head)),
                (None, _, Turn::Plain(_)) | (Some(_), Some(Page::Mcp(_)), Turn::Plain(_)) => {}
            }
        }
        let mut response = match turn {
            Turn::Plain(plain) => {
                let forward = Forward { context, world, arrival, matched };
                forward.answer(plain, head, body, record).await?
            }
            Turn::Closed(_) if is_discovery(&head) => return nobody(&head),
            Turn::Closed(close) => return Err(RequestError::Closed(close.clone()).into()),
            Turn::Mcp(_) if is_discovery(&head) => return nobody(&head),
            Turn::Mcp(backends) => self.converse(backends, &found, head, body, record).await?,
        };
        route.filters.response_headers.apply(response.headers_mut());
        Ok(response)
    }

    /// Answers what is said in MCP.
    async fn converse(
        &self,
        backends: &[Weighted],
        found: &Found<'_>,
        mut head: Parts,
        body: Incoming,
        record: &mut Record,
    ) -> Result<Response<ReplyBody>, RequestError> {
        let &Self { context, world, arrival } = self;
        let principal = context.authenticator.principal(&head);
        let (remote, closing) = (arrival.remote, &arrival.closing);
        let within = found.matched.route.timeouts.shortest();
        let endpoint = Endpoint { context, world, backends, principal, remote, closing, within };
        found.matched.route.filters.request_headers.apply(&mut head.headers);
        if sse::begins(&head) {
            return sse::get(&endpoint, found.path(&head), &head, record);
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
}

impl Refusal {
    /// What the client gets.
    fn answer(self, context: &Context, record: &mut Record) -> Response<ReplyBody> {
        match self {
            Self::Mcp(error) => {
                if let RequestError::Closed(close) = &error {
                    record.reason(&close.reason);
                }
                if matches!(error, RequestError::Closed(_) | RequestError::Limit(_)) {
                    record.ends_as(Ending::Refused);
                }
                if let Some(limit) = error.limit() {
                    context.metrics.rejected(limit);
                }
                respond::refusal(&error)
            }
            Self::Plain(error) => {
                record.error(error.class());
                if let ForwardError::Closed(close) | ForwardError::Failed(close) = &error {
                    record.reason(&close.reason);
                }
                record.ends_as(error.ending());
                respond::text(error.status(), &error)
            }
        }
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::Mcp(error)
    }
}

impl From<ForwardError> for Refusal {
    fn from(error: ForwardError) -> Self {
        Self::Plain(error)
    }
}

/// Refuses what came by another way than its listener is for: in the clear where TLS is spoken now,
/// or by a connection that was opened under the name of another listener (RFC 9110 §15.5.20).
fn check_tls(listener: &Listener, arrival: &Arrival, host: &str) -> Result<(), RequestError> {
    let is_misdirected = match (&listener.tls, &arrival.tls) {
        (None, None) => false,
        (Some(_), None) | (None, Some(_)) => true,
        (Some(_), Some(name)) => listener.routes.is_of_another_listener(name, host),
    };
    if is_misdirected { Err(RequestError::Misdirected) } else { Ok(()) }
}

/// Who answers.
struct Found<'l> {
    matched: Matched<'l>,
    /// Whether it is the endpoint above, whose stream begins here.
    is_above: bool,
}

impl Found<'_> {
    /// The path under which it is found.
    fn path<'h>(&self, head: &'h Parts) -> &'h str {
        let path = head.uri.path();
        sse::endpoint_path(path).filter(|_| self.is_above).unwrap_or(path)
    }
}

/// What begins HTTP+SSE at `…/sse` reaches the endpoint above, unless a route is there.
fn find<'l>(listener: &'l Listener, head: &Parts, host: &str) -> Option<Found<'l>> {
    let at = |path: &str| {
        listener.routes.find(&RequestHead {
            host,
            path,
            query: head.uri.query(),
            method: head.method.as_str(),
            headers: &head.headers,
        })
    };
    let path = head.uri.path();
    if let Some(matched) = at(path) {
        return Some(Found { matched, is_above: false });
    }
    let above = sse::endpoint_path(path).filter(|_| sse::begins(head))?;
    let matched = at(above)?;
    matched.route.action.may_be_mcp().then_some(Found { matched, is_above: true })
}

/// What is said where no route is.
fn nobody(head: &Parts) -> Result<Response<ReplyBody>, Refusal> {
    if cors::is_preflight(head) {
        return Ok(cors::preflight(head));
    }
    if is_discovery(head) {
        return Err(RequestError::NoDiscovery.into());
    }
    Err(RequestError::NoRoute(head.uri.path().to_owned()).into())
}

/// Whether a request belongs to a session of MCP.
fn has_session(head: &Parts) -> bool {
    head.headers.contains_key(MCP_SESSION_ID) || sse::session(head).is_some()
}

/// Where clients look for an authorization server. Any 200 there means "OAuth required" to
/// Claude Desktop, so a route on `/` must not answer for them.
fn is_discovery(head: &Parts) -> bool {
    let path = head.uri.path();
    path.starts_with("/.well-known/oauth-")
        || path.starts_with("/.well-known/openid-configuration")
        || (path == "/register" && head.method == Method::POST)
}
