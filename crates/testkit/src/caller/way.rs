//! How a client's words get to the gateway, and what it hears into its record.

use anyhow::Context;
use http::{Method, StatusCode};
use serde_json::Value;
use tokio::task::{AbortHandle, JoinSet};

use crate::caller::{Heard, Place};
use crate::piped::Piped;
use crate::record::Record;
use crate::wire::{EventStream, Wire};

/// The revision from which on requests name it.
const NAMES_REVISION: &str = "2025-06-18";

/// The parameter that names the session of a client of HTTP+SSE.
const SESSION: &str = "sessionId=";

/// A transport, as its client holds it.
pub(super) enum Way {
    /// A connection for each request; the revision for the header, where it has that.
    Streamable(Wire, Option<&'static str>),
    /// Where to post, and the stream until it is read.
    Sse(Wire, Option<EventStream>),
    /// Both ends of a pipe.
    Stdio(Piped),
}

impl Way {
    /// Of a session that is open.
    pub(super) fn streamable(wire: Wire, revision: &'static str) -> Self {
        Self::Streamable(wire, (revision >= NAMES_REVISION).then_some(revision))
    }

    /// Opens the stream at `url`.
    pub(super) async fn sse(url: &str) -> anyhow::Result<Self> {
        let mut wire = Wire::new(url)?;
        let mut events = wire.get_with(&[("accept", "text/event-stream")]).await?.events()?;
        let first = events.next().await?.context("the stream ended before an event")?;
        Ok(Self::Sse(wire.at(&first.data)?, Some(events)))
    }

    /// Begins to listen to what belongs to no request.
    pub(super) async fn listen(
        &mut self,
        readers: &mut JoinSet<()>,
        heard: &Record<Heard>,
    ) -> anyhow::Result<()> {
        let heard = heard.clone();
        match self {
            Self::Streamable(wire, _) => {
                let events = wire.beside().listen().await?;
                readers.spawn(async move { read(events, &Place::Own, &heard).await });
            }
            Self::Sse(_, events) => {
                let events = events.take().context("it listens already")?;
                readers.spawn(async move { read(events, &Place::Only, &heard).await });
            }
            Self::Stdio(piped) => {
                let said = piped.said.clone();
                readers.spawn(async move {
                    let mut lines = 0;
                    while let Some(line) = said.at(lines).await {
                        heard.push(Heard::of(&Place::Only, None, line));
                        lines += 1;
                    }
                });
            }
        }
        Ok(())
    }

    /// Says something; `id` is that of a request. What comes of it is heard; gives the reader of that, if there is one.
    pub(super) async fn send(
        &mut self,
        body: &str,
        id: Option<&str>,
        readers: &mut JoinSet<()>,
        heard: &Record<Heard>,
    ) -> anyhow::Result<Option<AbortHandle>> {
        match self {
            Self::Streamable(wire, revision) => {
                let (wire, body, heard) = (wire.beside(), body.to_owned(), heard.clone());
                let revision = *revision;
                let place = Place::Call(id.unwrap_or_default().to_owned());
                if id.is_none() {
                    exchange(wire, body, revision, &place, &heard).await;
                    return Ok(None);
                }
                let reader = readers.spawn(async move {
                    exchange(wire, body, revision, &place, &heard).await;
                });
                Ok(Some(reader))
            }
            Self::Sse(wire, _) => {
                let answer = wire.post(body.to_owned()).await?;
                if answer.status != StatusCode::ACCEPTED {
                    let text = String::from_utf8_lossy(&answer.body).into_owned();
                    heard.push(Heard::of(&Place::Only, None, text));
                }
                Ok(None)
            }
            Self::Stdio(piped) => piped.say(body).await.map(|()| None),
        }
    }

    /// Ends the session.
    pub(super) async fn end(&mut self, readers: &mut JoinSet<()>) -> anyhow::Result<()> {
        match self {
            Self::Streamable(wire, _) => {
                let answer = wire.beside().delete().await?;
                anyhow::ensure!(answer.status.is_success(), "not deleted: {answer:?}");
            }
            Self::Sse(..) => readers.abort_all(),
            Self::Stdio(piped) => piped.close_input(),
        }
        Ok(())
    }

    /// A connection of its own in the same session.
    pub(super) fn wire(&self) -> anyhow::Result<Wire> {
        self.wire_of(&self.session_id()?)
    }

    /// A connection in the session with this id.
    pub(super) fn wire_of(&self, id: &str) -> anyhow::Result<Wire> {
        match self {
            Self::Streamable(wire, _) => {
                let mut wire = wire.beside();
                wire.session = Some(id.to_owned());
                Ok(wire)
            }
            Self::Sse(wire, _) => wire.at(&format!("{}?{SESSION}{id}", wire.path())),
            Self::Stdio(_) => anyhow::bail!("a client on a pipe has no connection"),
        }
    }

    /// The id of the session, as its client has to name it.
    pub(super) fn session_id(&self) -> anyhow::Result<String> {
        let id = match self {
            Self::Streamable(wire, _) => wire.session.clone(),
            Self::Sse(wire, _) => {
                wire.query().and_then(|query| Some(query.strip_prefix(SESSION)?.to_owned()))
            }
            Self::Stdio(_) => None,
        };
        id.context("a session without an id")
    }
}

/// Posts something and records what comes of it; a failure too, so that a test that waits in vain shows it.
async fn exchange(
    mut wire: Wire,
    body: String,
    revision: Option<&'static str>,
    place: &Place,
    heard: &Record<Heard>,
) {
    let headers = revision.map(|revision| ("mcp-protocol-version", revision));
    let outcome = async {
        let reading = wire.send(Method::POST, body.into(), headers.as_slice()).await?;
        if reading.is_event_stream() {
            read(reading.events()?, place, heard).await;
            return Ok(());
        }
        let answer = reading.whole().await?;
        let text =
            String::from_utf8(answer.body.to_vec()).context("an answer that is not UTF-8")?;
        let whole = Heard::of(place, None, text);
        match &whole.message {
            Value::Array(messages) => {
                for message in messages {
                    heard.push(Heard::of(place, None, message.to_string()));
                }
            }
            Value::Null if answer.status != StatusCode::ACCEPTED => {
                anyhow::bail!("{} {}", answer.status, whole.text);
            }
            _ if whole.text.is_empty() => {}
            _ => heard.push(whole),
        }
        anyhow::Ok(())
    };
    if let Err(error) = outcome.await {
        heard.push(Heard::of(place, None, format!("{error:#}")));
    }
}

/// Records a stream, event by event, to its end.
pub(super) async fn read(mut events: EventStream, place: &Place, heard: &Record<Heard>) {
    loop {
        match events.coming().await {
            Ok(Some(event)) => heard.push(Heard::of_event(place, event)),
            Ok(None) => return,
            Err(error) => return heard.push(Heard::of(place, None, format!("{error:#}"))),
        }
    }
}
