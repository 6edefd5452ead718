//! A client that hides nothing: one HTTP connection, bodies and answers as bytes, a session id that never changes by
//! itself.

mod events;

use anyhow::Context;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::record::within;
pub use crate::wire::events::{Event, EventStream};

/// A client on one connection, which is opened anew when the gateway closed it.
pub struct Wire {
    uri: Uri,
    /// The session to speak in.
    pub session: Option<String>,
    connection: Option<SendRequest<Full<Bytes>>>,
    next_id: u64,
}

/// An answer, whole.
#[derive(Debug, Clone)]
pub struct WireAnswer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as it came.
    pub body: Bytes,
}

/// An answer whose body is still coming.
pub struct Reading {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    body: Incoming,
}

impl Wire {
    /// A client of `url` without a session; nothing is sent yet.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let uri = url.parse().with_context(|| format!("`{url}` is not a URL"))?;
        Ok(Self { uri, session: None, connection: None, next_id: 1 })
    }

    /// A client of `url` with a session of its own, in the given revision and without capabilities.
    pub async fn open(url: &str, revision: &str) -> anyhow::Result<Self> {
        Self::open_with(url, revision, json!({})).await
    }

    /// A client of `url` with a session of its own and the given capabilities.
    pub async fn open_with(url: &str, revision: &str, capabilities: Value) -> anyhow::Result<Self> {
        let mut wire = Self::new(url)?;
        let hello = json!({
            "jsonrpc": "2.0", "id": 0, "method": "initialize",
            "params": {
                "protocolVersion": revision, "capabilities": capabilities,
                "clientInfo": { "name": "testkit", "version": "1" },
            },
        });
        let answer = wire.post(hello.to_string()).await?;
        anyhow::ensure!(answer.status.is_success(), "initialize: {answer:?}");
        wire.session = answer
            .headers
            .get("mcp-session-id")
            .map(|id| id.to_str().map(str::to_owned))
            .transpose()
            .context("a session id that is not text")?;
        let told = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let answer = wire.post(told.to_string()).await?;
        anyhow::ensure!(answer.status == StatusCode::ACCEPTED, "initialized: {answer:?}");
        Ok(wire)
    }

    /// Posts a body as it is and awaits the whole answer.
    pub async fn post(&mut self, body: impl Into<Bytes>) -> anyhow::Result<WireAnswer> {
        let reading = self.post_and_read(body).await?;
        reading.whole().await
    }

    /// Posts a body as it is and awaits the head of the answer.
    pub async fn post_and_read(&mut self, body: impl Into<Bytes>) -> anyhow::Result<Reading> {
        self.send(Method::POST, body.into(), &[]).await
    }

    /// Posts a body with headers that replace the usual ones, and awaits the whole answer.
    pub async fn post_with(
        &mut self,
        body: impl Into<Bytes>,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<WireAnswer> {
        self.send(Method::POST, body.into(), headers).await?.whole().await
    }

    /// Another connection of the same session.
    pub fn beside(&self) -> Self {
        let (uri, session) = (self.uri.clone(), self.session.clone());
        Self { uri, session, connection: None, next_id: 1_000 }
    }

    /// The path of its URL.
    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }

    /// The query of its URL, if it has one.
    pub(crate) fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// A client of another path of the same host, in no session.
    pub(crate) fn at(&self, path: &str) -> anyhow::Result<Self> {
        let host = self.uri.authority().context("a URL without a host")?;
        Self::new(&format!("http://{host}{path}"))
    }

    /// Posts what is no request, which is taken.
    pub async fn tell(&mut self, body: impl Into<Bytes>) -> anyhow::Result<()> {
        let answer = self.post(body).await?;
        anyhow::ensure!(answer.status == StatusCode::ACCEPTED, "not taken: {answer:?}");
        Ok(())
    }

    /// Opens the GET stream and reads it event by event.
    pub async fn listen(&mut self) -> anyhow::Result<EventStream> {
        self.get().await?.events()
    }

    /// Asks by GET for what came after the event `last`.
    pub async fn get_after(&mut self, last: &str) -> anyhow::Result<Reading> {
        self.get_with(&[("last-event-id", last)]).await
    }

    /// A GET with headers that replace the usual ones.
    pub async fn get_with(&mut self, headers: &[(&str, &str)]) -> anyhow::Result<Reading> {
        self.send(Method::GET, Bytes::new(), headers).await
    }

    /// Opens the GET stream.
    pub async fn get(&mut self) -> anyhow::Result<Reading> {
        self.get_with(&[]).await
    }

    /// Ends the session.
    pub async fn delete(&mut self) -> anyhow::Result<WireAnswer> {
        self.send(Method::DELETE, Bytes::new(), &[]).await?.whole().await
    }

    /// Asks for something and gives the response message: a result or an error.
    pub async fn request(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        let id = self.next_id;
        self.next_id += 1;
        let body = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        let answer = self.post(body.to_string()).await?;
        let messages = answer.messages()?;
        messages
            .into_iter()
            .find(|message| message.get("id") == Some(&json!(id)))
            .with_context(|| format!("no answer to `{method}` in {answer:?}"))
    }

    /// Calls a tool and gives the response message.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> anyhow::Result<Value> {
        self.request("tools/call", json!({ "name": tool, "arguments": arguments })).await
    }

    /// The result of `tools/list`.
    pub async fn tool_list(&mut self) -> anyhow::Result<Value> {
        let answer = self.request("tools/list", json!({})).await?;
        answer.get("result").cloned().with_context(|| format!("no tools: {answer}"))
    }

    /// The names of the tools that are listed.
    pub async fn tools(&mut self) -> anyhow::Result<Vec<String>> {
        let result = self.tool_list().await?;
        let tools = result.get("tools").and_then(Value::as_array).context("no array of tools")?;
        let names = tools.iter().filter_map(|tool| tool.get("name")?.as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// Sends a request with headers that replace the usual ones, and awaits the head of the answer.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        body: Bytes,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Reading> {
        let mut request = self.request_of(method, body)?;
        for (name, value) in headers {
            let name: HeaderName = name.parse().context("not a header name")?;
            request.headers_mut().insert(name, value.parse().context("not a header value")?);
        }
        let mut sender = self.connected().await?;
        let response = within("the head of an answer", sender.send_request(request))
            .await?
            .context("no answer")?;
        self.connection = Some(sender);
        Ok(Reading::of(response))
    }

    fn request_of(&self, method: Method, body: Bytes) -> anyhow::Result<Request<Full<Bytes>>> {
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let host = self.uri.authority().context("a URL without a host")?;
        let mut request = Request::builder()
            .method(&method)
            .uri(path)
            .header(HOST, host.as_str())
            .header(ACCEPT, "application/json, text/event-stream");
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        request.body(Full::new(body)).context("not a request")
    }

    async fn connected(&mut self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        if let Some(mut sender) = self.connection.take()
            && !sender.is_closed()
            && within("a connection to be free", sender.ready()).await?.is_ok()
        {
            return Ok(sender);
        }
        let address = self.uri.authority().context("a URL without a host")?.as_str();
        let stream = within("a connection", TcpStream::connect(address))
            .await?
            .with_context(|| format!("cannot connect to {address}"))?;
        stream.set_nodelay(true).context("cannot set TCP_NODELAY")?;
        let (sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.context("no HTTP/1.1")?;
        tokio::spawn(connection);
        Ok(sender)
    }
}

impl WireAnswer {
    /// The messages in it: of a JSON body or of an event stream, those of a batch one by one.
    pub fn messages(&self) -> anyhow::Result<Vec<Value>> {
        let text = std::str::from_utf8(&self.body).context("an answer that is not UTF-8")?;
        let bodies: Vec<&str> = if self.is_event_stream() {
            let data = text.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim);
            data.filter(|data| !data.is_empty()).collect()
        } else {
            vec![text]
        };
        let mut messages = Vec::new();
        for body in bodies {
            let value = serde_json::from_str(body)
                .with_context(|| format!("status {}, not JSON: {body}", self.status))?;
            match value {
                Value::Array(batch) => messages.extend(batch),
                message => messages.push(message),
            }
        }
        Ok(messages)
    }

    /// Whether it is an event stream.
    pub fn is_event_stream(&self) -> bool {
        is_event_stream(&self.headers)
    }
}

impl Reading {
    fn of(response: http::Response<Incoming>) -> Self {
        let (head, body) = response.into_parts();
        Self { status: head.status, headers: head.headers, body }
    }

    /// Whether it is an event stream.
    pub fn is_event_stream(&self) -> bool {
        is_event_stream(&self.headers)
    }

    /// Reads it event by event; fails where it is no stream.
    pub fn events(self) -> anyhow::Result<EventStream> {
        anyhow::ensure!(
            self.is_event_stream(),
            "no event stream: {} {:?}",
            self.status,
            self.headers
        );
        Ok(EventStream::of(self.body))
    }

    /// Awaits the rest.
    pub async fn whole(self) -> anyhow::Result<WireAnswer> {
        let body = within("the end of an answer", self.body.collect())
            .await?
            .context("the answer was cut")?
            .to_bytes();
        Ok(WireAnswer { status: self.status, headers: self.headers, body })
    }

    /// Awaits the bytes up to and with the first place of `text`.
    pub async fn up_to(&mut self, text: &str) -> anyhow::Result<String> {
        let mut seen = Vec::new();
        let what = format!("`{text}` in an answer");
        let read = async {
            while let Some(frame) = self.body.frame().await {
                if let Ok(bytes) = frame.context("the answer was cut")?.into_data() {
                    seen.extend_from_slice(&bytes);
                }
                if String::from_utf8_lossy(&seen).contains(text) {
                    return Ok(());
                }
            }
            anyhow::bail!("the answer ended first")
        };
        let outcome = within(&what, read).await;
        let seen = String::from_utf8_lossy(&seen).into_owned();
        match outcome {
            Ok(Ok(())) => Ok(seen),
            Ok(Err(error)) | Err(error) => Err(error.context(format!("{what}, after: {seen}"))),
        }
    }
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    content_type.is_some_and(|value| value.starts_with(b"text/event-stream"))
}
