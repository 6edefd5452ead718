//! A client on standard input and output, whose two ends are held here.

use std::future::pending;

use tokio::io::{AsyncBufReadExt, BufReader, DuplexStream, duplex};

use super::*;
use crate::upstream::fixtures::Seen;

const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
const PING: &str = r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#;
const PONG: &str = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;

struct Client {
    input: DuplexStream,
    output: BufReader<DuplexStream>,
}

impl Client {
    async fn send(&mut self, bytes: &[u8]) {
        tokio::time::timeout(LONG, self.input.write_all(bytes)).await.unwrap().unwrap();
    }

    async fn say(&mut self, message: &str) {
        self.send(format!("{message}\n").as_bytes()).await;
    }

    async fn hears(&mut self) -> String {
        let mut line = String::new();
        tokio::time::timeout(LONG, self.output.read_line(&mut line)).await.unwrap().unwrap();
        assert!(line.ends_with('\n'), "{line}");
        line.pop();
        line
    }

    /// Sends these bytes, and hears a line with this text.
    async fn check(&mut self, bytes: &[u8], text: &str) {
        self.send(bytes).await;
        let line = self.hears().await;
        assert!(line.contains(text), "{line}");
    }

    /// What is said until the gateway closes its end.
    async fn hears_to_end(mut self) -> String {
        rest(&mut self.output).await
    }

    /// Closes its end, and hears what is said until the gateway closes the other.
    async fn leaves(self) -> String {
        let Self { input, mut output } = self;
        drop(input);
        rest(&mut output).await
    }
}

async fn rest(output: &mut BufReader<DuplexStream>) -> String {
    let mut text = String::new();
    tokio::time::timeout(LONG, output.read_to_string(&mut text)).await.unwrap().unwrap();
    text
}

fn place(path: &str) -> Place {
    Place { listener: None, host: String::new(), path: path.to_owned() }
}

/// Serves a client that does what `script` says, until the gateway has done with it.
async fn talk(served: &Served, script: impl AsyncFnOnce(Client)) -> Result<(), PlaceError> {
    talk_until(served, pending(), script).await
}

async fn talk_until(
    served: &Served,
    stop: impl Future<Output = ()>,
    script: impl AsyncFnOnce(Client),
) -> Result<(), PlaceError> {
    let (input, heard) = duplex(1024);
    let (said, output) = duplex(1024);
    let client = Client { input, output: BufReader::new(output) };
    let place = place("/mcp");
    let serving = served.gateway.serve_stdio(&place, heard, said, stop);
    let serving = async { tokio::time::timeout(LONG, serving).await.unwrap() };
    tokio::join!(serving, script(client)).0
}

fn limited(request_body: usize) -> Gateway {
    within(Limits { request_body, ..Limits::default() }, Authenticator::anonymous())
}

#[tokio::test]
async fn a_client_on_stdio_calls_and_is_answered_line_by_line() {
    let served = Served::start("30s").await;
    let ended = talk(&served, async |mut client| {
        client.say(CALL).await;
        assert!(client.hears().await.contains("send `initialize` first"));
        client.say(HELLO).await;
        assert!(client.hears().await.contains(r#""protocolVersion":"2025-03-26""#));
        client.say(CALL).await;
        client.check(format!("[{PING}]\n").as_bytes(), PONG).await;
        served.answer.notify_one();
        assert_eq!(client.hears().await, r#"{"jsonrpc":"2.0","id":2,"result":{}}"#);
        assert_eq!(client.leaves().await, "");
    })
    .await;
    ended.unwrap();
}

#[tokio::test]
async fn what_is_no_message_is_refused_and_the_next_line_is_read() {
    let served = Served::start_as(limited(400), "30s").await;
    let ended = talk(&served, async |mut client| {
        client.say(HELLO).await;
        client.hears().await;
        let long = format!("{{\"jsonrpc\":\"2.0\",\"id\":\"{}\"}}\n", "x".repeat(400));
        let huge = format!("{}\n", "x".repeat(300_000));
        let not_json = r#"{"jsonrpc":"2.0","error":{"code":-32700,"#;
        for (bytes, text) in [
            (long.as_bytes(), "`limits.requestBody`"),
            (huge.as_bytes(), "the line is longer than 400 bytes"),
            (b"{\"id\":\n", not_json),
            (b"hello\n", not_json),
            (b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"ping\"}\n", not_json),
            (b"\n \r\n\t\n{}\r\n", "-32600"),
            (b"[]\n", "-32600"),
        ] {
            client.check(bytes, text).await;
            client.check(format!("{PING}\r\n").as_bytes(), PONG).await;
        }
        client.send(PING.as_bytes()).await;
        assert_eq!(client.leaves().await, format!("{PONG}\n"), "a last line without an end");
    })
    .await;
    ended.unwrap();
}

#[tokio::test]
async fn a_call_that_its_client_has_cancelled_is_not_answered() {
    let served = Served::start("30s").await;
    let ended = talk(&served, async |mut client| {
        client.say(HELLO).await;
        client.hears().await;
        client.say(CALL).await;
        let sees = |text: &'static str| {
            served.peer.until(move |seen, _| {
                let body = |seen: &Seen| String::from_utf8_lossy(&seen.body).into_owned();
                seen.iter().any(|seen| body(seen).contains(text))
            })
        };
        sees("tools/call").await;
        client
            .say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2,"reason":"enough"}}"#)
            .await;
        sees(r#""reason":"enough""#).await;
        client.say(PING).await;
        assert_eq!(client.hears().await.trim_end(), PONG);
        assert_eq!(client.leaves().await, "");
    })
    .await;
    ended.unwrap();
}

#[tokio::test]
async fn a_client_on_stdio_that_leaves_has_its_calls_cancelled_and_answered() {
    let served = Served::start("30s").await;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let mut stop = Some(stop);
    let mut stopped = Some(stopped);
    for leaves in [true, false] {
        let stopped = stopped.take_if(|_| !leaves);
        let until = async {
            match stopped {
                Some(stopped) => drop(stopped.await),
                None => pending().await,
            }
        };
        let ended = talk_until(&served, until, async |mut client| {
            client.say(HELLO).await;
            client.hears().await;
            client.say(CALL).await;
            let calls = if leaves { 1 } else { 2 };
            let is_there = |method: &'static str| {
                served.peer.until(move |seen, _| {
                    seen.iter().filter(|seen| seen.is(method)).count() == calls
                })
            };
            is_there("tools/call").await;
            if !leaves {
                drop(stop.take());
                assert!(client.hears().await.contains("the call was cancelled"));
            } else {
                let rest = client.leaves().await;
                assert!(rest.contains(r#""id":2,"error""#), "{rest}");
                assert!(rest.contains("the call was cancelled"), "{rest}");
            }
            is_there("notifications/cancelled").await;
        })
        .await;
        ended.unwrap();
    }
}

#[tokio::test]
async fn a_client_that_does_not_read_is_not_read_either() {
    let served = Served::start("30s").await;
    let ended = talk(&served, async |mut client| {
        let pings = 10_000;
        let mut written = 0;
        let line = format!("{PING}\n");
        let write = async {
            while written < pings {
                client.input.write_all(line.as_bytes()).await.unwrap();
                written += 1;
            }
        };
        let early = tokio::time::timeout(Duration::from_millis(200), write).await;
        assert!(early.is_err(), "everything was taken");
        let rest = client.leaves().await;
        let pongs = rest.lines().filter(|line| *line == PONG).count();
        assert!(pongs >= written, "{pongs} of {written}");
    })
    .await;
    ended.unwrap();
}

#[tokio::test]
async fn a_client_that_closes_its_output_is_served_no_more() {
    let served = Served::start("30s").await;
    let ended = talk(&served, async |client| {
        let Client { mut input, output } = client;
        drop(output);
        input.write_all(format!("{PING}\n").as_bytes()).await.unwrap();
        // The gateway closes its end, because nobody hears the answer.
        while input.write_all(b"\n").await.is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    ended.unwrap();
}

#[tokio::test]
async fn a_client_whose_backend_is_removed_is_served_no_more() {
    let served = Served::start("30s").await;
    let ended = talk(&served, async |mut client| {
        client.say(HELLO).await;
        client.hears().await;
        served.gateway.apply(listening(&[])).await;
        assert_eq!(client.hears_to_end().await, "");
    })
    .await;
    assert!(matches!(ended, Err(PlaceError::Removed)), "{ended:?}");
}

#[tokio::test]
async fn a_place_where_nothing_is_served_is_refused() {
    let served = Served::start("30s").await;
    for (place, text) in [
        (place("/other"), "nothing is served at `/other`"),
        (Place { listener: Some("x".into()), ..place("/mcp") }, "there are: default"),
    ] {
        let (_input, heard) = duplex(64);
        let (said, _output) = duplex(64);
        let ended = served.gateway.serve_stdio(&place, heard, said, pending()).await;
        assert!(ended.unwrap_err().to_string().contains(text), "{text}");
    }
}

#[tokio::test]
async fn a_gateway_for_stdio_opens_no_listener() {
    let mut gateway = gateway();
    gateway.entrance = Entrance::Stdio;
    assert!(gateway.apply(listening(&[([127, 0, 0, 1], 0).into()])).await.is_empty());
    assert!(gateway.addresses().await.is_empty());
    gateway.drain(Duration::ZERO, pending()).await;
}
