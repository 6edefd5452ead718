//! Listeners from one document to the next, and those who are connected when one goes.

use config::{Variables, compile};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::*;
use crate::auth::Principal;
use crate::upstream::fixtures::{Act, LONG, Peer};

mod listeners;
mod stdio;

fn gateway() -> Gateway {
    authenticated_by(Authenticator::anonymous())
}

fn authenticated_by(authenticator: Authenticator) -> Gateway {
    within(Limits::default(), authenticator)
}

fn within(limits: Limits, authenticator: Authenticator) -> Gateway {
    let tasks = Tasks::new();
    Gateway::start(Options {
        clock: Clock::system(),
        metrics: Metrics::new(&tasks),
        tasks,
        access_log: AccessLog::off(),
        authenticator,
        keys: KeyRing::random().unwrap(),
        replica: "test".into(),
        limits,
        entrance: Entrance::Listeners,
    })
}

/// A gateway in front of a target whose tools answer when they are told to.
struct Served {
    gateway: Gateway,
    peer: Peer,
    answer: Arc<Notify>,
    address: SocketAddr,
    drain: &'static str,
}

impl Served {
    async fn start(drain: &'static str) -> Self {
        Self::start_as(gateway(), drain).await
    }

    async fn start_as(gateway: Gateway, drain: &'static str) -> Self {
        let answer = Arc::new(Notify::new());
        let told = answer.clone();
        let peer = Peer::start(move |seen| {
            let result = |result: &str| {
                let id = seen.id();
                Act::json(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#))
            };
            if seen.is("tools/call") {
                return vec![Act::Wait(told.clone()), result("{}")];
            }
            let list = || vec![result(r#"{"tools":[{"name":"t","inputSchema":{}}]}"#)];
            seen.opening().unwrap_or_else(list)
        })
        .await;
        let mut served =
            Self { gateway, peer, answer, address: SocketAddr::from(([127, 0, 0, 1], 0)), drain };
        served.listen_on("127.0.0.1:0").await;
        served.address = served.gateway.addresses().await[0].1;
        served
    }

    /// Serves on this address alone.
    async fn listen_on(&self, address: &str) -> Vec<ListenError> {
        let text = format!(
            "listeners: [{{ address: '{address}' }}]\ndrain: {{ limit: {} }}\ntargets: [{{ name: t, url: 'http://{}/mcp' }}]\nbackends: [{{ name: b, targets: [t] }}]",
            self.drain, self.peer.address
        );
        let reading = config::read("test.yaml", &text).unwrap();
        assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
        let compiled = config::compile(&reading.document, &reading.origins, &Variables::new());
        self.gateway.apply(compiled).await
    }

    /// Removes the listener on which it was started.
    async fn remove_listener(&self) {
        self.listen_on("127.0.0.2:0").await;
    }

    async fn send(&self, method: &str, headers: &str, body: &str) -> TcpStream {
        self.send_to("/mcp", method, headers, body).await
    }

    async fn send_to(&self, path: &str, method: &str, headers: &str, body: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn session(&self) -> String {
        let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
        let stream = self.send("POST", "Connection: close\r\n", body).await;
        let answer = to_end(stream).await;
        let header = answer.lines().find(|line| line.starts_with("mcp-session-id: ")).unwrap();
        format!("{header}\r\n")
    }

    /// A call that its target has.
    async fn call(&self) -> TcpStream {
        let body = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t"}}"#;
        let stream = self.send("POST", "", body).await;
        self.peer.until(|seen, _| seen.iter().any(|seen| seen.is("tools/call"))).await;
        stream
    }
}

/// All that a connection says until it is closed.
async fn to_end(mut stream: TcpStream) -> String {
    let mut text = String::new();
    tokio::time::timeout(LONG, stream.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

#[tokio::test]
async fn a_listener_that_is_removed_ends_its_streams_and_lets_its_calls_end() {
    let served = Served::start("30s").await;
    let session = served.session().await;
    let mut stream = served.send("GET", &session, "").await;
    let mut head = [0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(&head, b"HTTP/1.1 200");
    let call = served.call().await;

    served.remove_listener().await;
    assert!(TcpStream::connect(served.address).await.is_err());
    assert!(to_end(stream).await.contains("retry: 1000"));
    served.answer.notify_one();
    assert!(to_end(call).await.ends_with(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#));
}

#[tokio::test]
async fn a_call_that_outlasts_its_listener_by_the_limit_is_told_so() {
    let served = Served::start("1ms").await;
    let call = served.call().await;
    served.remove_listener().await;
    let answer = to_end(call).await;
    assert!(answer.contains("the gateway stops serving this address"), "{answer}");
}

#[tokio::test]
async fn the_end_of_the_gateway_waits_for_a_listener_that_was_removed() {
    let served = Served::start("30s").await;
    let call = served.call().await;
    served.remove_listener().await;
    let mut drain = std::pin::pin!(served.gateway.drain(LONG, std::future::pending()));
    let early = tokio::time::timeout(Duration::from_millis(50), drain.as_mut()).await;
    assert!(early.is_err(), "it did not wait");
    served.answer.notify_one();
    let (answer, ()) = tokio::join!(to_end(call), drain);
    assert!(answer.ends_with(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#), "{answer}");
}

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
const CALL: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"t"}}"#;
const ANSWER: &str = r#"data: {"jsonrpc":"2.0","id":2,"result":{}}"#;

/// A client of HTTP+SSE: its stream, and where it posts to.
struct OldClient<'a> {
    served: &'a Served,
    stream: TcpStream,
    endpoint: String,
}

impl<'a> OldClient<'a> {
    async fn connect(served: &'a Served, path: &str) -> Self {
        let mut stream = served.send_to(path, "GET", "", "").await;
        let said = until(&mut stream, "sessionId=").await;
        let rest = until(&mut stream, "\n").await;
        let said = said + &rest;
        let endpoint = said.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        assert!(said.contains("event: endpoint"), "{said}");
        Self { served, endpoint: endpoint.to_owned(), stream }
    }

    /// The head of the answer to a message.
    async fn post(&self, body: &str) -> String {
        let close = "Connection: close\r\n";
        to_end(self.served.send_to(&self.endpoint, "POST", close, body).await).await
    }

    async fn says(&mut self, text: &str) -> String {
        until(&mut self.stream, text).await
    }
}

/// What a connection says, as far as `text`.
async fn until(stream: &mut TcpStream, text: &str) -> String {
    let mut said = Vec::new();
    while !said.ends_with(text.as_bytes()) {
        let byte = tokio::time::timeout(LONG, stream.read_u8()).await;
        let Ok(Ok(byte)) = byte else { panic!("{}", String::from_utf8_lossy(&said)) };
        said.push(byte);
    }
    String::from_utf8(said).unwrap()
}

#[tokio::test]
async fn a_client_of_http_sse_hears_everything_on_its_stream() {
    let served = Served::start("30s").await;
    for path in ["/mcp", "/mcp/sse"] {
        let mut client = OldClient::connect(&served, path).await;
        assert!(client.post(CALL).await.starts_with("HTTP/1.1 202"));
        client.says("send `initialize` first").await;
        assert!(client.post("{").await.starts_with("HTTP/1.1 400"));
        assert!(client.post(INITIALIZE).await.starts_with("HTTP/1.1 202"));
        client.says(r#""protocolVersion":"2024-11-05""#).await;
        assert!(client.post(INITIALIZE).await.starts_with("HTTP/1.1 202"));
        client.says("the session has begun already").await;
        assert!(client.post(CALL).await.starts_with("HTTP/1.1 202"));
        served.answer.notify_one();
        client.says(&format!("event: message\n{ANSWER}\n\n")).await;
    }
}

#[tokio::test]
async fn a_client_of_http_sse_that_leaves_takes_its_session_and_its_calls_along() {
    let served = Served::start("30s").await;
    let mut client = OldClient::connect(&served, "/mcp").await;
    client.post(INITIALIZE).await;
    client.says("protocolVersion").await;
    client.post(CALL).await;
    served.peer.until(|seen, _| seen.iter().any(|seen| seen.is("tools/call"))).await;
    let OldClient { stream, endpoint, .. } = client;
    drop(stream);
    let cancelled = "notifications/cancelled";
    served.peer.until(|seen, _| seen.iter().any(|seen| seen.is(cancelled))).await;
    let late = served.send_to(&endpoint, "POST", "Connection: close\r\n", CALL).await;
    assert!(to_end(late).await.starts_with("HTTP/1.1 404"));
}

#[tokio::test]
async fn the_stream_of_http_sse_ends_after_the_answers_that_are_on_their_way() {
    let served = Served::start("30s").await;
    let mut client = OldClient::connect(&served, "/mcp").await;
    client.post(INITIALIZE).await;
    client.says("protocolVersion").await;
    client.post(CALL).await;
    served.peer.until(|seen, _| seen.iter().any(|seen| seen.is("tools/call"))).await;
    served.remove_listener().await;
    served.answer.notify_one();
    let rest = to_end(client.stream).await;
    assert!(rest.find(ANSWER) < rest.find("retry: 1000") && rest.contains(ANSWER), "{rest}");
}

/// A document that listens on `addresses`.
fn listening(addresses: &[SocketAddr]) -> Compiled {
    let lines = addresses.iter().enumerate();
    let lines =
        lines.map(|(index, address)| format!("- {{name: l{index}, address: '{address}'}}\n"));
    let text = format!("listeners:\n{}", lines.collect::<String>());
    let reading = config::read("test.yaml", &text).unwrap();
    compile(&reading.document, &reading.origins, &Variables::new())
}

#[tokio::test]
async fn connections_are_bounded_over_all_listeners() {
    let limits = Limits { connections: 1, ..Limits::default() };
    let gateway = within(limits, Authenticator::anonymous());
    let addresses = [([127, 0, 0, 1], 0).into(), ([127, 0, 0, 2], 0).into()];
    assert!(gateway.apply(listening(&addresses)).await.is_empty());
    let bound: Vec<SocketAddr> =
        gateway.addresses().await.into_iter().map(|(_, bound)| bound).collect();
    let ask = async |address: SocketAddr| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        let mut head = [0; 8];
        let heard = tokio::time::timeout(LONG, stream.read_exact(&mut head)).await.unwrap();
        heard.ok().map(|_| stream)
    };
    let first = ask(bound[0]).await;
    assert!(first.is_some());
    assert!(ask(bound[1]).await.is_none(), "there was room for a second");
}

#[tokio::test]
async fn sessions_of_one_address_are_spread_by_weight() {
    let served = Served::start("30s").await;
    let text = format!(
        "listeners: [{{ address: '127.0.0.1:0' }}]\nroutes: [{{ path: /mcp, backends: [{{ name: b }}, {{ name: c }}] }}]\ntargets: [{{ name: t, url: 'http://{}/mcp' }}]\nbackends: [{{ name: b, targets: [t] }}, {{ name: c, targets: [t] }}]",
        served.peer.address
    );
    let reading = config::read("test.yaml", &text).unwrap();
    assert!(reading.diagnostics.is_empty(), "{:?}", reading.diagnostics);
    let compiled = compile(&reading.document, &reading.origins, &Variables::new());
    assert!(compiled.diagnostics.is_empty(), "{:?}", compiled.diagnostics);
    assert!(served.gateway.apply(compiled).await.is_empty());

    let (sessions, now) = (&served.gateway.context.sessions, served.gateway.context.clock.unix());
    let mut chosen = std::collections::BTreeSet::new();
    for _ in 0..32 {
        let header = served.session().await;
        let id = header.trim().strip_prefix("mcp-session-id: ").unwrap();
        let claims = sessions.open(id, &Principal::anonymous(), ["b", "c"].into_iter(), now);
        chosen.insert(claims.unwrap().backend.to_string());
    }
    assert_eq!(chosen.len(), 2, "{chosen:?}");
}

#[tokio::test]
async fn another_users_session_is_unknown_whatever_is_asked_in_it() {
    let by_header = Authenticator::new(|head| {
        let user = head.headers.get("x-user").and_then(|user| user.to_str().ok());
        Principal::new(user.unwrap_or("anonymous"))
    });
    let served = Served::start_as(authenticated_by(by_header), "30s").await;
    let body = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
    let opening = served.send("POST", "X-User: alice\r\nConnection: close\r\n", body).await;
    let opened = to_end(opening).await;
    let session = opened.lines().find(|line| line.starts_with("mcp-session-id: ")).unwrap();
    let ping = r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#;
    let call = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"t"}}"#;
    let told = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":3}}"#;
    for other in ["X-User: bob\r\n", ""] {
        let headers = format!("{session}\r\n{other}Connection: close\r\n");
        for (method, body) in
            [("POST", ping), ("POST", call), ("POST", told), ("GET", ""), ("DELETE", "")]
        {
            let answer = to_end(served.send(method, &headers, body).await).await;
            assert!(answer.starts_with("HTTP/1.1 404"), "{method} {body}: {answer}");
        }
    }
    let headers = format!("{session}\r\nX-User: alice\r\nConnection: close\r\n");
    let answer = to_end(served.send("POST", &headers, ping).await).await;
    assert!(answer.ends_with(r#"{"jsonrpc":"2.0","id":2,"result":{}}"#), "{answer}");
}

#[tokio::test]
async fn where_only_a_head_is_asked_for_no_document_is_announced() {
    let served = Served::start("30s").await;
    for (method, is_said) in [("GET", true), ("HEAD", false)] {
        let asked = served.send_to("/elsewhere", method, "Connection: close\r\n", "").await;
        let answer = to_end(asked).await;
        assert!(answer.starts_with("HTTP/1.1 404"), "{method}: {answer}");
        assert_eq!(answer.contains("content-type: application/json"), is_said, "{answer}");
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_ask_and_read_and_no_other() {
    let served = Served::start("30s").await;
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let of = async |method: &str, origin: &str| {
        let asks = "Access-Control-Request-Method: POST\r\nConnection: close\r\n";
        let headers = format!("Origin: {origin}\r\n{asks}");
        to_end(served.send(method, &headers, ping).await).await
    };
    let shown = "access-control-allow-origin: http://localhost:3000\r\n";
    let asked = of("OPTIONS", "http://localhost:3000").await;
    assert!(asked.starts_with("HTTP/1.1 204") && asked.contains(shown), "{asked}");
    assert!(asked.contains("access-control-allow-methods: POST, GET, DELETE\r\n"), "{asked}");
    for method in ["POST", "PUT"] {
        let answer = of(method, "http://localhost:3000").await;
        assert!(answer.contains(shown), "{answer}");
    }
    for method in ["OPTIONS", "POST"] {
        let refused = of(method, "https://evil.example.com").await;
        assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
        assert!(!refused.contains("access-control"), "{refused}");
    }
}
