//! An ordinary reverse proxy: requests that no MCP is spoken in are passed on as they come, and so
//! are their answers. None of the safety rules of MCP endpoints apply here.

mod choice;
pub(crate) mod cors;
mod head;
mod redirect;
mod tunnel;

use std::sync::Arc;

use config::{Action, Close, Filters, Lead, Matched, Redirect, Weighted};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use hyper::body::Incoming;

use crate::access_log::Record;
use crate::arrival::Arrival;
use crate::context::Context;
use crate::downstream::{Deadline, Forwarded, ReplyBody};
use crate::error::ForwardError;
use crate::metrics::RequestKind;
use crate::upstream::{HttpAnswer, RequestBody, Server};
use crate::world::World;

use head::Rewriting;

/// What answers one request of a route.
pub(crate) enum Turn<'a> {
    /// One of these backends: MCP is spoken.
    Mcp(&'a [Weighted]),
    /// Something else.
    Plain(Plain<'a>),
    /// Nobody: it is kept shut.
    Closed(&'a Close),
}

/// What answers without MCP.
pub(crate) enum Plain<'a> {
    /// The ordinary HTTP server of this name, after filters of its own.
    Service(&'a str, Option<&'a Filters>),
    /// The client is sent elsewhere.
    Redirect(&'a Redirect),
    /// Nobody, for this reason.
    Failed(&'a Close),
}

/// What a request is answered with, without MCP.
pub(crate) struct Forward<'a> {
    pub(crate) context: &'a Arc<Context>,
    pub(crate) world: &'a Arc<World>,
    pub(crate) arrival: &'a Arrival,
    pub(crate) matched: Matched<'a>,
}

/// What answers the next request of a route. One that belongs to an MCP session goes to a backend
/// where there is one.
pub(crate) fn turn(action: &Action, has_session: bool) -> Turn<'_> {
    let shares = match action {
        Action::Mcp(backends) => return Turn::Mcp(backends),
        Action::Redirect(redirect) => return Turn::Plain(Plain::Redirect(redirect)),
        Action::Failed(close) => return Turn::Plain(Plain::Failed(close)),
        Action::Closed(close) => return Turn::Closed(close),
        Action::Http(shares) => shares,
    };
    if let Some(backends) = action.backends().filter(|_| has_session) {
        return Turn::Mcp(backends);
    }
    let share = choice::at_random(shares);
    match &share.lead {
        Lead::Service(name) => Turn::Plain(Plain::Service(name, Some(&share.filters))),
        Lead::Failed(close) => Turn::Plain(Plain::Failed(close)),
        Lead::Mcp(backends) => Turn::Mcp(backends),
    }
}

impl Forward<'_> {
    /// Answers a request.
    pub(crate) async fn answer(
        &self,
        plain: Plain<'_>,
        head: Parts,
        body: Incoming,
        record: &mut Record,
    ) -> Result<Response<ReplyBody>, ForwardError> {
        record.request(RequestKind::Http);
        record.method_name(head.method.as_str());
        match plain {
            Plain::Failed(close) => Err(ForwardError::Failed(close.clone())),
            Plain::Redirect(to) => redirect::answer(to, self.arrival, self.matched.prefix, &head),
            Plain::Service(name, own) => {
                let server = self.world.services.get(name).ok_or(ForwardError::NotReady)?;
                self.pass(server, own, head, body, record).await
            }
        }
    }

    async fn pass(
        &self,
        server: &Arc<Server>,
        own: Option<&Filters>,
        mut head: Parts,
        body: Incoming,
        record: &mut Record,
    ) -> Result<Response<ReplyBody>, ForwardError> {
        if let Some(close) = &server.service.closed {
            return Err(ForwardError::Closed(close.clone()));
        }
        if head.method == Method::CONNECT {
            return Err(ForwardError::Connect);
        }
        let upgrade = tunnel::asked(&mut head, server);
        let route = self.matched.route;
        let rewriting = Rewriting {
            server,
            arrival: self.arrival,
            prefix: self.matched.prefix,
            filters: [Some(&route.filters), own],
            upgrade: upgrade.as_ref().map(|upgrade| &upgrade.protocol),
        };
        let request = head::request(&rewriting, head, &body)?;
        let request = request.map(|()| RequestBody::Streamed(body));
        let deadline = Deadline::of(route.timeouts, server.service.request);
        let sending = server.send(request, self.context.limits.header_block);
        let sent = match &deadline {
            None => sending.await,
            Some(deadline) => deadline.within(sending).await?,
        };
        let answer = sent.map_err(|error| {
            record.reason(&error.to_string());
            ForwardError::of(&error)
        })?;
        if let Some(upgrade) = upgrade
            && answer.head.status == StatusCode::SWITCHING_PROTOCOLS
        {
            return Ok(upgrade.begin(self, answer, record));
        }
        let HttpAnswer { head, body, .. } = answer;
        let mut response = Response::new(ReplyBody::Empty);
        *response.status_mut() = head.status;
        *response.headers_mut() = head::answered(head.headers, &body);
        if let Some(own) = own {
            own.response_headers.apply(response.headers_mut());
        }
        let forwarded = Forwarded::new(body, deadline);
        *response.body_mut() = ReplyBody::Forwarded(Box::new(forwarded));
        Ok(response)
    }
}
