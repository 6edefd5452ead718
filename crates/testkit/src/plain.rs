//! An ordinary HTTP server and a client of ordinary HTTP servers: what a gateway passes on between them
//! is seen on both sides.

use std::convert::Infallible;
use std::future::Future;
use std::net::Ipv4Addr;

use anyhow::Context;
use bytes::Bytes;
use http::header::{CONNECTION, UPGRADE};
use http::{Request, Response, StatusCode, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncRead, AsyncWrite, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::record::{Record, within};
use crate::tls::Authority;

/// A body of whatever kind.
type Body = BoxBody<Bytes, hyper::Error>;

/// A running HTTP server. What it does is said by the last element of the path:
///
/// - `mirror` sends the body back as it comes, trailers included;
/// - `silent` never answers;
/// - `stall` answers with a head and the first bytes of a body, and never goes on;
/// - `cut` closes the connection without an answer;
/// - `upgrade` agrees to what it is asked to become, and then sends back what it hears;
/// - everything else answers with a JSON object of what was asked, with `server: plain` as a header.
pub struct Plain {
    /// Its name, which it says in its answers.
    pub name: String,
    /// Where it listens.
    pub port: u16,
    /// What it was asked.
    pub asked: Record<Asked>,
}

/// The head of a request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Method and target.
    pub line: String,
    /// The protocol.
    pub version: Version,
    /// Headers by name, values of one name in one line.
    pub headers: Map<String, Value>,
}

impl Plain {
    /// Listens on a port of its own, for HTTP/1.1 and for HTTP/2 with prior knowledge.
    pub async fn start(name: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let asked = Record::default();
        tokio::spawn(accept(listener, None, name.to_owned(), asked.clone()));
        Ok(Self { name: name.to_owned(), port, asked })
    }

    /// Listens for TLS alone: with a certificate of `authority` for `hosts`, for clients that show one of the
    /// same authority.
    pub async fn secure(name: &str, authority: &Authority, hosts: &[&str]) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let (asked, acceptor) = (Record::default(), authority.acceptor(hosts)?);
        tokio::spawn(accept(listener, Some(acceptor), name.to_owned(), asked.clone()));
        Ok(Self { name: name.to_owned(), port, asked })
    }

    /// The lines of a native document that make it a service of its name.
    pub fn service(&self) -> String {
        format!("- name: {}\n  url: http://127.0.0.1:{}\n", self.name, self.port)
    }

    /// Awaits a request whose line contains `text`.
    pub async fn sees(&self, text: &str) -> anyhow::Result<Asked> {
        let what = format!("`{text}` at {}", self.name);
        self.asked.first(&what, |asked| asked.line.contains(text)).await
    }
}

async fn accept(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    name: String,
    record: Record<Asked>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, name, record) = (tls.clone(), name.clone(), record.clone());
        tokio::spawn(async move {
            match tls {
                None => serve(stream, name, record).await,
                Some(tls) => {
                    if let Ok(stream) = tls.accept(stream).await {
                        serve(stream, name, record).await;
                    }
                }
            }
        });
    }
}

async fn serve<S>(stream: S, name: String, record: Record<Asked>)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(|request| answer(name.clone(), record.clone(), request));
    let builder = auto::Builder::new(TokioExecutor::new());
    // Whoever asked sees how it ends.
    let _ = builder.serve_connection_with_upgrades(TokioIo::new(stream), service).await;
}

async fn answer(
    name: String,
    record: Record<Asked>,
    mut request: Request<Incoming>,
) -> anyhow::Result<Response<Body>> {
    let asked = Asked::of(&request);
    record.push(asked.clone());
    let does = request.uri().path().rsplit('/').next().unwrap_or_default().to_owned();
    let mut response = Response::new(empty());
    match does.as_str() {
        "mirror" => {
            for name in ["content-type", "trailer"] {
                let value = request.headers().get(name).cloned();
                response
                    .headers_mut()
                    .extend(value.map(|value| (http::HeaderName::from_static(name), value)));
            }
            *response.body_mut() = request.into_body().boxed();
        }
        "silent" => std::future::pending().await,
        "stall" => {
            let (sender, receiver) = tokio::sync::mpsc::unbounded_channel();
            let _ = sender.send(Bytes::from_static(b"first"));
            *response.body_mut() = channel(receiver);
            tokio::spawn(async move { sender.closed().await });
        }
        "cut" => anyhow::bail!("as asked"),
        "upgrade" => {
            let protocol = request.headers().get(UPGRADE).cloned().context("nothing to become")?;
            let upgraded = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let Ok(upgraded) = upgraded.await else { return };
                let (mut reader, mut writer) = tokio::io::split(TokioIo::new(upgraded));
                let _ = copy(&mut reader, &mut writer).await;
            });
            *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
            let upgrade = http::HeaderValue::from_static("upgrade");
            response.headers_mut().extend([(CONNECTION, upgrade), (UPGRADE, protocol)]);
        }
        _ => {
            let body = request.into_body().collect().await?.to_bytes();
            let body = String::from_utf8_lossy(&body).into_owned();
            let said = json!({
                "name": name, "line": asked.line, "headers": asked.headers, "body": body,
                "version": format!("{:?}", asked.version),
            });
            let said = Full::new(Bytes::from(said.to_string()));
            *response.body_mut() = said.map_err(|never: Infallible| match never {}).boxed();
            let headers = response.headers_mut();
            headers.insert("server", http::HeaderValue::from_static("plain"));
            headers.insert("content-type", http::HeaderValue::from_static("application/json"));
        }
    }
    Ok(response)
}

impl Asked {
    fn of(request: &Request<Incoming>) -> Self {
        let mut headers = Map::new();
        for name in request.headers().keys() {
            let values = request.headers().get_all(name).iter();
            let values: Vec<_> =
                values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            headers.insert(name.to_string(), Value::String(values.join(" | ")));
        }
        let line = format!("{} {}", request.method(), request.uri());
        Self { line, version: request.version(), headers }
    }
}

fn empty() -> Body {
    Full::new(Bytes::new()).map_err(|never: Infallible| match never {}).boxed()
}

/// A body as it is told.
fn channel(receiver: tokio::sync::mpsc::UnboundedReceiver<Bytes>) -> Body {
    let frames = futures_util::stream::unfold(receiver, async |mut receiver| {
        let bytes = receiver.recv().await?;
        Some((Ok(hyper::body::Frame::data(bytes)), receiver))
    });
    BodyExt::boxed(http_body_util::StreamBody::new(frames))
}

/// A client on one connection.
pub struct Visitor<B>(Sender<B>);

enum Sender<B> {
    Http1(http1::SendRequest<B>),
    Http2(http2::SendRequest<B>),
}

impl<B> Visitor<B>
where
    B: hyper::body::Body<Data = Bytes> + Send + Unpin + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    /// Speaks HTTP/1.1 to a port of 127.0.0.1.
    pub async fn of(port: u16) -> anyhow::Result<Self> {
        Self::on(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?).await
    }

    /// Speaks HTTP/1.1 on a stream.
    pub async fn on(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> anyhow::Result<Self> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection.with_upgrades());
        Ok(Self(Sender::Http1(sender)))
    }

    /// Speaks HTTP/2 on a stream, with prior knowledge.
    pub async fn http2_on(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> anyhow::Result<Self> {
        let (sender, connection) =
            http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self(Sender::Http2(sender)))
    }

    /// Sends a request and awaits the head of the answer.
    pub async fn send(&mut self, request: Request<B>) -> anyhow::Result<Response<Incoming>> {
        let what = format!("an answer to {} {}", request.method(), request.uri());
        let sent: std::pin::Pin<Box<dyn Future<Output = _> + Send>> = match &mut self.0 {
            Sender::Http1(sender) => Box::pin(sender.send_request(request)),
            Sender::Http2(sender) => Box::pin(sender.send_request(request)),
        };
        within(&what, sent).await?.context(what)
    }
}

impl Visitor<Full<Bytes>> {
    /// Asks for `path` of `host`, with these headers, and reads the answer as JSON.
    pub async fn get(
        &mut self,
        host: &str,
        path: &str,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<(http::response::Parts, Value)> {
        let uri = match self.0 {
            Sender::Http1(_) => path.to_owned(),
            Sender::Http2(_) => format!("http://{host}{path}"),
        };
        let mut request = Request::builder().uri(uri);
        if matches!(self.0, Sender::Http1(_)) {
            request = request.header("host", host);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.send(request.body(Full::default())?).await?;
        let (head, body) = response.into_parts();
        let body = within("the rest of an answer", body.collect()).await??.to_bytes();
        let value = serde_json::from_slice(&body);
        let value = value.unwrap_or_else(|_| json!(String::from_utf8_lossy(&body)));
        Ok((head, value))
    }
}
