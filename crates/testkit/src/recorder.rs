//! A recording reverse proxy between a client and a server: every request and answer goes on as it comes, and is kept.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Context;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};

use crate::record::Record;

/// A listener that forwards each request to one port of 127.0.0.1, on a connection of its own.
pub struct Recorder {
    /// The port to connect to instead of the server's.
    pub port: u16,
    /// What was asked and answered, in the order in which it was asked.
    pub exchanges: Record<Exchange>,
}

/// A request and what came of it so far.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// How it was asked.
    pub method: Method,
    /// What was asked for: the path and the query.
    pub target: String,
    /// The headers of the request.
    pub headers: HeaderMap,
    /// The body of the request.
    pub body: Bytes,
    /// The answer, once its head is there.
    pub answer: Option<Answer>,
}

/// An answer, as far as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body so far.
    pub body: Vec<u8>,
    /// Whether nothing more will come: it is whole, or whoever read it has left.
    pub is_over: bool,
}

impl Recorder {
    /// Listens, and forwards every request to `port`.
    pub async fn to(port: u16) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a recorder")?;
        let address = listener.local_addr().context("a recorder without an address")?;
        let exchanges = Record::default();
        tokio::spawn(accept(listener, port, exchanges.clone()));
        Ok(Self { port: address.port(), exchanges })
    }

    /// Awaits an exchange of which `is_it` is true.
    pub async fn sees(
        &self,
        what: &str,
        is_it: impl Fn(&Exchange) -> bool,
    ) -> anyhow::Result<Exchange> {
        self.exchanges.first(what, is_it).await
    }
}

impl Exchange {
    /// The message that was posted; null where there is none.
    pub fn message(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The method of the message that was posted, where it is a request or a notification.
    pub fn asks(&self) -> Option<String> {
        Some(self.message().get("method")?.as_str()?.to_owned())
    }

    /// Whether this is a GET whose stream is open.
    pub fn listens(&self) -> bool {
        self.method == Method::GET
            && self.answer.as_ref().is_some_and(|answer| answer.status.is_success())
    }

    /// Whether it was answered, and nothing more will come.
    pub fn is_over(&self) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.is_over)
    }

    /// How many messages of `method` came in the answer so far.
    pub fn brought(&self, method: &str) -> usize {
        let answer = self.answer.as_ref().map(|answer| String::from_utf8_lossy(&answer.body));
        let compact: String = answer.unwrap_or_default().split_ascii_whitespace().collect();
        compact.matches(&format!("\"method\":\"{method}\"")).count()
    }
}

async fn accept(listener: TcpListener, port: u16, exchanges: Record<Exchange>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Slower at worst.
        let _ = stream.set_nodelay(true);
        let exchanges = exchanges.clone();
        let service = service_fn(move |request| forward(request, port, exchanges.clone()));
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

type Body = BoxBody<Bytes, hyper::Error>;

async fn forward(
    request: Request<Incoming>,
    port: u16,
    exchanges: Record<Exchange>,
) -> anyhow::Result<Response<Body>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.context("the request was cut")?.to_bytes();
    let mut number = 0;
    exchanges.change(|exchanges| {
        number = exchanges.len();
        exchanges.push(Exchange {
            method: head.method.clone(),
            target: head.uri.path_and_query().map(PathAndQuery::to_string).unwrap_or_default(),
            headers: head.headers.clone(),
            body: body.clone(),
            answer: None,
        });
    });
    let server = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let Ok(stream) = TcpStream::connect(server).await else {
        let nothing = Empty::new().map_err(|never| match never {}).boxed();
        let mut answer = Response::new(nothing);
        *answer.status_mut() = StatusCode::BAD_GATEWAY;
        return Ok(answer);
    };
    stream.set_nodelay(true).context("cannot set TCP_NODELAY")?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    let answer = sender.send_request(Request::from_parts(head, Full::new(body))).await?;
    let (head, body) = answer.into_parts();
    exchanges.change(|exchanges| {
        if let Some(exchange) = exchanges.get_mut(number) {
            let (status, headers) = (head.status, head.headers.clone());
            exchange.answer = Some(Answer { status, headers, body: Vec::new(), is_over: false });
        }
    });
    let answering = Answering { exchanges, number };
    let body = body.map_frame(move |frame| {
        if let Some(bytes) = frame.data_ref() {
            answering.change(|answer| answer.body.extend_from_slice(bytes));
        }
        frame
    });
    Ok(Response::from_parts(head, body.boxed()))
}

/// The answer of one exchange, until its body ends or nobody reads it any more.
struct Answering {
    exchanges: Record<Exchange>,
    number: usize,
}

impl Answering {
    fn change(&self, change: impl FnOnce(&mut Answer)) {
        self.exchanges.change(|exchanges| {
            let exchange = exchanges.get_mut(self.number);
            if let Some(answer) = exchange.and_then(|exchange| exchange.answer.as_mut()) {
                change(answer);
            }
        });
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.change(|answer| answer.is_over = true);
    }
}
