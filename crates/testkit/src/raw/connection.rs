//! One connection of the raw server: requests in, in order; what needs no test is answered here.

use std::io;
use std::sync::Arc;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};

use crate::raw::framing::{self, Framing};
use crate::raw::{RawCall, RawRequest};
use crate::record::Record;

pub(super) type Out = mpsc::UnboundedSender<Vec<u8>>;

/// What all connections of a server share.
#[derive(Clone)]
pub(super) struct Desk {
    framing: Framing,
    requests: Record<RawRequest>,
    calls: mpsc::UnboundedSender<RawCall>,
    /// The GET streams of HTTP+SSE; a session is its place here.
    streams: Record<Arc<Out>>,
}

impl Desk {
    pub(super) fn new(
        framing: Framing,
        requests: Record<RawRequest>,
        calls: mpsc::UnboundedSender<RawCall>,
    ) -> Self {
        Self { framing, requests, calls, streams: Record::default() }
    }
}

/// Serves every connection until the server is dropped.
pub(super) async fn accept(listener: TcpListener, desk: Desk) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, desk.clone()));
    }
}

async fn serve(stream: TcpStream, desk: Desk) {
    let (reads, writes) = stream.into_split();
    let (out, bytes) = mpsc::unbounded_channel();
    tokio::spawn(write(writes, bytes));
    let mut reader = BufReader::new(reads);
    loop {
        let request = match desk.framing {
            Framing::Stdio => read_line(&mut reader).await,
            Framing::Json | Framing::Events | Framing::Sse => read_request(&mut reader).await,
        };
        let Ok(request) = request else { return };
        desk.requests.push(request.clone());
        let Some((request, stream)) = desk.answer(request, &out) else { continue };
        let (done, is_done) = oneshot::channel();
        let (leave, left) = watch::channel(false);
        let framing = desk.framing;
        let call =
            RawCall { request, framing, head_is_sent: false, out: stream, left, _done: done };
        if desk.calls.send(call).is_err() {
            return;
        }
        if framing == Framing::Json || framing == Framing::Events {
            tokio::select! {
                _ = is_done => {}
                ended = ends(&mut reader) => {
                    if ended {
                        leave.send_replace(true);
                        // The call may still look.
                        leave.closed().await;
                        return;
                    }
                }
            }
        }
    }
}

impl Desk {
    /// Answers what needs no test; gives back what does, with the stream to answer it on.
    fn answer(&self, request: RawRequest, out: &Out) -> Option<(RawRequest, Out)> {
        let mut stream = out.clone();
        if self.framing == Framing::Sse {
            if request.head.starts_with("GET ") {
                self.streams.push(Arc::new(out.clone()));
                let place = self.streams.all().len() - 1;
                send(out, framing::EVENTS_HEAD.as_bytes().to_vec());
                send(out, framing::event("endpoint", &format!("/messages?session={place}")));
                return None;
            }
            send(out, framing::ACCEPTED.as_bytes().to_vec());
            stream = self.stream_of(&request)?;
        }
        let message = request.message();
        let (Some(method), Some(id)) =
            (message.get("method").and_then(Value::as_str), message.get("id"))
        else {
            self.accept(&request, out);
            return None;
        };
        let result = match method {
            "initialize" => json!({
                "protocolVersion": message.pointer("/params/protocolVersion"),
                "capabilities": { "tools": { "listChanged": true } },
                "serverInfo": { "name": "raw", "version": "1" },
            }),
            "tools/list" => {
                json!({ "tools": [{ "name": "work", "inputSchema": { "type": "object" } }] })
            }
            "ping" => json!({}),
            _ => return Some((request, stream)),
        };
        let answer = json!({ "jsonrpc": "2.0", "id": id, "result": result }).to_string();
        let session = if method == "initialize" { "mcp-session-id: raw-1\r\n" } else { "" };
        send(&stream, self.framing.answer(&answer, session));
        None
    }

    /// What is no request: a notification, a response, the end of a session, the wish for a GET stream.
    fn accept(&self, request: &RawRequest, out: &Out) {
        if self.framing == Framing::Json || self.framing == Framing::Events {
            let answer = if request.head.starts_with("GET ") {
                "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n"
            } else {
                framing::ACCEPTED
            };
            send(out, answer.as_bytes().to_vec());
        }
    }

    fn stream_of(&self, request: &RawRequest) -> Option<Out> {
        let (_, after) = request.head.split_once("session=")?;
        let place: usize = after.split_ascii_whitespace().next()?.parse().ok()?;
        self.streams.all().get(place).map(|out| out.as_ref().clone())
    }
}

pub(super) fn send(out: &Out, bytes: Vec<u8>) {
    // A connection that is gone needs no answer.
    let _ = out.send(bytes);
}

pub(super) async fn write(mut stream: OwnedWriteHalf, mut bytes: mpsc::UnboundedReceiver<Vec<u8>>) {
    while let Some(chunk) = bytes.recv().await {
        if stream.write_all(&chunk).await.is_err() {
            return;
        }
    }
}

/// Whether the gateway closes the connection before it sends anything more.
pub(super) async fn ends(reader: &mut BufReader<OwnedReadHalf>) -> bool {
    match reader.fill_buf().await {
        Ok(bytes) => bytes.is_empty(),
        Err(_) => true,
    }
}

pub(super) async fn read_line(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<RawRequest> {
    let mut body = String::new();
    if reader.read_line(&mut body).await? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(RawRequest { head: String::new(), body: body.trim_end_matches('\n').to_owned() })
}

pub(super) async fn read_request(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<RawRequest> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|text| text.trim().parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await?;
    Ok(RawRequest { head, body: String::from_utf8_lossy(&body).into_owned() })
}
