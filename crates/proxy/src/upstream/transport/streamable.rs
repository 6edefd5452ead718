//! Streamable HTTP: a POST per message, answered by a JSON body or by an event stream; a session by
//! a header, if the server wants one; a GET stream for what belongs to no call.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode, Uri};
use mcp::headers::{LAST_EVENT_ID, MCP_PROTOCOL_VERSION, MCP_SESSION_ID, is_event_stream, is_json};
use mcp::{InitializeResult, Message, Nonce, Revision};

use crate::upstream::address::Address;
use crate::upstream::error::UpstreamError;
use crate::upstream::pool::HttpAnswer;
use crate::upstream::transport::arrival::{AnswerBody, is_response};
use crate::upstream::transport::over_http::{EVENTS, Http, Refusal, Session};
use crate::upstream::transport::receive::{Replies, messages};
use crate::upstream::transport::{Common, Dial, Outgoing, SessionKind};

mod events;
mod listen;

pub(crate) use events::Events;

/// How long a target may take to delete its session.
const DELETE_TIME: Duration = Duration::from_secs(5);
/// How long the opening of a session waits for the head of the GET stream. Servers that show it
/// only with the first event do not hold up the session.
const LISTEN_WAIT: Duration = Duration::from_secs(2);
/// What is read of the body that acknowledges a notification.
const ACKNOWLEDGEMENT: usize = 64 * 1024;

/// One session with a streamable HTTP target, or the lack of one.
pub(crate) struct Streamable {
    common: Arc<Common>,
    http: Http,
    address: Address,
    session: OnceLock<HeaderValue>,
    /// The header that later revisions ask for. Set, if only to `None`, once the target said hello.
    version: OnceLock<Option<HeaderValue>>,
    gone: AtomicBool,
    /// Started by the first request of the target.
    replies: OnceLock<Replies>,
}

/// What a POST is answered with.
pub(crate) enum Posted {
    /// One document as it comes.
    Document(AnswerBody),
    /// An event stream.
    Events(Box<Events>),
    /// The elements of an array, the response last.
    Batch(Vec<Message>),
}

impl Streamable {
    pub(crate) fn new(
        common: Arc<Common>,
        dial: &Dial,
        url: &Uri,
    ) -> Result<Arc<Self>, UpstreamError> {
        Ok(Arc::new(Self {
            http: Http::new(common.clone(), dial.http.clone()),
            common,
            address: Address::of(url)?,
            session: OnceLock::new(),
            version: OnceLock::new(),
            gone: AtomicBool::new(false),
            replies: OnceLock::new(),
        }))
    }

    pub(crate) fn kind(&self) -> SessionKind {
        match self.session.get() {
            Some(_) => SessionKind::Stateful,
            None => SessionKind::Stateless,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        !self.gone.load(Ordering::Acquire)
    }

    /// The target said hello: from here on requests name the revision, where it has that rule.
    pub(crate) fn agreed(&self, hello: &InitializeResult) {
        let version = hello.protocol_version.as_str();
        let sends = Revision::parse(version).is_some_and(Revision::sends_version_header);
        let header = sends.then(|| HeaderValue::from_str(version).ok()).flatten();
        let _ = self.version.set(header);
    }

    /// Opens the GET stream of a session. That the target has none is fine.
    pub(crate) async fn listen(self: &Arc<Self>, hello: &InitializeResult) {
        if self.kind() == SessionKind::Stateless {
            return;
        }
        let (there, wait) = tokio::sync::oneshot::channel();
        let listening = listen::listen(self.clone(), hello.capabilities, there);
        self.common.tasks.spawn("upstream GET stream", listening);
        let _ = tokio::time::timeout(LISTEN_WAIT, wait).await;
    }

    pub(crate) async fn request(
        self: &Arc<Self>,
        request: Outgoing,
    ) -> Result<Posted, UpstreamError> {
        let nonce = request.nonce;
        let opening = self.version.get().is_none();
        let answer = self.post(request.headers, request.body).await?;
        if !answer.head.status.is_success() {
            let document = self.refused(answer, Some(nonce)).await?;
            return Ok(Posted::Document(AnswerBody::whole(document)));
        }
        if opening && let Some(session) = answer.head.headers.get(MCP_SESSION_ID) {
            let _ = self.session.set(session.clone());
            let _ = self.http.pinned.set(answer.socket);
        }
        let content_type = answer.head.headers.get(CONTENT_TYPE);
        if is_event_stream(content_type) {
            return Ok(Posted::Events(Box::new(Events::new(self.clone(), nonce, answer.body))));
        }
        if !is_json(content_type) {
            return Err(self.not_an_answer(answer.head.status, content_type));
        }
        self.document(nonce, answer).await
    }

    pub(crate) async fn notify(&self, body: Bytes) -> Result<(), UpstreamError> {
        let mut answer = self.post(HeaderMap::new(), body).await?;
        if !answer.head.status.is_success() {
            return self.refused(answer, None).await.map(drop);
        }
        if is_event_stream(answer.head.headers.get(CONTENT_TYPE)) {
            // Nothing can come on it that is for anybody.
            answer.body.finish();
        } else {
            // Read to its end, so that the connection is free again; what it says is of no interest:
            // some answer with a JSON-RPC response that nobody asked for.
            let _ = answer.body.collect(ACKNOWLEDGEMENT).await;
        }
        Ok(())
    }

    /// Deletes the session, once the target has the answers to what it asked. It may refuse (405),
    /// or be gone.
    pub(crate) async fn close(&self) {
        if let Some(replies) = self.replies.get().filter(|_| self.is_open()) {
            replies.settled().await;
        }
        let had = self.session.get().is_some() && !self.gone.swap(true, Ordering::AcqRel);
        if !had {
            return;
        }
        let headers = self.headers();
        let deleting =
            self.http.send(Method::DELETE, &self.address, HeaderMap::new(), headers, Bytes::new());
        match tokio::time::timeout(DELETE_TIME, deleting).await {
            Ok(Ok(answer)) => answer.body.finish(),
            Ok(Err(error)) => {
                tracing::debug!(%error, "An upstream session was not deleted.");
            }
            Err(_) => tracing::debug!(peer = %self.common.peer, "No answer to DELETE."),
        }
    }

    /// The way back for what the target asks.
    pub(crate) fn replies(self: &Arc<Self>) -> &Replies {
        self.replies.get_or_init(|| {
            let streamable = Arc::downgrade(self);
            Replies::start(&self.common, move |reply| {
                let streamable = streamable.upgrade();
                async move {
                    match streamable {
                        Some(streamable) => streamable.notify(reply).await,
                        None => Ok(()),
                    }
                }
            })
        })
    }

    async fn post(&self, forwarded: HeaderMap, body: Bytes) -> Result<HttpAnswer, UpstreamError> {
        if !self.is_open() {
            return Err(UpstreamError::Closed { peer: self.common.peer.clone() });
        }
        self.http.send(Method::POST, &self.address, forwarded, self.headers(), body).await
    }

    /// A GET for events: the session's own stream, or the rest of one that `last` was seen of.
    async fn get(&self, last: Option<&Bytes>) -> Result<HttpAnswer, UpstreamError> {
        let mut headers = self.headers();
        headers.insert(ACCEPT, EVENTS);
        if let Some(last) = last.and_then(|last| HeaderValue::from_bytes(last).ok()) {
            headers.insert(LAST_EVENT_ID, last);
        }
        self.http.send(Method::GET, &self.address, HeaderMap::new(), headers, Bytes::new()).await
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let version = self.version.get().and_then(Option::as_ref);
        let both: [(HeaderName, Option<&HeaderValue>); 2] =
            [(MCP_SESSION_ID, self.session.get()), (MCP_PROTOCOL_VERSION, version)];
        for (name, value) in both {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
        headers
    }

    async fn refused(
        &self,
        answer: HttpAnswer,
        nonce: Option<Nonce>,
    ) -> Result<Bytes, UpstreamError> {
        let session = match self.kind() {
            SessionKind::Stateful => Session::Given,
            SessionKind::Stateless => Session::None,
        };
        match self.http.refusal(answer, session, nonce).await {
            Refusal::Answer(document) => Ok(document),
            Refusal::SessionGone => Err(self.session_gone()),
            Refusal::Error(error) => Err(error),
        }
    }

    fn session_gone(&self) -> UpstreamError {
        let error = UpstreamError::SessionGone { peer: self.common.peer.clone() };
        if !self.gone.swap(true, Ordering::AcqRel) {
            if let Some(replies) = self.replies.get() {
                replies.end();
            }
            self.common.inbox.closed(error.clone());
        }
        error
    }

    async fn document(
        self: &Arc<Self>,
        nonce: Nonce,
        mut answer: HttpAnswer,
    ) -> Result<Posted, UpstreamError> {
        let peer = &self.common.peer;
        let first = loop {
            match answer.body.next().await.transpose()? {
                Some(chunk) if chunk.is_empty() => {}
                Some(chunk) => break chunk,
                None => return Err(UpstreamError::invalid(peer, "its answer is empty")),
            }
        };
        if !mcp::is_batch(&first) {
            return Ok(Posted::Document(AnswerBody::streaming(first, answer.body)));
        }
        let whole = AnswerBody::streaming(first, answer.body);
        let whole = whole.whole_within(self.common.limits.rewritten_answer).await?;
        let mut kept = Vec::new();
        let all = messages(&whole, self.common.limits.batch);
        for message in all.map_err(|error| UpstreamError::invalid(peer, error))? {
            kept.extend(events::sort(self, nonce, message)?);
        }
        // The response is the last that is said of a call.
        kept.sort_by_key(is_response);
        match kept.last().is_some_and(is_response) {
            true => Ok(Posted::Batch(kept)),
            false => Err(UpstreamError::invalid(peer, "its batch has no answer to the request")),
        }
    }

    fn not_an_answer(&self, code: StatusCode, content_type: Option<&HeaderValue>) -> UpstreamError {
        let what = match content_type.map(|value| value.to_str().unwrap_or("unreadable")) {
            Some(content_type) => format!("it answered a request with `{content_type}`"),
            None => format!("it answered a request with {code} and no content type"),
        };
        UpstreamError::invalid(&self.common.peer, what)
    }
}

/// What becomes known of a message that came for one call.
type Sorted = Result<Option<Message>, UpstreamError>;

#[cfg(test)]
mod tests;
