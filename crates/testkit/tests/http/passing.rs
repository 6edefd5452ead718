//! What is passed on, and how: nothing is kept back, and nothing is lost.

use anyhow::Context;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::unfold;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use testkit::{Plain, Visitor, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::gateway;

const ROUTE: &str = "- { name: web, path: /, service: web }";

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_request_reaches_its_server_as_it_was_sent() -> anyhow::Result<()> {
    let web = Plain::start("web").await?;
    let gateway = gateway(&[&web], ROUTE).await?;
    let mut visitor = Visitor::of(gateway.port()).await?;
    let headers = [
        ("x-own", "1"),
        ("connection", "x-hop, keep-alive"),
        ("x-hop", "2"),
        ("keep-alive", "timeout=5"),
        ("x-forwarded-for", "192.0.2.1"),
        ("x-forwarded-proto", "https"),
        ("origin", "https://elsewhere.example.com"),
        ("cookie", "a=b"),
    ];
    // Neither the host nor the page would be served where MCP is spoken.
    let (head, said) = visitor.get("shop.example.com:8080", "/a/b%20c?d=e&d=f", &headers).await?;
    anyhow::ensure!(head.status == StatusCode::OK, "{head:?}");
    assert_eq!(head.headers.get("server").map(HeaderValue::as_bytes), Some(&b"plain"[..]));
    assert_eq!(said["line"], "GET /a/b%20c?d=e&d=f");
    let expected = json!({
        "cookie": "a=b", "host": "shop.example.com:8080", "origin": "https://elsewhere.example.com",
        "x-forwarded-for": "192.0.2.1, 127.0.0.1", "x-forwarded-host": "shop.example.com:8080",
        "x-forwarded-proto": "http", "x-own": "1",
    });
    assert_eq!(said["headers"], expected);

    // What MCP endpoints keep for themselves is a path like any other here.
    for path in ["/.well-known/oauth-authorization-server", "/sse"] {
        let accept = [("accept", "text/event-stream")];
        let (head, said) = visitor.get("localhost", path, &accept).await?;
        assert_eq!((head.status, &said["line"]), (StatusCode::OK, &json!(format!("GET {path}"))));
    }
    let line = gateway.access_line("a line of it", |line| line.contains("route=web")).await?;
    anyhow::ensure!(line.contains("method=GET") && line.contains("status=200"), "{line}");
    let metrics = gateway.admin("/metrics").await?;
    let counted = r#"route="web",method="http",status="2xx"}"#;
    anyhow::ensure!(metrics.contains(counted), "{metrics}");
    gateway.stop().await
}

/// A body that a test writes, chunk by chunk.
type Told = BoxBody<Bytes, std::io::Error>;

fn told() -> (UnboundedSender<Frame<Bytes>>, Told) {
    let (sender, receiver) = unbounded_channel();
    let frames = unfold(receiver, async |mut receiver| Some((receiver.recv().await?, receiver)));
    (sender, BodyExt::boxed(StreamBody::new(frames.map(Ok))))
}

async fn next(body: &mut Incoming) -> anyhow::Result<Frame<Bytes>> {
    Ok(within("the next part of an answer", body.frame()).await?.context("it is over")??)
}

fn mirror(uri: &str, body: Told) -> anyhow::Result<Request<Told>> {
    let request = Request::post(uri).header("host", "localhost").header("te", "trailers");
    Ok(request.header("trailer", "x-sum").body(body)?)
}

/// Sends chunks to a server that sends them back, and reads each before it sends the next.
async fn check_both_ways(visitor: &mut Visitor<Told>, uri: &str) -> anyhow::Result<()> {
    let (sender, body) = told();
    sender.send(Frame::data("one".into())).ok().context("nobody reads")?;
    let response = visitor.send(mirror(uri, body)?).await?;
    assert_eq!(response.status(), StatusCode::OK);
    let mut answer = response.into_body();
    for chunk in ["one", "two", "three"] {
        let frame = next(&mut answer).await?;
        assert_eq!(frame.data_ref().map(|bytes| &bytes[..]), Some(chunk.as_bytes()));
        let following = match chunk {
            "one" => Frame::data("two".into()),
            "two" => Frame::data("three".into()),
            _ => {
                let sum = HeaderValue::from_static("3");
                Frame::trailers(HeaderMap::from_iter([("x-sum".parse()?, sum)]))
            }
        };
        sender.send(following).ok().context("nobody reads")?;
    }
    drop(sender);
    let frame = next(&mut answer).await?;
    let trailers = frame.trailers_ref().context("no trailers came")?;
    assert_eq!(trailers.get("x-sum").map(HeaderValue::as_bytes), Some(&b"3"[..]));
    anyhow::ensure!(within("the end", answer.frame()).await?.is_none(), "there is more");
    Ok(())
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn bodies_and_trailers_stream_both_ways_at_once() -> anyhow::Result<()> {
    let (web, grpc) = (Plain::start("web").await?, Plain::start("grpc").await?);
    let services = format!("{}{}  protocol: http2\n", web.service(), grpc.service());
    let routes =
        "- { name: web, path: /web, service: web }\n- { name: grpc, path: /grpc, service: grpc }";
    let document = format!("routes:\n{routes}\nservices:\n{services}");
    let gateway = testkit::Gateway::native(&document).await?;
    for (path, server, version) in
        [("/web", &web, Version::HTTP_11), ("/grpc", &grpc, Version::HTTP_2)]
    {
        check_both_ways(&mut Visitor::of(gateway.port()).await?, &format!("{path}/mirror")).await?;
        let tcp = TcpStream::connect(("127.0.0.1", gateway.port())).await?;
        let mut visitor = Visitor::http2_on(tcp).await?;
        let uri = format!("http://localhost:{}{path}/mirror", gateway.port());
        check_both_ways(&mut visitor, &uri).await?;
        let asked = server.asked.all();
        assert_eq!(asked.len(), 2, "{asked:?}");
        anyhow::ensure!(asked.iter().all(|one| one.version == version), "{asked:?}");
    }
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn one_connection_carries_many_requests_over_http2() -> anyhow::Result<()> {
    let grpc = Plain::start("grpc").await?;
    let services = format!("{}  protocol: http2\n", grpc.service());
    let routes = "- { name: grpc, path: /, service: grpc }";
    let gateway =
        testkit::Gateway::native(&format!("routes:\n{routes}\nservices:\n{services}")).await?;
    let ask = async |number: usize| {
        let mut visitor = Visitor::of(gateway.port()).await?;
        let (head, said) = visitor.get("a.example.com", &format!("/{number}"), &[]).await?;
        anyhow::ensure!(head.status == StatusCode::OK, "{head:?}");
        assert_eq!(said["line"], format!("GET http://a.example.com/{number}"));
        anyhow::Ok(())
    };
    let all = futures_util::future::join_all((0..50).map(ask)).await;
    all.into_iter().collect::<anyhow::Result<Vec<()>>>()?;
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_connection_becomes_something_else_where_both_sides_agree() -> anyhow::Result<()> {
    let web = Plain::start("web").await?;
    let gateway = gateway(&[&web], ROUTE).await?;
    let asking = |path: &str, protocol: &str| {
        let request = Request::get(path).header("host", "localhost").header(UPGRADE, protocol);
        request.header(CONNECTION, "keep-alive, Upgrade").body(Empty::<Bytes>::new())
    };
    let mut visitor = Visitor::of(gateway.port()).await?;
    let mut response = visitor.send(asking("/upgrade", "websocket")?).await?;
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    assert_eq!(response.headers()[UPGRADE], "websocket");
    let tunnel = within("the tunnel", hyper::upgrade::on(&mut response)).await??;
    let mut tunnel = TokioIo::new(tunnel);
    for word in ["hello", "again"] {
        tunnel.write_all(word.as_bytes()).await?;
        let mut heard = [0; 5];
        within("an echo", tunnel.read_exact(&mut heard)).await??;
        assert_eq!(&heard, word.as_bytes());
    }
    let metrics = gateway.admin("/metrics").await?;
    anyhow::ensure!(metrics.contains("portico_connections 1"), "its place is free: {metrics}");
    tunnel.shutdown().await?;
    let mut rest = Vec::new();
    within("the end of it", tunnel.read_to_end(&mut rest)).await??;
    anyhow::ensure!(rest.is_empty(), "{rest:?}");
    let is_it = |line: &str| line.contains("status=101");
    let line = gateway.access_line("the tunnel's line", is_it).await?;
    anyhow::ensure!(line.contains("ended=complete") && line.contains("bytes=10"), "{line}");

    // A server that does not agree answers as always, and HTTP/2 is not begun behind the routes.
    let mut visitor = Visitor::of(gateway.port()).await?;
    for (path, protocol, passed) in [("/no", "websocket", true), ("/upgrade/no", "h2c", false)] {
        let response = visitor.send(asking(path, protocol)?).await?;
        assert_eq!(response.status(), StatusCode::OK);
        let body = within("an answer", response.into_body().collect()).await??.to_bytes();
        let said: Value = serde_json::from_slice(&body)?;
        assert_eq!(said["headers"].get("upgrade").is_some(), passed, "{said}");
    }
    gateway.stop().await
}

#[tokio::test]
#[ignore = "run by cargo xtask test, needs the portico binary"]
async fn a_body_of_any_size_passes_and_methods_are_the_servers_to_know() -> anyhow::Result<()> {
    let web = Plain::start("web").await?;
    let gateway = gateway(&[&web], ROUTE).await?;
    let mut visitor = Visitor::of(gateway.port()).await?;
    // More than an MCP endpoint takes.
    let long = Bytes::from(vec![b'x'; 9 << 20]);
    let request = Request::builder().method("PATCH").uri("/mirror").header("host", "localhost");
    let request = request.header("content-length", long.len());
    let response = visitor.send(request.body(http_body_util::Full::new(long.clone()))?).await?;
    let body = within("a long answer", response.into_body().collect()).await??.to_bytes();
    anyhow::ensure!(body == long, "{} bytes came back", body.len());

    let head = Request::builder().method(Method::HEAD).uri("/x").header("host", "localhost");
    let response = visitor.send(head.body(http_body_util::Full::default())?).await?;
    let length = response.headers().get("content-length").cloned();
    anyhow::ensure!(length.is_some_and(|length| length != "0"), "{response:?}");
    anyhow::ensure!(response.into_body().is_end_stream(), "a HEAD has no body");
    web.sees("HEAD /x").await?;
    gateway.stop().await
}
