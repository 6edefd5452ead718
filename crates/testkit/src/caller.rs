//! A client that speaks in any of the ways in which clients of the legacy revisions can, and hides nothing: whatever it
//! hears is recorded, with the stream on which it came.

mod front;
mod way;

use std::collections::HashMap;

use anyhow::Context;
use serde_json::{Value, json};
use tokio::task::{AbortHandle, JoinSet};

pub use crate::caller::front::Front;
use crate::caller::way::Way;
use crate::conversation::{notification, request};
use crate::record::Record;
use crate::wire::{Event, Wire};

/// A transport, and the revision that a client speaks over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallerKind {
    /// HTTP+SSE, which is 2024-11-05.
    Sse,
    /// Streamable HTTP in this revision.
    Streamable(&'static str),
    /// Standard input and output of a gateway of its own, in 2025-11-25.
    Stdio,
}

/// A connected client with a session of its own. Dropping it drops its connections.
pub struct Caller {
    /// How it speaks.
    pub kind: CallerKind,
    /// Everything that it heard since its session was opened.
    pub heard: Record<Heard>,
    way: Way,
    readers: JoinSet<()>,
    calls: HashMap<String, AbortHandle>,
    requests: u64,
}

/// A message that came, or an event without one.
#[derive(Debug, Clone)]
pub struct Heard {
    /// The stream on which it came.
    pub place: Place,
    /// The id of its event, where it has one.
    pub event: Option<String>,
    /// The message, or what came instead of one, as it was written.
    pub text: String,
    /// The same, parsed; null where it is no JSON.
    pub message: Value,
}

/// A stream of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The answer to the request with this raw id.
    Call(String),
    /// The one that it opened by GET, for what belongs to no call.
    Own,
    /// The rest of one that it lost.
    Resumed,
    /// The one that carries everything.
    Only,
}

impl CallerKind {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Sse,
        Self::Streamable("2025-03-26"),
        Self::Streamable("2025-06-18"),
        Self::Streamable("2025-11-25"),
        Self::Stdio,
    ];

    /// The revision that it speaks.
    pub fn revision(self) -> &'static str {
        match self {
            Self::Sse => "2024-11-05",
            Self::Streamable(revision) => revision,
            Self::Stdio => "2025-11-25",
        }
    }

    /// Whether it hears every answer on a stream of its own.
    pub fn is_streamable(self) -> bool {
        matches!(self, Self::Streamable(_))
    }

    /// Where what belongs to the request with this raw id has to come.
    pub fn place_of(self, id: &str) -> Place {
        if self.is_streamable() { Place::Call(id.to_owned()) } else { Place::Only }
    }

    /// Where what belongs to no request has to come.
    pub fn own_place(self) -> Place {
        if self.is_streamable() { Place::Own } else { Place::Only }
    }
}

impl Heard {
    /// Whether it is a message of `method`.
    pub fn is(&self, method: &str) -> bool {
        self.message.get("method").and_then(Value::as_str) == Some(method)
    }

    /// Whether it answers the request with this raw id.
    pub fn answers(&self, id: &str) -> bool {
        let is_answer = self.message.get("result").or(self.message.get("error")).is_some();
        is_answer && self.message.get("id").map(Value::to_string).as_deref() == Some(id)
    }

    /// A value in it; null where there is none.
    pub fn at(&self, pointer: &str) -> Value {
        self.message.pointer(pointer).cloned().unwrap_or_default()
    }

    fn of(place: &Place, event: Option<String>, text: String) -> Self {
        let message = serde_json::from_str(&text).unwrap_or_default();
        Self { place: place.clone(), event, text, message }
    }

    fn of_event(place: &Place, event: Event) -> Self {
        Self::of(place, event.id, event.data)
    }
}

impl Caller {
    async fn open(kind: CallerKind, way: Way, capabilities: Value) -> anyhow::Result<Self> {
        let (heard, readers) = (Record::default(), JoinSet::new());
        let mut caller = Self { kind, heard, way, readers, calls: HashMap::new(), requests: 0 };
        caller.way.listen(&mut caller.readers, &caller.heard).await?;
        if !kind.is_streamable() {
            let params = json!({
                "protocolVersion": kind.revision(), "capabilities": capabilities,
                "clientInfo": { "name": "testkit", "version": "1" },
            });
            caller.send(&request("\"hello\"", "initialize", &params)).await?;
            let hello = caller.answer("\"hello\"").await?;
            anyhow::ensure!(hello.at("/result/protocolVersion") == kind.revision(), "{hello:?}");
            caller.send(&notification("notifications/initialized", &json!({}))).await?;
        }
        Ok(caller)
    }

    /// Says something, whatever it is. What comes of a request is heard later.
    pub async fn send(&mut self, body: &str) -> anyhow::Result<()> {
        let message: Value = serde_json::from_str(body).unwrap_or_default();
        let id =
            message.get("id").filter(|_| message.get("method").is_some()).map(Value::to_string);
        let call = self.way.send(body, id.as_deref(), &mut self.readers, &self.heard).await?;
        if let (Some(id), Some(call)) = (id, call) {
            self.calls.insert(id, call);
        }
        Ok(())
    }

    /// Asks for something and gives the response: a result or an error.
    pub async fn request(&mut self, method: &str, params: Value) -> anyhow::Result<Heard> {
        self.requests += 1;
        let id = format!("\"own-{}\"", self.requests);
        self.send(&request(&id, method, &params)).await?;
        self.answer(&id).await
    }

    /// Calls a tool and gives the response.
    pub async fn call(&mut self, tool: &str) -> anyhow::Result<Heard> {
        self.request("tools/call", json!({ "name": tool, "arguments": {} })).await
    }

    /// The names of the tools that are listed.
    pub async fn tools(&mut self) -> anyhow::Result<Vec<String>> {
        let answer = self.request("tools/list", json!({})).await?;
        let tools = answer.at("/result/tools");
        let tools = tools.as_array().with_context(|| format!("no tools: {answer:?}"))?;
        let names = tools.iter().filter_map(|tool| tool.get("name")?.as_str());
        Ok(names.map(str::to_owned).collect())
    }

    /// Awaits the response to the request with this raw id, on the stream where it belongs.
    pub async fn answer(&self, id: &str) -> anyhow::Result<Heard> {
        let answer = self.hears(&format!("the answer to {id}"), |heard| heard.answers(id)).await?;
        let place = self.kind.place_of(id);
        anyhow::ensure!(answer.place == place || answer.place == Place::Resumed, "{answer:?}");
        Ok(answer)
    }

    /// Awaits something of which `is_it` is true; the error shows what was heard instead.
    pub async fn hears(&self, what: &str, is_it: impl Fn(&Heard) -> bool) -> anyhow::Result<Heard> {
        self.heard.first(what, is_it).await.with_context(|| {
            let heard = self.heard.all();
            let lines = heard.iter().map(|heard| format!("{:?} {}", heard.place, heard.text));
            format!("the client heard:\n{}", lines.collect::<Vec<_>>().join("\n"))
        })
    }

    /// What it heard so far of which `is_it` is true.
    pub fn all(&self, is_it: impl Fn(&Heard) -> bool) -> Vec<Heard> {
        self.heard.all().into_iter().filter(|heard| is_it(heard)).collect()
    }

    /// Loses the answer to the request with this raw id: its connection is closed.
    pub fn lose(&mut self, id: &str) -> anyhow::Result<()> {
        let call = self.calls.remove(id).with_context(|| format!("{id} has no stream"))?;
        call.abort();
        Ok(())
    }

    /// Reads on after an event that it heard.
    pub async fn resume(&mut self, event: &str) -> anyhow::Result<()> {
        let headers = [("last-event-id", event)];
        let events = self.wire()?.get_with(&headers).await?.events()?;
        let heard = self.heard.clone();
        self.readers.spawn(async move { way::read(events, &Place::Resumed, &heard).await });
        Ok(())
    }

    /// Ends the session, each in its way: DELETE, the end of the stream, the end of standard input.
    pub async fn end(&mut self) -> anyhow::Result<()> {
        self.way.end(&mut self.readers).await
    }

    /// A connection for requests of the test's own making, in this session.
    pub fn wire(&self) -> anyhow::Result<Wire> {
        self.way.wire()
    }

    /// The id of its session, as it has to name it.
    pub fn session_id(&self) -> anyhow::Result<String> {
        self.way.session_id()
    }

    /// As [`wire`](Self::wire), in a session whose id is its own but for one letter: nobody opened it.
    pub fn stranger(&self) -> anyhow::Result<Wire> {
        let id = self.session_id()?;
        let middle = id.len() / 2;
        let changed = |(place, letter): (usize, char)| match (place == middle, letter) {
            (true, 'A') => 'B',
            (true, _) => 'A',
            (false, letter) => letter,
        };
        self.way.wire_of(&id.chars().enumerate().map(changed).collect::<String>())
    }
}
