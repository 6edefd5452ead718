//! What the two HTTP transports share: the headers of every request, the way through the pool, and
//! what an answer means that is not 2xx.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use config::TargetAddress;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderMap, HeaderValue, LOCATION, USER_AGENT,
};
use http::{Method, Request, StatusCode};
use http_body_util::Full;
use mcp::{Message, Nonce};

use crate::upstream::address::Address;
use crate::upstream::error::UpstreamError;
use crate::upstream::pool::{HttpAnswer, HttpPool, Sending};
use crate::upstream::transport::Common;
use crate::upstream::transport::arrival::is_response;

/// What is read of the body of a refusal.
const REFUSAL_BYTES: usize = 64 * 1024;
/// What is shown of it.
const SHOWN: usize = 300;
/// What a client of streamable HTTP takes, on any request.
pub(crate) const BOTH: HeaderValue =
    HeaderValue::from_static("application/json, text/event-stream");
pub(crate) const EVENTS: HeaderValue = HeaderValue::from_static("text/event-stream");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const AGENT: HeaderValue = HeaderValue::from_static(concat!("portico/", env!("CARGO_PKG_VERSION")));
const IDENTITY: HeaderValue = HeaderValue::from_static("identity");

/// The way to one HTTP target, for one session.
pub(crate) struct Http {
    common: Arc<Common>,
    pool: HttpPool,
    /// The endpoint that holds the session. A session of one pod is unknown to the others.
    pub(crate) pinned: OnceLock<SocketAddr>,
}

/// Why a target said something else than 2xx.
pub(crate) enum Refusal {
    /// It is a JSON-RPC answer to our request all the same: Node servers do that.
    Answer(Bytes),
    /// The session is unknown.
    SessionGone,
    /// Anything else.
    Error(UpstreamError),
}

impl Http {
    pub(crate) fn new(common: Arc<Common>, pool: HttpPool) -> Self {
        Self { common, pool, pinned: OnceLock::new() }
    }

    /// Sends a request with a body, JSON if it is not empty. `headers` are ours: they win over the
    /// configured ones, which win over those `forwarded` from a client.
    pub(crate) async fn send(
        &self,
        method: Method,
        address: &Address,
        forwarded: HeaderMap,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<HttpAnswer, UpstreamError> {
        let settings = self.common.settings.load_full();
        let target = &settings.target.settings;
        if settings.endpoints.is_empty() && needs_endpoints(&settings.target.address) {
            return Err(UpstreamError::connect(&self.common.peer, "it has no endpoints"));
        }
        let mut all = forwarded;
        for (name, secret) in &target.headers {
            let value = HeaderValue::from_str(secret.expose());
            let mut value = value.map_err(|_| self.bad_header(name.as_str()))?;
            value.set_sensitive(true);
            all.insert(name.clone(), value);
        }
        all.insert(USER_AGENT, AGENT);
        all.insert(ACCEPT, BOTH);
        // Bytes are searched and edited as they pass.
        all.insert(ACCEPT_ENCODING, IDENTITY);
        if !body.is_empty() {
            all.insert(CONTENT_TYPE, JSON);
        }
        for (name, value) in &headers {
            all.insert(name, value.clone());
        }
        all.insert(HOST, address.authority.clone());

        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = address.path.clone().into();
        *request.headers_mut() = all;
        let sending = Sending {
            address,
            endpoints: &settings.endpoints,
            pinned: self.pinned(&settings.endpoints),
            tls: &target.tls,
            connect_timeout: target.timeouts.connect,
            header_block: self.common.limits.header_block,
        };
        self.pool.send(&sending, request).await
    }

    /// Where the session is, unless that endpoint is gone: then any other may say so.
    fn pinned(&self, endpoints: &[SocketAddr]) -> Option<SocketAddr> {
        let pinned = self.pinned.get().copied();
        pinned.filter(|pinned| endpoints.is_empty() || endpoints.contains(pinned))
    }

    fn bad_header(&self, name: &str) -> UpstreamError {
        let reason = format!("the configured header `{name}` is not one line of text");
        UpstreamError::connect(&self.common.peer, reason)
    }

    /// Reads what an answer means that is not 2xx. `nonce` is that of the request, if it was one.
    pub(crate) async fn refusal(
        &self,
        mut answer: HttpAnswer,
        session: Session,
        nonce: Option<Nonce>,
    ) -> Refusal {
        let peer = &self.common.peer;
        let code = answer.head.status;
        let body = answer.body.collect(REFUSAL_BYTES).await.unwrap_or_default();
        let text = std::str::from_utf8(&body).unwrap_or_default().trim();
        let is_json = mcp::headers::is_json(answer.head.headers.get(CONTENT_TYPE));
        let is_answer = is_json && nonce.is_some_and(|nonce| answers(&body, nonce));
        // Servers that do not know a session do not get as far as the id of the request, 404 aside.
        if (!is_answer || code == StatusCode::NOT_FOUND) && session.is_gone(code, text) {
            return Refusal::SessionGone;
        }
        if is_answer {
            return Refusal::Answer(body);
        }
        let detail = if code.is_redirection() && answer.head.headers.contains_key(LOCATION) {
            Some("redirects are not followed".into())
        } else {
            shown(text)
        };
        Refusal::Error(UpstreamError::Status { peer: peer.clone(), code, detail })
    }
}

/// Whether requests carry a session that the target could have forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    None,
    Given,
}

impl Session {
    /// 404 says so by the specification (a method that is unknown is 404 too, and says so). Many
    /// servers of the field send 400 or 401 with a sentence instead.
    fn is_gone(self, code: StatusCode, text: &str) -> bool {
        if self == Self::None {
            return false;
        }
        let text = text.to_ascii_lowercase();
        let says_so = text.contains("session") || text.contains("not initialized");
        match code {
            StatusCode::NOT_FOUND => says_so || !text.contains("-32601"),
            StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED => {
                text.contains("jsonrpc") && says_so
            }
            _ => false,
        }
    }
}

/// Whether the configuration says where to connect, so that the URL's host must not be resolved.
fn needs_endpoints(address: &TargetAddress) -> bool {
    match address {
        TargetAddress::Http(address) => address.endpoints.is_some(),
        TargetAddress::Process(_) => false,
    }
}

fn answers(body: &Bytes, nonce: Nonce) -> bool {
    Message::parse(body.clone())
        .is_ok_and(|message| is_response(&message) && message.id() == Some(&nonce.id()))
}

/// The beginning of a text that says something: not a page for a browser.
fn shown(text: &str) -> Option<Arc<str>> {
    if text.is_empty() || text.starts_with('<') {
        return None;
    }
    let plain = |letter: char| if letter.is_control() { ' ' } else { letter };
    Some(text.chars().take(SHOWN).map(plain).collect::<String>().into())
}

#[cfg(test)]
mod tests;
