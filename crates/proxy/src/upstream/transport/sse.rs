//! HTTP+SSE of 2024-11-05: one GET stream carries everything that the target says; messages to it are
//! POSTed to the address that the stream names first. The end of the stream is the end of the session.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use http::{Method, Uri};
use mcp::headers::is_event_stream;
use mcp::{Decoder, Event, Nonce};

use crate::upstream::address::Address;
use crate::upstream::error::UpstreamError;
use crate::upstream::pool::body::HttpBody;
use crate::upstream::transport::answer::Answer;
use crate::upstream::transport::arrival::AnswerBody;
use crate::upstream::transport::calls::Calls;
use crate::upstream::transport::over_http::{EVENTS, Http, Refusal, Session};
use crate::upstream::transport::receive::{Replies, sort_shared, too_long};
use crate::upstream::transport::{Common, Dial, Outgoing};

/// What is read of the body that acknowledges a POST.
const ACKNOWLEDGEMENT: usize = 64 * 1024;

/// One session with an HTTP+SSE target.
#[derive(Clone)]
pub(crate) struct Sse {
    common: Arc<Common>,
    http: Arc<Http>,
    endpoint: Address,
    calls: Arc<Calls>,
    /// Started when the stream is.
    replies: Arc<OnceLock<Replies>>,
}

/// The GET stream.
struct Stream {
    peer: Arc<str>,
    body: HttpBody,
    decoder: Decoder,
}

impl Sse {
    /// Opens the stream and waits for the address to POST to.
    pub(crate) async fn open(
        common: Arc<Common>,
        dial: &Dial,
        url: &Uri,
    ) -> Result<Self, UpstreamError> {
        let http = Arc::new(Http::new(common.clone(), dial.http.clone()));
        let address = Address::of(url)?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, EVENTS);
        let none = HeaderMap::new();
        let answer = http.send(Method::GET, &address, none, headers, Bytes::new()).await?;
        if !answer.head.status.is_success() {
            return match http.refusal(answer, Session::None, None).await {
                Refusal::Error(error) => Err(error),
                Refusal::Answer(_) | Refusal::SessionGone => {
                    Err(UpstreamError::Closed { peer: common.peer.clone() })
                }
            };
        }
        if !is_event_stream(answer.head.headers.get(CONTENT_TYPE)) {
            return Err(UpstreamError::invalid(&common.peer, "its GET is not an event stream"));
        }
        let _ = http.pinned.set(answer.socket);
        let mut stream = Stream {
            peer: common.peer.clone(),
            body: answer.body,
            decoder: Decoder::new(common.limits.sse_event),
        };
        let endpoint = address.join(&stream.endpoint().await?)?;
        let calls = Calls::new(common.peer.clone(), common.limits.sse_event);
        let sse = Self { common, http, endpoint, calls, replies: Arc::default() };
        sse.common.tasks.spawn("upstream SSE stream", sse.clone().read(stream));
        Ok(sse)
    }

    pub(crate) fn is_open(&self) -> bool {
        self.calls.is_open()
    }

    pub(crate) async fn request(&self, request: Outgoing) -> Result<Answer, UpstreamError> {
        let arrivals = self.calls.begin(request.nonce)?;
        match self.post(request.headers, request.body, Some(request.nonce)).await? {
            Posted::Accepted => Answer::first_of(arrivals).await,
            Posted::Answered(document) => Ok(Answer::Body(AnswerBody::whole(document))),
        }
    }

    pub(crate) async fn notify(&self, body: Bytes) -> Result<(), UpstreamError> {
        if !self.is_open() {
            return Err(UpstreamError::Closed { peer: self.common.peer.clone() });
        }
        self.post(HeaderMap::new(), body, None).await.map(drop)
    }

    /// There is nothing to delete: the stream is the session, and it ends with the connection's scope,
    /// once the target has the answers to what it asked.
    pub(crate) async fn close(&self) {
        if let Some(replies) = self.replies.get().filter(|_| self.is_open()) {
            replies.settled().await;
        }
        self.calls.end(&UpstreamError::cut(&self.common.peer, "its session was closed"));
    }

    async fn post(
        &self,
        forwarded: HeaderMap,
        body: Bytes,
        nonce: Option<Nonce>,
    ) -> Result<Posted, UpstreamError> {
        let none = HeaderMap::new();
        let sent = self.http.send(Method::POST, &self.endpoint, forwarded, none, body).await;
        let mut answer = sent?;
        if answer.head.status.is_success() {
            // What it says is on the stream; this is read so that the connection is free again.
            let _ = answer.body.collect(ACKNOWLEDGEMENT).await;
            return Ok(Posted::Accepted);
        }
        match self.http.refusal(answer, Session::Given, nonce).await {
            Refusal::Answer(document) => Ok(Posted::Answered(document)),
            Refusal::Error(error) => Err(error),
            Refusal::SessionGone => {
                let error = UpstreamError::SessionGone { peer: self.common.peer.clone() };
                self.ended(&error);
                Err(error)
            }
        }
    }

    /// The way back for what the target asks.
    pub(crate) fn replies(&self) -> &Replies {
        self.replies.get_or_init(|| {
            let posts = Self { replies: Arc::default(), ..self.clone() };
            Replies::start(&self.common, move |reply| {
                let posts = posts.clone();
                async move { posts.notify(reply).await }
            })
        })
    }

    async fn read(self, stream: Stream) {
        let mut stream = stream;
        let closed = UpstreamError::cut(&self.common.peer, "its session was closed");
        // Also when this task is dropped: nobody must wait for what cannot come.
        let _end = EndOnDrop(self.calls.clone(), closed);
        let replies = self.replies().clone();
        loop {
            match stream.next().await {
                Ok(event) => {
                    let is_message = event.event.is_none_or(|name| &name[..] == b"message");
                    if is_message && !event.data.is_empty() {
                        let own = sort_shared(&self.common, &self.calls, &event.data, &replies);
                        replies.send(own);
                    }
                }
                Err(error) => return self.ended(&error),
            }
        }
    }

    fn ended(&self, error: &UpstreamError) {
        self.calls.end(error);
        self.replies().end();
        self.common.inbox.closed(error.clone());
    }
}

enum Posted {
    Accepted,
    /// Against the rules, but it happens: the answer came with the POST.
    Answered(Bytes),
}

struct EndOnDrop(Arc<Calls>, UpstreamError);

impl Drop for EndOnDrop {
    fn drop(&mut self) {
        self.0.end(&self.1);
    }
}

impl Stream {
    async fn endpoint(&mut self) -> Result<String, UpstreamError> {
        loop {
            let event = self.next().await?;
            if event.event.is_some_and(|name| &name[..] == b"endpoint") {
                let text = std::str::from_utf8(&event.data);
                let what = "its endpoint is not text";
                return text
                    .map(str::to_owned)
                    .map_err(|_| UpstreamError::invalid(&self.peer, what));
            }
        }
    }

    async fn next(&mut self) -> Result<Event, UpstreamError> {
        loop {
            let event = self.decoder.next_event();
            let event = event.map_err(|error| too_long(&self.peer, &error))?;
            if let Some(event) = event {
                return Ok(event);
            }
            match self.body.next().await {
                Some(Ok(chunk)) => self.decoder.push(chunk),
                Some(Err(error)) => return Err(error),
                None => return Err(UpstreamError::cut(&self.peer, "it ended its event stream")),
            }
        }
    }
}

#[cfg(test)]
mod tests;
