//! Streamable HTTP of one server: which requests are let in, and what becomes of their messages.

mod guard;

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Either, Full, Limited};
use hyper::body::Incoming;
use mcp::headers::{MCP_PROTOCOL_VERSION, MCP_SESSION_ID};
use mcp::{Accept, ErrorCode, Id, Kind, Message, MessageError, Revision};
use serde_json::{Value, json};

use crate::events::Events;
use crate::service::{Asker, Failure, Service};
use crate::session::StreamRefused;

/// How long a request's body may be, in bytes.
const MAX_BODY: usize = 1 << 20;
/// How many messages a batch may have.
const MAX_BATCH: usize = 64;
/// How long a client may take to send a body.
const BODY_DEADLINE: Duration = Duration::from_secs(30);

pub(crate) type Answer = Response<Either<Full<Bytes>, Events>>;

/// One server, behind HTTP.
pub(crate) struct Endpoint<S> {
    service: S,
}

/// What the headers of a request say.
struct Head {
    session: Option<String>,
    revision: Revision,
    accept: Accept,
}

impl<S: Service> Endpoint<S> {
    pub(crate) fn new(service: S) -> Self {
        Self { service }
    }

    /// Answers one HTTP request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Answer {
        if let Err(status) = guard::check(request.headers()) {
            return plain(status);
        }
        if request.uri().path() != "/mcp" {
            return plain(StatusCode::NOT_FOUND);
        }
        match (request.method(), self.service.sessions().is_some()) {
            (&Method::POST, _) => self.post(request).await.unwrap_or_else(|refusal| *refusal),
            (&Method::GET, true) => self.stream(request.headers()),
            (&Method::DELETE, true) => self.close(request.headers()),
            (_, with_sessions) => {
                let mut answer = plain(StatusCode::METHOD_NOT_ALLOWED);
                let methods = if with_sessions { "GET, POST, DELETE" } else { "POST" };
                answer.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
                answer
            }
        }
    }

    async fn post(&self, request: Request<Incoming>) -> Result<Answer, Box<Answer>> {
        let (parts, body) = request.into_parts();
        if !mcp::headers::is_json(parts.headers.get(CONTENT_TYPE)) {
            return Err(Box::new(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE)));
        }
        let collecting = Limited::new(body, MAX_BODY).collect();
        let body = match tokio::time::timeout(BODY_DEADLINE, collecting).await {
            Ok(Ok(body)) => body.to_bytes(),
            Ok(Err(_)) => return Err(Box::new(plain(StatusCode::PAYLOAD_TOO_LARGE))),
            Err(_) => return Err(Box::new(plain(StatusCode::REQUEST_TIMEOUT))),
        };
        if mcp::is_batch(&body) {
            return self.batch(&parts.headers, &body);
        }
        let message = Message::parse(body).map_err(|error| malformed(&error))?;
        let is_request = message.kind() == Kind::Request;
        if is_request && message.routed().envelope_version.is_some() {
            let response = rendered(message.id(), Err(Failure::unknown_method(&message)));
            return Ok(json_answer(StatusCode::BAD_REQUEST, response));
        }
        if is_request && message.method() == Some(mcp::Method::Initialize) {
            return Ok(self.initialize(&Accept::of(&parts.headers), &message));
        }
        let head = self.head(&parts.headers, message.id())?;
        Ok(match self.response(&head, &message) {
            Some(response) => document(StatusCode::OK, &head.accept, response),
            None => plain(StatusCode::ACCEPTED),
        })
    }

    /// Several messages in one array (2025-03-26 only).
    fn batch(&self, headers: &HeaderMap, body: &Bytes) -> Result<Answer, Box<Answer>> {
        let head = self.head(headers, None)?;
        if !head.revision.allows_batches() {
            let response = mcp::error_response(
                None,
                ErrorCode::InvalidRequest,
                "this revision has no batches",
                None,
            );
            return Err(Box::new(json_answer(StatusCode::BAD_REQUEST, response)));
        }
        let elements = mcp::split_batch(body, MAX_BATCH).map_err(|error| malformed(&error))?;
        let mut responses = Vec::new();
        for element in elements {
            match Message::parse(element) {
                Ok(message) => responses.extend(self.response(&head, &message)),
                Err(error) => responses.push(refusal(&error)),
            }
        }
        if responses.is_empty() {
            return Ok(plain(StatusCode::ACCEPTED));
        }
        let array = [&b"["[..], &responses.join(&b","[..]), b"]"].concat();
        Ok(document(StatusCode::OK, &head.accept, Bytes::from(array)))
    }

    fn initialize(&self, accept: &Accept, request: &Message) -> Answer {
        let asked = request.routed().protocol_version.as_ref();
        let revision = asked.map(|asked| Revision::negotiate(asked.as_str()));
        let result = match revision {
            None => Err(Failure::invalid_params("`protocolVersion` is missing")),
            Some(revision) => Ok(self.hello(revision)),
        };
        let opened = result.is_ok();
        let mut answer = document(StatusCode::OK, accept, rendered(request.id(), result));
        if let (true, Some(sessions), Some(revision)) = (opened, self.service.sessions(), revision)
            && let Ok(id) = HeaderValue::from_str(&sessions.open(revision))
        {
            answer.headers_mut().insert(MCP_SESSION_ID, id);
        }
        answer
    }

    fn hello(&self, revision: Revision) -> Value {
        let hello = self.service.hello();
        json!({
            "protocolVersion": revision.as_str(),
            "capabilities": hello.capabilities,
            "serverInfo": {
                "name": hello.name,
                "title": hello.title,
                "version": env!("CARGO_PKG_VERSION"),
            },
            "instructions": hello.instructions,
        })
    }

    /// The response to a message; `None` if it is no request.
    fn response(&self, head: &Head, message: &Message) -> Option<Bytes> {
        if message.kind() != Kind::Request {
            return None;
        }
        let result = match message.method() {
            Some(mcp::Method::Ping) => Ok(json!({})),
            Some(mcp::Method::Initialize) => Err(Failure {
                code: ErrorCode::InvalidRequest,
                message: "`initialize` may not be part of a batch".to_owned(),
            }),
            _ => {
                let asker = Asker { revision: head.revision, session: head.session.as_deref() };
                self.service.answer(&asker, message)
            }
        };
        Some(rendered(message.id(), result))
    }

    /// What the headers of a POST say; `id` goes into a refusal.
    fn head(&self, headers: &HeaderMap, id: Option<&Id>) -> Result<Head, Box<Answer>> {
        let refuse = |status, message: &str| {
            let response = mcp::error_response(id, ErrorCode::InvalidRequest, message, None);
            Box::new(json_answer(status, response))
        };
        let revision = match headers.get(MCP_PROTOCOL_VERSION) {
            None => None,
            Some(value) => {
                Some(value.to_str().ok().and_then(Revision::parse).ok_or_else(|| {
                    refuse(StatusCode::BAD_REQUEST, "unsupported MCP-Protocol-Version")
                })?)
            }
        };
        let mut head = Head {
            session: None,
            revision: revision.unwrap_or(Revision::ASSUMED),
            accept: Accept::of(headers),
        };
        if let Some(sessions) = self.service.sessions() {
            let session = session_id(headers)
                .ok_or_else(|| refuse(StatusCode::BAD_REQUEST, "Mcp-Session-Id is missing"))?;
            head.revision = sessions
                .revision(session)
                .ok_or_else(|| refuse(StatusCode::NOT_FOUND, "there is no such session"))?;
            head.session = Some(session.to_owned());
        }
        Ok(head)
    }

    /// The standalone stream of a session.
    fn stream(&self, headers: &HeaderMap) -> Answer {
        let Some(sessions) = self.service.sessions() else {
            return plain(StatusCode::METHOD_NOT_ALLOWED);
        };
        if !Accept::of(headers).event_stream {
            return plain(StatusCode::NOT_ACCEPTABLE);
        }
        let Some(session) = session_id(headers) else { return plain(StatusCode::BAD_REQUEST) };
        match sessions.stream(session) {
            Ok(events) => {
                let mut answer = Response::new(Either::Right(Events(events)));
                let kind = HeaderValue::from_static("text/event-stream");
                answer.headers_mut().insert(CONTENT_TYPE, kind);
                answer
            }
            Err(StreamRefused::Unknown) => plain(StatusCode::NOT_FOUND),
            Err(StreamRefused::Open) => plain(StatusCode::CONFLICT),
        }
    }

    fn close(&self, headers: &HeaderMap) -> Answer {
        let Some(session) = session_id(headers) else { return plain(StatusCode::BAD_REQUEST) };
        let closed = self.service.sessions().is_some_and(|sessions| sessions.close(session));
        plain(if closed { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND })
    }
}

fn session_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(MCP_SESSION_ID)?.to_str().ok()
}

fn rendered(id: Option<&Id>, result: Result<Value, Failure>) -> Bytes {
    match (id, result) {
        (Some(id), Ok(result)) => mcp::result_response(id, result.to_string().as_bytes()),
        (_, Ok(_)) => Bytes::new(),
        (id, Err(failure)) => mcp::error_response(id, failure.code, &failure.message, None),
    }
}

fn refusal(error: &MessageError) -> Bytes {
    mcp::error_response(error.id(), error.code(), &error.to_string(), None)
}

fn malformed(error: &MessageError) -> Box<Answer> {
    Box::new(json_answer(StatusCode::BAD_REQUEST, refusal(error)))
}

/// A JSON document, as one event where the client takes nothing else.
fn document(status: StatusCode, accept: &Accept, document: Bytes) -> Answer {
    if accept.json || !accept.event_stream {
        return json_answer(status, document);
    }
    with_type(status, "text/event-stream", mcp::encode_event(Some("message"), None, &document))
}

fn json_answer(status: StatusCode, document: Bytes) -> Answer {
    with_type(status, "application/json", document)
}

fn with_type(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Either::Left(Full::new(body)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}

fn plain(status: StatusCode) -> Answer {
    let mut answer = Response::new(Either::Left(Full::default()));
    *answer.status_mut() = status;
    answer
}
