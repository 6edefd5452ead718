//! Streamable HTTP against peers on raw sockets.

use std::time::Duration;

use super::*;
use crate::upstream::transport::Connection;
use crate::upstream::transport::fixtures::{
    Act, Peer, Seen, dial_with, exchange, open, outgoing, streamable,
};
use crate::upstream::transport::inbox::Inbound;

mod session;

/// A response to `seen` in a form in which an edit would show.
fn result(seen: &Seen) -> String {
    format!(
        r#"{{ "result":{{"n":1.50,"s":"\u0041","z":[ ]}},"extra":null,"id":{},"jsonrpc":"2.0" }}"#,
        seen.id()
    )
}

/// Opens a session with a peer that answers a call as `script` says; gives what came of one call.
async fn call(script: fn(&Seen) -> Vec<Act>) -> (Connection, Peer, Vec<String>, &'static str) {
    let peer = Peer::start(move |seen| seen.opening().unwrap_or_else(|| script(seen))).await;
    let (connection, _) = open(&streamable(peer.address)).await;
    let (messages, class) = exchange(&connection, outgoing(7, "tools/call")).await;
    (connection, peer, messages, class)
}

async fn check(script: fn(&Seen) -> Vec<Act>, expected: fn(&Seen) -> Vec<String>, class: &str) {
    let (_connection, peer, messages, ended) = call(script).await;
    let seen = peer.seen().pop().unwrap();
    assert_eq!(messages, expected(&seen));
    assert_eq!(ended, class);
}

fn one(seen: &Seen) -> Vec<String> {
    vec![result(seen)]
}

fn nothing(_: &Seen) -> Vec<String> {
    Vec::new()
}

fn progress(seen: &Seen) -> String {
    let token = seen.id().replace("\"i", "\"t");
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":1e0}}}}"#
    )
}

#[tokio::test]
async fn requests_and_answers_pass_byte_for_byte() {
    let (_connection, peer, messages, class) = call(|seen| vec![Act::json(&result(seen))]).await;
    let seen = peer.seen().pop().unwrap();
    assert_eq!(seen.body, outgoing(7, "tools/call").body);
    assert_eq!((messages, class), (one(&seen), ""));
}

#[tokio::test]
async fn a_request_carries_what_a_server_needs_and_nothing_more() {
    let peer = Peer::start(|seen| {
        seen.opening_with_session().unwrap_or_else(|| vec![Act::json(&result(seen))])
    })
    .await;
    let target =
        format!("url: 'http://{}/mcp?k=v', headers: {{ Authorization: Bearer x }}", peer.address);
    let (connection, _) = open(&dial_with(&target, config::Limits::default())).await;
    let mut request = outgoing(7, "tools/call");
    request.headers.insert("x-tenant", "a".parse().unwrap());
    request.headers.insert("authorization", "Bearer of-the-client".parse().unwrap());
    exchange(&connection, request).await;
    let seen = peer.seen();
    let methods: Vec<_> = seen.iter().map(|seen| seen.head.lines().next().unwrap()).collect();
    let post = "POST /mcp?k=v HTTP/1.1";
    assert_eq!(methods, [post, post, "GET /mcp?k=v HTTP/1.1", post]);
    let headers: std::collections::BTreeMap<_, _> =
        seen[3].head.lines().skip(1).filter_map(|line| line.split_once(": ")).collect();
    let host = peer.address.to_string();
    let length = outgoing(7, "tools/call").body.len().to_string();
    let expected = [
        ("accept", "application/json, text/event-stream"),
        ("accept-encoding", "identity"),
        ("authorization", "Bearer x"),
        ("content-length", &*length),
        ("content-type", "application/json"),
        ("host", &*host),
        ("mcp-protocol-version", "2025-06-18"),
        ("mcp-session-id", "s1"),
        ("user-agent", concat!("portico/", env!("CARGO_PKG_VERSION"))),
        ("x-tenant", "a"),
    ];
    assert_eq!(headers, expected.into_iter().collect());
    assert_eq!(seen[0].header("mcp-protocol-version"), None);
    assert_eq!(seen[2].header("accept"), Some("text/event-stream"));
    assert_eq!(connection.kind(), SessionKind::Stateful);
}

#[tokio::test]
async fn a_json_answer_may_end_with_its_connection() {
    let old = |seen: &Seen| {
        let head = "HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n";
        vec![Act::Write(format!("{head}{}", result(seen))), Act::Close]
    };
    check(old, one, "").await;
}

/// The manners of the servers in seed 003: HTTP/1.0, one connection at a time, 501 for GET, and a
/// JSON-RPC response to every notification.
#[tokio::test]
async fn a_server_of_one_connection_at_a_time_is_served() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let serving = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut read = Vec::new();
            while !read.ends_with(b"}") {
                assert_ne!(socket.read_buf(&mut read).await.unwrap(), 0);
            }
            let text = String::from_utf8(read).unwrap();
            let id = text.split(r#""id":"#).nth(1).map_or("1", |id| id.split(',').next().unwrap());
            let result = if text.contains("initialize\"") {
                r#"{"protocolVersion": "2024-11-05", "capabilities": {"tools": {"listChanged": false}}, "serverInfo": {"name": "m", "version": "1"}}"#
            } else {
                r#"{"error": {"code": -32601, "message": "Method not found"}}"#
            };
            let answer = format!(
                "HTTP/1.0 200 OK\r\nServer: BaseHTTP/0.6\r\nContent-Type: application/json\r\n\r\n{{\"jsonrpc\": \"2.0\", \"result\": {result}, \"id\": {id}}}"
            );
            socket.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let (connection, _) = open(&streamable(address)).await;
    assert_eq!(connection.kind(), SessionKind::Stateless);
    let calls: Vec<_> = (1..=8).map(|nonce| exchange(&connection, outgoing(nonce, "x"))).collect();
    for call in calls {
        let (messages, class) = call.await;
        assert_eq!((messages.len(), class), (1, ""));
    }
    serving.abort();
}

#[tokio::test]
async fn events_come_one_by_one_with_the_response_last() {
    let events = |seen: &Seen| {
        vec![
            Act::events(),
            Act::chunk(": hello\n\nid: 1\ndata:\n\n"),
            Act::event(&progress(seen)),
            Act::event(
                r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info"}}"#,
            ),
            Act::event(&result(seen)),
            Act::end(),
        ]
    };
    let expected = |seen: &Seen| {
        let log = r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info"}}"#;
        vec![progress(seen), log.to_owned(), result(seen)]
    };
    check(events, expected, "").await;
}

#[tokio::test]
async fn an_event_stream_that_ended_frees_its_connection() {
    let peer = Peer::start(|seen| {
        seen.opening().unwrap_or_else(|| vec![Act::events(), Act::event(&result(seen)), Act::end()])
    })
    .await;
    let (connection, _) = open(&streamable(peer.address)).await;
    for nonce in 1..5 {
        exchange(&connection, outgoing(nonce, "x")).await;
        tokio::task::yield_now().await;
    }
    // The end of a stream may come after its last event: then the next call is not made to wait.
    let connections = peer.seen().iter().map(|seen| seen.connection).max();
    assert!(connections <= Some(3), "{connections:?}");
}

#[tokio::test]
async fn what_is_not_of_the_call_is_dealt_with() {
    let peer = Peer::start(|seen| {
        if seen.is("x") {
            return vec![
                Act::events(),
                Act::event(r#"{"jsonrpc":"2.0","id":0,"method":"ping"}"#),
                Act::event(r#"{"jsonrpc":"2.0","id":"0","method":"roots/list"}"#),
                Act::event(r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#),
                Act::event(&progress(seen).replace("0707", "0808")),
                Act::event(&result(seen).replace("\"i0", "\"i1")),
                Act::event(&format!("[{},{}]", progress(seen), result(seen))),
                Act::end(),
            ];
        }
        seen.opening().unwrap_or_else(|| vec![Act::status("202 Accepted")])
    })
    .await;
    let (connection, mut inbound) = open(&streamable(peer.address)).await;
    let (messages, class) = exchange(&connection, outgoing(7, "x")).await;
    assert_eq!((messages.len(), class), (2, ""));
    peer.until(|seen, _| seen.len() == 5).await;
    let replies: Vec<_> = peer.seen()[3..]
        .iter()
        .map(|seen| String::from_utf8_lossy(&seen.body).into_owned())
        .collect();
    assert_eq!(replies[0], r#"{"jsonrpc":"2.0","id":0,"result":{}}"#);
    assert!(replies[1].starts_with(r#"{"jsonrpc":"2.0","id":"0","error":{"code":-32601"#));
    assert!(matches!(inbound.recv().await, Some(Inbound::ListChanged(mcp::ListKind::Tools))));
}

#[tokio::test]
async fn a_batch_is_split_and_its_response_comes_last() {
    let batch = |seen: &Seen| vec![Act::json(&format!("[{} , {}]", result(seen), progress(seen)))];
    check(batch, |seen| vec![progress(seen), result(seen)], "").await;
    check(|seen| vec![Act::json(&format!("[{}]", progress(seen)))], nothing, "invalid").await;
}

#[tokio::test]
async fn a_stream_that_ends_without_a_response_was_cut() {
    check(|_| vec![Act::Close], nothing, "cut").await;
    check(|_| vec![Act::events(), Act::end()], nothing, "cut").await;
    check(|_| vec![Act::events(), Act::Close], nothing, "cut").await;
    let after_progress = |seen: &Seen| vec![Act::events(), Act::event(&progress(seen)), Act::Close];
    check(after_progress, |seen| vec![progress(seen)], "cut").await;
    let half = |seen: &Seen| {
        let result = result(seen);
        vec![Act::events(), Act::chunk(&format!("data: {}", &result[..20])), Act::Close]
    };
    check(half, nothing, "cut").await;
    let half_body = |_: &Seen| {
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{";
        vec![Act::Write(head.into()), Act::Close]
    };
    check(half_body, |_| vec!["{".to_owned()], "cut").await;
}

#[tokio::test]
async fn what_is_not_an_answer_is_said() {
    check(|_| vec![Act::status("202 Accepted")], nothing, "invalid").await;
    check(|_| vec![Act::json("")], nothing, "invalid").await;
    check(|_| vec![Act::events(), Act::event("{}"), Act::Hang], nothing, "invalid").await;
    let page = |_: &Seen| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>";
        vec![Act::Write(head.into())]
    };
    check(page, nothing, "invalid").await;
}

#[tokio::test]
async fn an_error_that_names_no_request_is_of_the_call_that_it_answers() {
    const NAMELESS: &str = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}"#;
    let nameless = |_: &Seen| vec![Act::events(), Act::event(NAMELESS), Act::Hang];
    check(nameless, |seen| vec![NAMELESS.replace("null", &seen.id())], "").await;
}

#[tokio::test]
async fn a_refusal_is_an_error_unless_it_is_a_json_rpc_answer() {
    check(|_| vec![Act::status("401 Unauthorized")], nothing, "status").await;
    check(|_| vec![Act::status("503 Unavailable")], nothing, "status").await;
    check(|_| vec![Act::status("404 Not Found")], nothing, "status").await;
    let answered = |seen: &Seen| {
        let body = error(seen);
        let head = "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json; charset=utf-8\r\n";
        vec![Act::Write(format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()))]
    };
    check(answered, |seen| vec![error(seen)], "").await;
    let moved = |_: &Seen| {
        let head = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://169.254.169.254/\r\n";
        vec![Act::Write(format!("{head}Content-Length: 0\r\n\r\n"))]
    };
    check(moved, nothing, "status").await;
}

fn error(seen: &Seen) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{},"error":{{"code":-32602,"message":"no"}}}}"#, seen.id())
}

#[tokio::test]
async fn an_event_over_the_limit_fails_its_call_alone() {
    let peer = Peer::start(|seen| {
        seen.opening().unwrap_or_else(|| match seen.is("long") {
            true => vec![Act::events(), Act::event(&"x".repeat(3000)), Act::Hang],
            false => vec![Act::json(&result(seen))],
        })
    })
    .await;
    let limits = config::Limits { sse_event: 2000, ..config::Limits::default() };
    let dial = dial_with(&format!("url: 'http://{}/mcp'", peer.address), limits);
    let (connection, _) = open(&dial).await;
    assert_eq!(exchange(&connection, outgoing(1, "long")).await.1, "too_large");
    assert_eq!(exchange(&connection, outgoing(2, "short")).await.1, "");
}

#[tokio::test]
async fn a_stream_that_says_how_to_go_on_is_read_on() {
    let peer = Peer::start(|seen| {
        if seen.is_get() {
            let body = format!("data: {}\n\n", r#"{"jsonrpc":"2.0","id":ID,"result":1}"#);
            let id = String::from_utf8_lossy(outgoing(7, "x").nonce.id().as_bytes()).into_owned();
            return vec![Act::events(), Act::chunk(&body.replace("ID", &id)), Act::end()];
        }
        seen.opening().unwrap_or_else(|| {
            vec![Act::events(), Act::chunk("id: e1\nretry: 10\ndata:\n\n"), Act::Close]
        })
    })
    .await;
    let (connection, _) = open(&streamable(peer.address)).await;
    let (messages, class) = exchange(&connection, outgoing(7, "x")).await;
    assert_eq!((messages.len(), class), (1, ""));
    assert_eq!(peer.seen().pop().unwrap().header("last-event-id"), Some("e1"));
}

#[tokio::test]
async fn a_silent_target_costs_its_deadline() {
    let peer = Peer::start(|_| vec![Act::Hang]).await;
    let (sender, _inbound) = tokio::sync::mpsc::channel(1);
    let dial = streamable(peer.address);
    let deadline = Duration::from_millis(50);
    let error = Connection::open(&dial, sender, deadline).await.unwrap_err();
    assert_eq!(error.class(), "timeout");
    peer.until(|_, open| open == 0).await;
}
