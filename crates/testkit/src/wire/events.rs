//! An event stream, read event by event.

use anyhow::Context;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde_json::Value;

use crate::record::within;

/// An event stream that is still coming.
pub struct EventStream {
    body: Incoming,
    text: Vec<u8>,
}

/// One event as it came; comments are left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What it is called, where it says so; one without a name is a `message`.
    pub name: Option<String>,
    /// Its id, where it has one.
    pub id: Option<String>,
    /// Its data, empty in one that only primes or only says when to retry.
    pub data: String,
    /// When to come back, where it says so.
    pub retry: Option<String>,
}

impl Event {
    /// The message in it; null where there is none.
    pub fn message(&self) -> Value {
        serde_json::from_str(&self.data).unwrap_or_default()
    }

    /// Reads one event; nothing where the block says nothing.
    pub(crate) fn parse(block: &str) -> Option<Self> {
        let field = |name: &str| {
            let mut lines = block.lines().filter_map(|line| line.strip_prefix(name));
            lines.next().map(|value| value.trim().to_owned())
        };
        let event = Self {
            name: field("event:"),
            id: field("id:"),
            data: field("data:").unwrap_or_default(),
            retry: field("retry:"),
        };
        let says_something = event.id.is_some() || event.retry.is_some() || !event.data.is_empty();
        says_something.then_some(event)
    }
}

impl EventStream {
    pub(super) fn of(body: Incoming) -> Self {
        Self { body, text: Vec::new() }
    }

    /// Awaits the next event; nothing after the end.
    pub async fn next(&mut self) -> anyhow::Result<Option<Event>> {
        within("an event", self.coming()).await?
    }

    /// Awaits the next message, whatever it is.
    pub async fn message(&mut self) -> anyhow::Result<(Event, Value)> {
        loop {
            let event = self.next().await?.context("the stream ended before a message")?;
            if !event.data.is_empty() {
                let message = event.message();
                return Ok((event, message));
            }
        }
    }

    /// Awaits a message of `method`, and passes over others.
    pub async fn method(&mut self, method: &str) -> anyhow::Result<Value> {
        let mut others = Vec::new();
        loop {
            let (_, message) =
                self.message().await.with_context(|| format!("`{method}`, after {others:?}"))?;
            if message.get("method").and_then(Value::as_str) == Some(method) {
                return Ok(message);
            }
            others.push(message);
        }
    }

    /// Awaits the end; the messages until then.
    pub async fn rest(&mut self) -> anyhow::Result<Vec<Value>> {
        let mut messages = Vec::new();
        while let Some(event) = self.next().await? {
            if !event.data.is_empty() {
                messages.push(event.message());
            }
        }
        Ok(messages)
    }

    /// As [`next`](Self::next), however long it takes.
    pub(crate) async fn coming(&mut self) -> anyhow::Result<Option<Event>> {
        loop {
            if let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.text.drain(..end + 2).collect();
                let block = String::from_utf8(block).context("an event that is not UTF-8")?;
                if let Some(event) = Event::parse(&block) {
                    return Ok(Some(event));
                }
                continue;
            }
            let Some(frame) = self.body.frame().await else { return Ok(None) };
            if let Ok(bytes) = frame.context("the stream was cut")?.into_data() {
                self.text.extend_from_slice(&bytes);
            }
        }
    }
}
