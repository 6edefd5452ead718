//! A streamable HTTP server with sessions and GET streams, for what a target says of its own accord: every session is
//! kept apart, and a test writes every event.

use std::net::Ipv4Addr;
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::io::BufReader;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use crate::raw::connection::{Out, ends, read_request, send, write};
use crate::raw::framing::{self, Framing};
use crate::raw::{RawCall, RawRequest};
use crate::record::{Record, within};

type Answers = dyn Fn(&str, &Value) -> Option<Value> + Send + Sync;

/// A running server. What its rules answer it answers by itself, in JSON; the test answers the rest.
pub struct Host {
    /// Where it listens.
    pub port: u16,
    /// Its sessions in the order in which they were opened.
    pub visits: Record<Arc<Visit>>,
    desk: Desk,
    calls: Mutex<mpsc::UnboundedReceiver<RawCall>>,
}

/// One session, as the server knows it.
#[derive(Debug)]
pub struct Visit {
    /// Its session id.
    pub id: String,
    /// Everything that was sent in it, the request that opened it first.
    pub requests: Record<RawRequest>,
    /// Its GET streams; what is said goes on the last.
    streams: Record<GetStream>,
}

/// A GET stream that was opened, and how to end it.
#[derive(Debug, Clone)]
struct GetStream {
    out: Out,
    end: Arc<watch::Sender<bool>>,
}

#[derive(Clone)]
struct Desk {
    visits: Record<Arc<Visit>>,
    answers: Arc<watch::Sender<Arc<Answers>>>,
    gone: Record<String>,
    calls: mpsc::UnboundedSender<RawCall>,
}

impl Host {
    /// Listens on a port of its own. `answers` gives the result of a method with its parameters; what it answers to
    /// `initialize` are the capabilities.
    pub async fn start(
        answers: impl Fn(&str, &Value) -> Option<Value> + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a server")?;
        let port = listener.local_addr().context("a server without an address")?.port();
        let (calls, receiver) = mpsc::unbounded_channel();
        let answers: Arc<Answers> = Arc::new(answers);
        let desk = Desk {
            visits: Record::default(),
            answers: Arc::new(watch::Sender::new(answers)),
            gone: Record::default(),
            calls,
        };
        tokio::spawn(accept(listener, desk.clone()));
        Ok(Self { port, visits: desk.visits.clone(), desk, calls: Mutex::new(receiver) })
    }

    /// A server of one tool, `work`, whose calls the test answers.
    pub async fn of_one_tool() -> anyhow::Result<Self> {
        Self::start(one_tool).await
    }

    /// The lines of a native document that make it a target called `name`.
    pub fn target(&self, name: &str) -> String {
        format!("- name: {name}\n  url: http://127.0.0.1:{}/mcp\n", self.port)
    }

    /// From now on it answers like this.
    pub fn answers(&self, answers: impl Fn(&str, &Value) -> Option<Value> + Send + Sync + 'static) {
        self.desk.answers.send_replace(Arc::new(answers));
    }

    /// Awaits the next request that the test has to answer.
    pub async fn call(&self) -> anyhow::Result<RawCall> {
        let mut calls = self.calls.lock().await;
        within("a call upstream", calls.recv()).await?.context("the server is gone")
    }

    /// The session in which something was sent.
    pub fn visit_of(&self, request: &RawRequest) -> anyhow::Result<Arc<Visit>> {
        let id = request.header("mcp-session-id").context("a request without a session")?;
        self.visit(&id).with_context(|| format!("no session `{id}`"))
    }

    /// Knows a session no more.
    pub fn forget(&self, visit: &Visit) {
        self.desk.gone.push(visit.id.clone());
    }

    /// How many requests and notifications of `method` came, in all sessions.
    pub fn count(&self, method: &str) -> usize {
        let all = self.visits.all();
        all.iter().map(|visit| visit.count(method)).sum()
    }

    fn visit(&self, id: &str) -> Option<Arc<Visit>> {
        self.desk.visit(id)
    }
}

/// What a server of one tool answers by itself.
pub fn one_tool(method: &str, _params: &Value) -> Option<Value> {
    match method {
        "initialize" => Some(json!({ "tools": { "listChanged": true } })),
        "tools/list" => {
            Some(json!({ "tools": [{ "name": "work", "inputSchema": { "type": "object" } }] }))
        }
        _ => None,
    }
}

impl Visit {
    /// Says something on the GET stream, awaiting the first.
    pub async fn say(&self, message: &str) -> anyhow::Result<()> {
        self.say_raw(framing::event("message", message)).await
    }

    /// Says bytes as they are on the GET stream.
    pub async fn say_raw(&self, bytes: Vec<u8>) -> anyhow::Result<()> {
        let stream = self.stream().await?;
        stream.out.send(bytes).ok().context("the gateway left the GET stream")
    }

    /// Cuts the GET stream.
    pub async fn cut(&self) -> anyhow::Result<()> {
        self.stream().await?.end.send_replace(true);
        Ok(())
    }

    /// Awaits as many GET streams, counted from the first.
    pub async fn has_streams(&self, count: usize) -> anyhow::Result<()> {
        let what = format!("GET stream {count}");
        self.streams.until(&what, |all| (all.len() >= count).then_some(())).await
    }

    /// Awaits the answer to a question of the server's, by the question's raw id.
    pub async fn answer(&self, id: &str) -> anyhow::Result<Value> {
        let what = format!("the answer to {id} in {}", self.id);
        let request = self.requests.first(&what, |request| request.answers(id)).await?;
        Ok(request.message())
    }

    /// Awaits a request or notification of `method`.
    pub async fn sees(&self, method: &str) -> anyhow::Result<RawRequest> {
        self.requests.first(&format!("`{method}` upstream"), |request| request.is(method)).await
    }

    /// How many requests and notifications of `method` came.
    pub fn count(&self, method: &str) -> usize {
        self.requests.all().iter().filter(|request| request.is(method)).count()
    }

    async fn stream(&self) -> anyhow::Result<GetStream> {
        self.streams.until("a GET stream", |all| all.last().cloned()).await
    }
}

async fn accept(listener: TcpListener, desk: Desk) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve(stream, desk.clone()));
    }
}

async fn serve(stream: TcpStream, desk: Desk) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let (reads, writes) = stream.into_split();
    let (out, bytes) = mpsc::unbounded_channel();
    let writing = tokio::spawn(write(writes, bytes));
    let mut reader = BufReader::new(reads);
    while let Ok(request) = read_request(&mut reader).await {
        let Some(asked) = desk.take(request, &out) else { continue };
        let is_left = match asked {
            Asked::Stream(end) => {
                let mut end = end.subscribe();
                tokio::select! {
                    _ = end.wait_for(|is_cut| *is_cut) => {
                        writing.abort();
                        true
                    }
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
                    return;
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
            return;
        }
    }
}

/// What is not answered at once.
enum Asked {
    Call(RawRequest),
    Stream(Arc<watch::Sender<bool>>),
}

impl Desk {
    fn visit(&self, id: &str) -> Option<Arc<Visit>> {
        if self.gone.all().iter().any(|gone| gone == id) {
            return None;
        }
        self.visits.find(|visit| visit.id == id)
    }

    fn take(&self, request: RawRequest, out: &Out) -> Option<Asked> {
        let message = request.message();
        let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
        let id = message.get("id").filter(|_| !method.is_empty());
        let params = message.get("params").unwrap_or(&Value::Null);
        let answers = self.answers.borrow().clone();
        if method == "initialize" {
            let id = id?;
            let visit = self.open(request.clone());
            let result = json!({
                "protocolVersion": params.get("protocolVersion"),
                "capabilities": answers(method, params)?,
                "serverInfo": { "name": "host", "version": "1" },
            });
            let session = format!("mcp-session-id: {}\r\n", visit.id);
            send(out, framing::json(&result_of(id, &result), &session));
            return None;
        }
        let session = request.header("mcp-session-id").and_then(|id| self.visit(&id));
        let Some(visit) = session else {
            send(out, b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n".to_vec());
            return None;
        };
        visit.requests.push(request.clone());
        if request.head.starts_with("GET ") {
            let end = Arc::new(watch::Sender::new(false));
            send(out, framing::EVENTS_HEAD.as_bytes().to_vec());
            visit.streams.push(GetStream { out: out.clone(), end: end.clone() });
            return Some(Asked::Stream(end));
        }
        let Some(id) = id else {
            send(out, framing::ACCEPTED.as_bytes().to_vec());
            return None;
        };
        match answers(method, params) {
            Some(result) => {
                send(out, framing::json(&result_of(id, &result), ""));
                None
            }
            None => Some(Asked::Call(request)),
        }
    }

    fn open(&self, request: RawRequest) -> Arc<Visit> {
        let mut opened = None;
        self.visits.change(|visits| {
            let requests = Record::default();
            requests.push(request);
            let id = format!("visit-{}", visits.len());
            let visit = Arc::new(Visit { id, requests, streams: Record::default() });
            visits.push(visit.clone());
            opened = Some(visit);
        });
        opened.unwrap_or_else(|| unreachable!("it was just opened"))
    }
}

/// An error where the result says so.
fn result_of(id: &Value, result: &Value) -> String {
    let mut answer = json!({ "jsonrpc": "2.0", "id": id });
    let (key, value) = match result.get("error") {
        Some(error) => ("error", error),
        None => ("result", result),
    };
    if let Some(members) = answer.as_object_mut() {
        members.insert(key.to_owned(), value.clone());
    }
    answer.to_string()
}
