//! A proxy between a client that knows one server by its own names and URIs and a federation that has them in front of
//! which it is asked for: to such a client the one target looks as if it were alone.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use bytes::Bytes;
use futures_util::stream::{self, Stream};
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::client;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

/// What to stand between.
#[derive(Debug, Clone)]
pub struct Shim {
    /// The target that the client knows.
    pub target: String,
    /// The URL of the federation.
    pub gateway: String,
    /// What every session that is opened through it asks besides; the answers are read to their end, and dropped.
    pub beside: Option<String>,
}

type Body = UnsyncBoxBody<Bytes, hyper::Error>;

impl Shim {
    /// Listens on a port of its own; gives the URL to use instead of the gateway's.
    pub async fn start(self) -> anyhow::Result<String> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a shim")?;
        let address = listener.local_addr().context("a shim without an address")?;
        let gateway: Uri = self.gateway.parse().context("not a URL")?;
        let url = format!("http://{address}{}", gateway.path());
        let shim = Arc::new(self);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shim = shim.clone();
                let answer = service_fn(move |request| {
                    let shim = shim.clone();
                    async move { Ok::<_, Infallible>(shim.answer(request).await) }
                });
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), answer);
                // A client that leaves in the middle is no error here.
                tokio::spawn(connection);
            }
        });
        Ok(url)
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        self.forward(request).await.unwrap_or_else(|error| {
            let text = Full::new(Bytes::from(format!("{error:#}")));
            let mut response = Response::new(text.map_err(|never| match never {}).boxed_unsync());
            *response.status_mut() = StatusCode::BAD_GATEWAY;
            response
        })
    }

    async fn forward(&self, request: Request<Incoming>) -> anyhow::Result<Response<Body>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.context("the client left")?.to_bytes();
        let message: Value = serde_json::from_slice(&body).unwrap_or_default();
        let is_open = message.get("method") == Some(&"notifications/initialized".into());
        let body = self.mapped(&body, Self::ask);
        let response = self.send(head.method, head.headers.clone(), body).await?;
        if let Some(beside) = self.beside.clone().filter(|_| is_open) {
            let (shim, headers) = (self.clone(), head.headers);
            tokio::spawn(async move {
                // It ends with the session, and nobody asks how.
                if let Ok(response) = shim.send(Method::POST, headers, beside.into()).await {
                    let _ = response.into_body().collect().await;
                }
            });
        }
        self.answered(response).await
    }

    /// Sends it on with the headers as they came, on a connection of its own.
    async fn send(
        &self,
        method: Method,
        mut headers: HeaderMap,
        body: Bytes,
    ) -> anyhow::Result<Response<Incoming>> {
        let gateway: Uri = self.gateway.parse().context("not a URL")?;
        let address = gateway.authority().context("a URL without a host")?.as_str();
        let stream = TcpStream::connect(address).await.context("the gateway is gone")?;
        stream.set_nodelay(true).context("cannot set TCP_NODELAY")?;
        let (mut sender, connection) =
            client::conn::http1::handshake(TokioIo::new(stream)).await.context("no HTTP/1.1")?;
        tokio::spawn(connection);
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            headers.remove(name);
        }
        // It names another port, which is the client's affair; a foreign name must arrive as it is.
        headers.entry(HOST).or_insert(address.parse().context("not a host")?);
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = gateway.path().parse().context("not a path")?;
        *request.headers_mut() = headers;
        sender.send_request(request).await.context("no answer")
    }

    async fn answered(&self, response: Response<Incoming>) -> anyhow::Result<Response<Body>> {
        let (mut head, body) = response.into_parts();
        for name in [CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING] {
            head.headers.remove(name);
        }
        let content_type = head.headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
        let body = if content_type.is_some_and(|value| value.starts_with(b"text/event-stream")) {
            StreamBody::new(self.clone().events(body)).boxed_unsync()
        } else {
            let whole = body.collect().await.context("the answer was cut")?.to_bytes();
            let whole = self.mapped(&whole, Self::told);
            Full::new(whole).map_err(|never| match never {}).boxed_unsync()
        };
        Ok(Response::from_parts(head, body))
    }

    /// Event by event, each as soon as it has come.
    fn events(self, body: Incoming) -> impl Stream<Item = Result<Frame<Bytes>, hyper::Error>> {
        stream::unfold((self, body, Vec::new()), |(shim, mut body, mut text)| async move {
            loop {
                if let Some(end) = text.windows(2).position(|pair| pair == b"\n\n") {
                    let event: Vec<u8> = text.drain(..end + 2).collect();
                    let event = Frame::data(shim.event(&event));
                    return Some((Ok(event), (shim, body, text)));
                }
                match body.frame().await {
                    Some(Ok(frame)) => text.extend(frame.into_data().unwrap_or_default()),
                    Some(Err(error)) => return Some((Err(error), (shim, body, text))),
                    None => return None,
                }
            }
        })
    }

    fn event(&self, event: &[u8]) -> Bytes {
        let mut mapped = Vec::new();
        for line in event.split_inclusive(|byte| *byte == b'\n') {
            match line.strip_prefix(b"data: ") {
                Some(data) => {
                    mapped.extend_from_slice(b"data: ");
                    mapped.extend_from_slice(&self.mapped(data.trim_ascii_end(), Self::told));
                    mapped.push(b'\n');
                }
                None => mapped.extend_from_slice(line),
            }
        }
        mapped.into()
    }

    /// One message, or a batch of them; what is none stays as it is.
    fn mapped(&self, bytes: &[u8], map: fn(&Self, &mut Value)) -> Bytes {
        let Ok(mut value) = serde_json::from_slice(bytes) else {
            return Bytes::copy_from_slice(bytes);
        };
        match &mut value {
            Value::Array(messages) => messages.iter_mut().for_each(|message| map(self, message)),
            message => map(self, message),
        }
        value.to_string().into()
    }

    /// A message of the client: the name or the URI that it is about.
    fn ask(&self, message: &mut Value) {
        let fields = match message.get("method").and_then(Value::as_str).unwrap_or_default() {
            "tools/call" | "prompts/get" => [("/params/name", '_')].as_slice(),
            "resources/read" | "resources/subscribe" | "resources/unsubscribe" => {
                &[("/params/uri", '+')]
            }
            "completion/complete" => &[("/params/ref/name", '_'), ("/params/ref/uri", '+')],
            _ => &[],
        };
        for (pointer, separator) in fields {
            if let Some(Value::String(text)) = message.pointer_mut(pointer) {
                *text = format!("{}{separator}{text}", self.target);
            }
        }
    }

    /// A message of the gateway: the names in a list, and every URI. What the other targets offer stays as it is.
    fn told(&self, message: &mut Value) {
        let prefix = format!("{}_", self.target);
        for list in ["/result/tools", "/result/prompts"] {
            for item in
                message.pointer_mut(list).and_then(Value::as_array_mut).into_iter().flatten()
            {
                if let Some(Value::String(name)) = item.get_mut("name") {
                    strip(name, &prefix);
                }
            }
        }
        self.uris(message);
    }

    fn uris(&self, value: &mut Value) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| self.uris(value)),
            Value::Object(members) => {
                for (key, value) in members {
                    match (key.as_str(), value) {
                        ("uri" | "uriTemplate", Value::String(uri)) => {
                            strip(uri, &format!("{}+", self.target));
                        }
                        (_, value) => self.uris(value),
                    }
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

fn strip(text: &mut String, prefix: &str) {
    if let Some(native) = text.strip_prefix(prefix) {
        *text = native.to_owned();
    }
}
