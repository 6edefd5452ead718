//! A server over any transport, for what a target says of its own accord: every session is kept apart, and a test
//! writes every event.

mod desk;
mod serve;

use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{Mutex, mpsc, watch};

use crate::raw::connection::Out;
use crate::raw::framing::Framing;
use crate::raw::host::desk::Desk;
use crate::raw::{RawCall, RawRequest};
use crate::record::{Record, within};

/// How a server speaks, and whether it tells its clients apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostKind {
    /// Streamable HTTP with session ids and a GET stream for each.
    Sessions,
    /// Streamable HTTP without session ids: nothing but calls and their answers.
    NoSessions,
    /// HTTP+SSE of 2024-11-05: a GET stream is a session.
    Sse,
    /// Lines on a pipe: a process is a session.
    Stdio,
}

/// A running server. What its rules answer it answers by itself, in JSON; the test answers the rest.
pub struct Host {
    /// How it speaks.
    pub kind: HostKind,
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
    /// Its session id, or what stands for one.
    pub id: String,
    /// Everything that was sent in it, the request that opened it first.
    pub requests: Record<RawRequest>,
    /// Its GET streams, or its pipe; what is said goes on the last.
    streams: Record<OwnStream>,
}

/// A stream for what belongs to no call, and how to end it.
#[derive(Debug, Clone)]
struct OwnStream {
    out: Out,
    framing: Framing,
    end: Arc<watch::Sender<bool>>,
}

impl HostKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Sessions, Self::NoSessions, Self::Sse, Self::Stdio];
}

impl Host {
    /// A streamable HTTP server with sessions. `answers` gives the result of a method with its parameters; what it
    /// answers to `initialize` are the capabilities.
    pub async fn start(
        answers: impl Fn(&str, &Value) -> Option<Value> + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        Self::start_as(HostKind::Sessions, answers).await
    }

    /// As [`start`](Self::start), of any kind. It listens on a port of its own.
    pub async fn start_as(
        kind: HostKind,
        answers: impl Fn(&str, &Value) -> Option<Value> + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let listener = listener().context("no port for a server")?;
        let port = listener.local_addr().context("a server without an address")?.port();
        let (calls, receiver) = mpsc::unbounded_channel();
        let desk = Desk::new(kind, Arc::new(answers), calls);
        tokio::spawn(serve::accept(listener, desk.clone()));
        Ok(Self { kind, port, visits: desk.visits.clone(), desk, calls: Mutex::new(receiver) })
    }

    /// A server of one tool, `work`, whose calls the test answers.
    pub async fn of_one_tool() -> anyhow::Result<Self> {
        Self::start(one_tool).await
    }

    /// The lines of a native document that make it a target called `name`.
    pub fn target(&self, name: &str) -> String {
        format!("- name: {name}\n  url: http://127.0.0.1:{}/mcp\n", self.port)
    }

    /// As [`target`](Self::target), of any kind; `bridge` is the program that joins a pipe to its port.
    pub fn target_by(&self, name: &str, bridge: &Path) -> String {
        let port = self.port;
        match self.kind {
            HostKind::Sessions | HostKind::NoSessions => self.target(name),
            HostKind::Sse => {
                format!("- name: {name}\n  url: http://127.0.0.1:{port}/sse\n  transport: sse\n")
            }
            HostKind::Stdio => {
                format!("- name: {name}\n  command: {}\n  args: [\"{port}\"]\n", bridge.display())
            }
        }
    }

    /// From now on it answers like this.
    pub fn answers(&self, answers: impl Fn(&str, &Value) -> Option<Value> + Send + Sync + 'static) {
        self.desk.answer_by(Arc::new(answers));
    }

    /// Awaits the next request that the test has to answer.
    pub async fn call(&self) -> anyhow::Result<RawCall> {
        let mut calls = self.calls.lock().await;
        within("a call upstream", calls.recv()).await?.context("the server is gone")
    }

    /// The session in which something was sent.
    pub fn visit_of(&self, request: &RawRequest) -> anyhow::Result<Arc<Visit>> {
        let id = request.header("mcp-session-id").or_else(|| serve::session_of(request));
        if self.kind == HostKind::NoSessions {
            return self.visits.find(|_| true).context("nobody has come");
        }
        let id = id.context("a request without a session")?;
        self.desk.visit(&id).with_context(|| format!("no session `{id}`"))
    }

    /// Knows a session no more.
    pub fn forget(&self, visit: &Visit) {
        self.desk.forget(visit);
    }

    /// How many connections are open.
    pub fn connections(&self) -> usize {
        self.desk.connections.load(Ordering::Acquire)
    }

    /// How many requests and notifications of `method` came, in all sessions.
    pub fn count(&self, method: &str) -> usize {
        let all = self.visits.all();
        all.iter().map(|visit| visit.count(method)).sum()
    }
}

/// A port on which many can ask for a connection at once.
fn listener() -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
    socket.listen(4096)
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
    /// Says something that belongs to no call, awaiting the first stream for it.
    pub async fn say(&self, message: &str) -> anyhow::Result<()> {
        let bytes = self.stream().await?.framing.message(message);
        self.say_raw(bytes).await
    }

    /// Says bytes as they are on that stream.
    pub async fn say_raw(&self, bytes: Vec<u8>) -> anyhow::Result<()> {
        let stream = self.stream().await?;
        stream.out.send(bytes).ok().context("the gateway left the GET stream")
    }

    /// Cuts the stream for what belongs to no call; on a pipe, the server is gone.
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

    async fn stream(&self) -> anyhow::Result<OwnStream> {
        self.streams.until("a GET stream", |all| all.last().cloned()).await
    }
}
