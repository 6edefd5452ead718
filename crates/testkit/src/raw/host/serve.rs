//! The connections of a server: HTTP requests one after another, or a pipe that a bridge joins to its port.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::io::BufReader;
use tokio::net::tcp::OwnedReadHalf;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};

use crate::raw::connection::{Out, ends, read_line, read_request, send, write};
use crate::raw::framing::{self, Framing};
use crate::raw::host::desk::{Desk, Outcome};
use crate::raw::host::{HostKind, OwnStream, Visit};
use crate::raw::{RawCall, RawRequest};

/// Serves every connection until the server is dropped.
pub(super) async fn accept(listener: TcpListener, desk: Desk) {
    while let Ok((stream, _)) = listener.accept().await {
        let desk = desk.clone();
        tokio::spawn(async move {
            desk.connections.fetch_add(1, Ordering::AcqRel);
            serve(stream, &desk).await;
            desk.connections.fetch_sub(1, Ordering::AcqRel);
        });
    }
}

async fn serve(stream: TcpStream, desk: &Desk) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (reads, writes) = stream.into_split();
    let (out, bytes) = mpsc::unbounded_channel();
    let writing = tokio::spawn(write(writes, bytes));
    let reader = BufReader::new(reads);
    let is_cut = match desk.kind {
        HostKind::Stdio => serve_pipe(desk, reader, &out).await,
        HostKind::Sessions | HostKind::NoSessions | HostKind::Sse => {
            serve_http(desk, reader, &out).await
        }
    };
    if is_cut {
        writing.abort();
    }
}

/// Says whether nothing is to be written any more: the test cut it, or the gateway left.
async fn serve_http(desk: &Desk, mut reader: BufReader<OwnedReadHalf>, out: &Out) -> bool {
    while let Ok(request) = read_request(&mut reader).await {
        let is_left = match take(desk, request, out) {
            Asked::Nothing => false,
            Asked::Stream(end) => {
                let mut end = end.subscribe();
                tokio::select! {
                    _ = end.wait_for(|is_cut| *is_cut) => return true,
                    ended = ends(&mut reader) => ended,
                }
            }
            Asked::Call(request) => {
                let (done, is_done) = oneshot::channel();
                let (leave, left) = watch::channel(false);
                let call = RawCall {
                    request,
                    framing: Framing::Events,
                    head_is_sent: false,
                    out: out.clone(),
                    left,
                    _done: done,
                };
                if desk.calls.send(call).is_err() {
                    return false;
                }
                tokio::select! {
                    _ = is_done => false,
                    ended = ends(&mut reader) => {
                        leave.send_replace(ended);
                        ended
                    }
                }
            }
        };
        if is_left {
            // Whoever could still write does not keep the connection.
            return true;
        }
    }
    false
}

/// What is not answered at once.
enum Asked {
    Nothing,
    Call(RawRequest),
    Stream(Arc<watch::Sender<bool>>),
}

fn take(desk: &Desk, request: RawRequest, out: &Out) -> Asked {
    let is_get = request.head.starts_with("GET ");
    if desk.kind == HostKind::Sse && is_get {
        let visit = desk.open();
        let asked = Asked::Stream(own_stream(&visit, Framing::Sse, out));
        send(out, framing::EVENTS_HEAD.as_bytes().to_vec());
        send(out, framing::event("endpoint", &format!("/messages?session={}", visit.id)));
        return asked;
    }
    let is_hello = request.is("initialize");
    let Some(visit) = visit_of(desk, &request, is_hello) else {
        send(out, b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec());
        return Asked::Nothing;
    };
    if is_get && desk.kind == HostKind::Sessions {
        visit.requests.push(request);
        send(out, framing::EVENTS_HEAD.as_bytes().to_vec());
        return Asked::Stream(own_stream(&visit, Framing::Events, out));
    }
    if is_get {
        let refused = "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n";
        send(out, refused.as_bytes().to_vec());
        return Asked::Nothing;
    }
    let outcome = desk.take(&visit, &request);
    if desk.kind == HostKind::Sse {
        send(out, framing::ACCEPTED.as_bytes().to_vec());
        answer_on_stream(desk, &visit, request, outcome);
        return Asked::Nothing;
    }
    match outcome {
        Outcome::Answer(answer) => {
            let has_id = is_hello && desk.kind == HostKind::Sessions;
            let session = format!("mcp-session-id: {}\r\n", visit.id);
            send(out, framing::json(&answer, if has_id { &session } else { "" }));
            Asked::Nothing
        }
        Outcome::Taken => {
            send(out, framing::ACCEPTED.as_bytes().to_vec());
            Asked::Nothing
        }
        Outcome::Call => Asked::Call(request),
    }
}

/// The session that a request names; a new one for whoever says hello; without sessions, that of all.
fn visit_of(desk: &Desk, request: &RawRequest, is_hello: bool) -> Option<Arc<Visit>> {
    match desk.kind {
        HostKind::Sessions if is_hello => Some(desk.open()),
        HostKind::Sessions => desk.visit(&request.header("mcp-session-id")?),
        HostKind::NoSessions => desk.visits.find(|_| true),
        HostKind::Sse | HostKind::Stdio => desk.visit(&session_of(request)?),
    }
}

/// The session in the address of a POST.
pub(super) fn session_of(request: &RawRequest) -> Option<String> {
    let (_, after) = request.head.split_once("session=")?;
    after.split_ascii_whitespace().next().map(str::to_owned)
}

/// Says whether the test cut it.
async fn serve_pipe(desk: &Desk, mut reader: BufReader<OwnedReadHalf>, out: &Out) -> bool {
    let visit = desk.open();
    let mut end = own_stream(&visit, Framing::Stdio, out).subscribe();
    loop {
        let line = tokio::select! {
            _ = end.wait_for(|is_cut| *is_cut) => return true,
            line = read_line(&mut reader) => line,
        };
        let Ok(line) = line else { return false };
        let request = RawRequest { head: format!("session={}", visit.id), ..line };
        let outcome = desk.take(&visit, &request);
        answer_on_stream(desk, &visit, request, outcome);
    }
}

fn own_stream(visit: &Visit, framing: Framing, out: &Out) -> Arc<watch::Sender<bool>> {
    let end = Arc::new(watch::Sender::new(false));
    visit.streams.push(OwnStream { out: out.clone(), framing, end: end.clone() });
    end
}

/// Where one stream carries everything, answers are on it too.
fn answer_on_stream(desk: &Desk, visit: &Visit, request: RawRequest, outcome: Outcome) {
    let Some(stream) = visit.streams.all().pop() else { return };
    match outcome {
        Outcome::Answer(answer) => send(&stream.out, stream.framing.message(&answer)),
        Outcome::Taken => {}
        Outcome::Call => {
            let (done, _) = oneshot::channel();
            let (_, left) = watch::channel(false);
            let call = RawCall {
                request,
                framing: stream.framing,
                head_is_sent: false,
                out: stream.out,
                left,
                _done: done,
            };
            // A test that is over answers nothing any more.
            let _ = desk.calls.send(call);
        }
    }
}
