//! HTTP+SSE against a peer on raw sockets that plays both sides by hand.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{Receiver, channel};

use super::*;
use crate::upstream::transport::Connection;
use crate::upstream::transport::fixtures::{HELLO, LONG, dial, exchange, outgoing};
use crate::upstream::transport::inbox::Inbound;

/// A server: the socket of the GET stream, and the bodies that were POSTed.
struct Server {
    stream: TcpStream,
    posted: Receiver<String>,
}

impl Server {
    async fn say(&mut self, data: &str) {
        let event = format!("event: message\r\ndata: {data}\r\n\r\n");
        self.stream.write_all(event.as_bytes()).await.unwrap();
    }

    async fn next(&mut self) -> String {
        tokio::time::timeout(LONG, self.posted.recv()).await.unwrap().unwrap()
    }

    fn id(body: &str) -> &str {
        body.split(r#""id":"#).nth(1).unwrap().split([',', '}']).next().unwrap()
    }
}

/// Opens a connection to a server whose POSTs get `status`, by way of its whole opening.
async fn opened(
    endpoint: &'static str,
    status: &'static str,
) -> Result<(Connection, Receiver<Inbound>, Server), UpstreamError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let dial = dial(&format!("url: 'http://{address}/sse', transport: sse"));
    let (sender, inbound) = channel(64);
    let opening = tokio::spawn(async move { Connection::open(&dial, sender, LONG).await });

    let (mut stream, _) = listener.accept().await.unwrap();
    let head = until(&mut stream, b"\r\n\r\n").await;
    assert!(
        head.starts_with("GET /sse HTTP/1.1\r\n") && head.contains("accept: text/event-stream")
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\nevent: endpoint\r\ndata: {endpoint}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    let (sent, posted) = channel(64);
    let posts = listener;
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = posts.accept().await {
            let sent = sent.clone();
            tokio::spawn(async move {
                loop {
                    let head = until(&mut socket, b"\r\n\r\n").await;
                    if head.is_empty() {
                        return;
                    }
                    assert!(head.starts_with("POST /m?s=1 HTTP/1.1\r\n"), "{head}");
                    let length = head.split("content-length: ").nth(1).unwrap();
                    let mut body = vec![0; length.split("\r\n").next().unwrap().parse().unwrap()];
                    socket.read_exact(&mut body).await.unwrap();
                    let text = String::from_utf8(body).unwrap();
                    let status = if text.contains("\"initialize\"") || text.contains("/initialized")
                    {
                        "202 Accepted"
                    } else {
                        status
                    };
                    let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 8\r\n\r\nAccepted");
                    socket.write_all(answer.as_bytes()).await.unwrap();
                    sent.send(text).await.unwrap();
                }
            });
        }
    });
    let mut server = Server { stream, posted };
    if let Some(asked) = tokio::select! {
        asked = server.posted.recv() => asked,
        () = async { while !opening.is_finished() { tokio::task::yield_now().await } } => None,
    } {
        server.say(&HELLO.replace("ID", Server::id(&asked))).await;
    }
    let connection = opening.await.unwrap()?;
    assert!(server.next().await.contains("notifications/initialized"));
    Ok((connection, inbound, server))
}

async fn until(socket: &mut TcpStream, end: &[u8]) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end) {
        match socket.read_u8().await {
            Ok(byte) => read.push(byte),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8(read).unwrap()
}

#[tokio::test]
async fn interleaved_answers_find_their_calls_byte_for_byte() {
    let (connection, _inbound, mut server) = opened("/m?s=1", "202 Accepted").await.unwrap();
    let answers = async {
        let (one, two) = (server.next().await, server.next().await);
        for body in [&two, &one] {
            server
                .say(&format!(
                    r#"{{ "result":1.0,"x":"\u0041","id":{}, "jsonrpc":"2.0"}}"#,
                    Server::id(body)
                ))
                .await;
        }
        [one, two]
    };
    let calls = async {
        tokio::join!(
            exchange(&connection, outgoing(1, "a")),
            exchange(&connection, outgoing(2, "b"))
        )
    };
    let (bodies, ((first, _), (second, _))) = tokio::join!(answers, calls);
    assert!(bodies.contains(&String::from_utf8(outgoing(1, "a").body.to_vec()).unwrap()));
    for (nonce, messages) in [(1, first), (2, second)] {
        let id = outgoing(nonce, "").nonce.id();
        let id = String::from_utf8_lossy(id.as_bytes()).into_owned();
        assert_eq!(
            messages,
            [format!(r#"{{ "result":1.0,"x":"\u0041","id":{id}, "jsonrpc":"2.0"}}"#)]
        );
    }
}

#[tokio::test]
async fn a_server_that_asks_is_answered() {
    let (_connection, mut inbound, mut server) = opened("/m?s=1", "202 Accepted").await.unwrap();
    server.say(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).await;
    assert_eq!(server.next().await, r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
    server.say(r#"{"jsonrpc":"2.0","id":2,"method":"sampling/createMessage"}"#).await;
    assert!(server.next().await.contains("-32601"));
    server.say(r#"{"jsonrpc":"2.0","method":"notifications/prompts/list_changed"}"#).await;
    assert!(matches!(inbound.recv().await, Some(Inbound::ListChanged(mcp::ListKind::Prompts))));
}

#[tokio::test]
async fn the_end_of_the_stream_fails_the_calls_in_flight() {
    let (connection, mut inbound, mut server) = opened("/m?s=1", "202 Accepted").await.unwrap();
    let ending = async {
        server.next().await;
        drop(server);
    };
    let ((messages, class), ()) = tokio::join!(exchange(&connection, outgoing(1, "a")), ending);
    assert_eq!((messages.len(), class), (0, "cut"));
    assert!(matches!(inbound.recv().await, Some(Inbound::Closed(_))));
    assert!(!connection.is_open());
    assert_eq!(exchange(&connection, outgoing(2, "a")).await.1, "closed");
}

#[tokio::test]
async fn a_post_that_is_refused_fails_its_call_alone() {
    let (connection, _inbound, _server) = opened("m?s=1", "500 Oh").await.unwrap();
    assert_eq!(exchange(&connection, outgoing(1, "a")).await.1, "status");
    assert!(connection.is_open());
    let (connection, _inbound, _server) = opened("m?s=1", "404 Not Found").await.unwrap();
    assert_eq!(exchange(&connection, outgoing(1, "a")).await.1, "session_gone");
    assert!(!connection.is_open());
}

#[tokio::test]
async fn an_endpoint_elsewhere_is_refused() {
    let error = opened("http://169.254.169.254/m", "202 Accepted").await.err().unwrap();
    assert_eq!(error.class(), "invalid");
}

#[tokio::test]
async fn a_dropped_connection_ends_its_stream() {
    let (connection, _inbound, mut server) = opened("/m?s=1", "202 Accepted").await.unwrap();
    drop(connection);
    assert_eq!(
        tokio::time::timeout(LONG, server.stream.read(&mut [0; 1])).await.unwrap().unwrap(),
        0
    );
}
