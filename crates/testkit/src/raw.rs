//! An MCP server on raw sockets, for what no real server can be made to do: it keeps every byte that it is sent, and a
//! test writes every byte of its answers. Only the opening of a session and the lists are answered by themselves.

mod connection;
mod framing;
mod host;

use std::net::Ipv4Addr;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, oneshot, watch};

use crate::raw::connection::Desk;
pub use crate::raw::framing::Framing;
pub use crate::raw::host::{Host, HostKind, Visit, one_tool};
use crate::record::{Record, within};

/// A running server. It offers one tool, `work`, whose calls the test answers.
pub struct RawServer {
    /// How it speaks.
    pub framing: Framing,
    /// Where it listens.
    pub port: u16,
    /// Everything that it was sent.
    pub requests: Record<RawRequest>,
    calls: Mutex<mpsc::UnboundedReceiver<RawCall>>,
}

/// One request or notification, as it came.
#[derive(Debug, Clone)]
pub struct RawRequest {
    /// Request line and headers; of a pipe, at most which session it is.
    pub head: String,
    /// The body: one JSON-RPC message, or nothing.
    pub body: String,
}

/// A request that the test has to answer. Dropping it ends the answer.
pub struct RawCall {
    /// What was asked.
    pub request: RawRequest,
    framing: Framing,
    head_is_sent: bool,
    out: mpsc::UnboundedSender<Vec<u8>>,
    left: watch::Receiver<bool>,
    _done: oneshot::Sender<()>,
}

impl RawServer {
    /// Listens on a port of its own.
    pub async fn start(framing: Framing) -> anyhow::Result<Self> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for a server")?;
        let port = listener.local_addr().context("a server without an address")?.port();
        let requests = Record::default();
        let (calls, receiver) = mpsc::unbounded_channel();
        let desk = Desk::new(framing, requests.clone(), calls);
        tokio::spawn(connection::accept(listener, desk));
        Ok(Self { framing, port, requests, calls: Mutex::new(receiver) })
    }

    /// The lines of a native document that make it a target called `name`; `bridge` is the program that joins a pipe
    /// to its port.
    pub fn target(&self, name: &str, bridge: &Path) -> String {
        let port = self.port;
        match self.framing {
            Framing::Json | Framing::Events => {
                format!("- name: {name}\n  url: http://127.0.0.1:{port}/mcp\n")
            }
            Framing::Sse => {
                format!("- name: {name}\n  url: http://127.0.0.1:{port}/sse\n  transport: sse\n")
            }
            Framing::Stdio => {
                format!("- name: {name}\n  command: {}\n  args: [\"{port}\"]\n", bridge.display())
            }
        }
    }

    /// Awaits the next request that the test has to answer.
    pub async fn call(&self) -> anyhow::Result<RawCall> {
        let mut calls = self.calls.lock().await;
        within("a call upstream", calls.recv()).await?.context("the server is gone")
    }

    /// Awaits a request or notification of `method`.
    pub async fn sees(&self, method: &str) -> anyhow::Result<RawRequest> {
        self.requests.first(&format!("`{method}` upstream"), |request| request.is(method)).await
    }

    /// How many requests and notifications of `method` came.
    pub fn count(&self, method: &str) -> usize {
        self.requests.all().iter().filter(|request| request.is(method)).count()
    }
}

impl RawRequest {
    /// Whether this is a message of `method`.
    pub fn is(&self, method: &str) -> bool {
        self.message().get("method").and_then(Value::as_str) == Some(method)
    }

    /// The message, parsed; null for a request without a body.
    pub fn message(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    /// Whether this is the answer to the question with this raw id.
    pub fn answers(&self, id: &str) -> bool {
        let message = self.message();
        let is_answer = message.get("result").or(message.get("error")).is_some();
        is_answer && message.get("id").map(Value::to_string).as_deref() == Some(id)
    }

    /// A header, if it came.
    pub fn header(&self, name: &str) -> Option<String> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value.trim().to_owned())
    }

    /// Its id as raw JSON; empty for a notification.
    pub fn id(&self) -> String {
        self.message().get("id").map(Value::to_string).unwrap_or_default()
    }

    /// Its progress token as raw JSON; empty if it has none.
    pub fn progress_token(&self) -> String {
        let message = self.message();
        message.pointer("/params/_meta/progressToken").map(Value::to_string).unwrap_or_default()
    }
}

impl RawCall {
    /// Sends one message in the server's framing; a JSON answer takes exactly one.
    pub fn send(&mut self, message: &str) -> anyhow::Result<()> {
        if self.framing == Framing::Events && !self.head_is_sent {
            self.send_head()?;
        }
        self.send_raw(self.framing.message(message))
    }

    /// Sends the head of an event stream, and nothing in it yet.
    pub fn send_head(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.framing == Framing::Events, "only an event stream has a head");
        self.head_is_sent = true;
        self.send_raw(framing::EVENTS_HEAD.as_bytes().to_vec())
    }

    /// Sends bytes as they are.
    pub fn send_raw(&self, bytes: Vec<u8>) -> anyhow::Result<()> {
        self.out.send(bytes).ok().context("the gateway is gone")
    }

    /// Sends an event of the test's own making in the stream: its lines, without the empty one.
    pub fn send_event(&mut self, lines: &str) -> anyhow::Result<()> {
        if self.framing != Framing::Sse && !self.head_is_sent {
            self.send_head()?;
        }
        let event = format!("{lines}\n\n");
        self.send_raw(format!("{:x}\r\n{event}\r\n", event.len()).into_bytes())
    }

    /// Sends the result, and ends the answer.
    pub fn result(mut self, result: &Value) -> anyhow::Result<()> {
        let id = self.request.id();
        self.send(&format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#))?;
        self.end()
    }

    /// Ends the answer; its connection is there for the next request.
    pub fn end(self) -> anyhow::Result<()> {
        if self.head_is_sent {
            self.send_raw(framing::EVENTS_END.as_bytes().to_vec())
        } else {
            Ok(())
        }
    }

    /// Awaits the moment when the gateway closes the connection of this call.
    pub async fn is_left(&mut self) -> anyhow::Result<()> {
        within("the gateway to leave", self.left.wait_for(|left| *left))
            .await?
            .map(drop)
            .context("the connection is gone, and did not say so")
    }
}
