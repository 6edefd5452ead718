//! Connections that become something else than HTTP, as WebSockets do: from then on bytes are passed
//! both ways until one side ends.

use std::time::Duration;

use http::header::{CONNECTION, UPGRADE};
use http::request::Parts;
use http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::upgrade::{self, OnUpgrade};
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;
use tracing::debug;

use super::Forward;
use super::head::{clean, lists};
use crate::access_log::{Ending, Record};
use crate::downstream::{ReplyBody, respond};
use crate::metrics::RequestKind;
use crate::upstream::{HttpAnswer, Server};

/// How long both connections may take to be ours after both sides have agreed.
const HAND_OVER: Duration = Duration::from_secs(10);

/// What a client asks its connection to become.
pub(super) struct Upgrade {
    /// The value of the `Upgrade` header.
    pub(super) protocol: HeaderValue,
    client: OnUpgrade,
}

/// What a request asks its connection to become, if its server's can become it, too. HTTP/2 is not
/// begun this way: it would carry requests past every route.
pub(super) fn asked(head: &mut Parts, server: &Server) -> Option<Upgrade> {
    let protocol = head.headers.get(UPGRADE)?.clone();
    let is_asked = head.version == Version::HTTP_11 && lists(&head.headers, &CONNECTION, "upgrade");
    if !is_asked || !server.can_upgrade() || lists(&head.headers, &UPGRADE, "h2c") {
        return None;
    }
    let mut request = Request::new(());
    std::mem::swap(request.extensions_mut(), &mut head.extensions);
    Some(Upgrade { protocol, client: upgrade::on(request) })
}

impl Upgrade {
    /// Passes on that the server agreed, and bytes both ways after that. The tunnel has the line of
    /// the access log from here on, and its client's place among all connections.
    pub(super) fn begin(
        self,
        forward: &Forward<'_>,
        answer: HttpAnswer,
        record: &mut Record,
    ) -> Response<ReplyBody> {
        let HttpAnswer { mut head, body, .. } = answer;
        let mut response = respond::empty(StatusCode::SWITCHING_PROTOCOLS);
        let protocol = head.headers.get(UPGRADE).unwrap_or(&self.protocol).clone();
        let mut headers = std::mem::take(&mut head.headers);
        clean(&mut headers);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, protocol);
        *response.headers_mut() = headers;

        let mut record = record.hand_over();
        record.request(RequestKind::Http);
        record.method_name("GET");
        record.head(StatusCode::SWITCHING_PROTOCOLS);
        let server = upgrade::on(Response::from_parts(head, ()));
        let (over, seat) = (forward.arrival.closing.over.clone(), forward.arrival.seat.clone());
        let client = self.client;
        forward.context.tasks.spawn("tunnel", async move {
            tokio::select! {
                () = carry(client, server, &mut record) => record.end(Ending::Complete),
                () = over.cancelled() => record.end(Ending::Drained),
            }
            drop((body, seat));
        });
        response
    }
}

async fn carry(client: OnUpgrade, server: OnUpgrade, record: &mut Record) {
    let both = async { tokio::try_join!(client, server) };
    let (client, server) = match tokio::time::timeout(HAND_OVER, both).await {
        Ok(Ok(both)) => both,
        Ok(Err(error)) => return debug!(%error, "A connection did not become a tunnel."),
        Err(_) => return debug!("A connection did not become a tunnel in time."),
    };
    let (mut client, mut server) = (TokioIo::new(client), TokioIo::new(server));
    match copy_bidirectional(&mut client, &mut server).await {
        Ok((_, sent)) => record.sent(usize::try_from(sent).unwrap_or(usize::MAX)),
        Err(error) => {
            debug!(%error, "A tunnel broke.");
            record.error("cut");
        }
    }
}
