//! A client with a stream of its own that calls both targets at the same time, and answers what it is asked wherever
//! that comes.

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{EventStream, Gateway, Wire, request};

use crate::TARGETS;
use crate::question::{CALLS, PLACES, Place, UNANSWERED, answer};

/// What the targets ask outside of calls until the last one.
const OWN_QUESTIONS: usize = TARGETS.len() * CALLS * places(&PLACES, Place::Own);

/// A client with an open session.
pub(crate) struct Client {
    number: u64,
    wire: Wire,
    own: EventStream,
    transport: Transport,
    /// The calls in which it leaves.
    calls: Vec<EventStream>,
}

/// How it speaks, and so how it leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transport {
    Streamable,
    /// Everything comes on the one stream.
    Sse,
}

impl Client {
    /// Opens a session, and the stream of its GET.
    pub(crate) async fn of_streamable(gateway: &Gateway, number: usize) -> anyhow::Result<Self> {
        let wire = Wire::open_with(&gateway.url("/mcp"), "2025-11-25", able()).await?;
        let own = wire.beside().listen().await?;
        let (number, transport) = (number as u64, Transport::Streamable);
        Ok(Self { number, wire, own, transport, calls: Vec::new() })
    }

    /// Opens a stream, and a session on it.
    pub(crate) async fn of_sse(gateway: &Gateway, number: usize) -> anyhow::Result<Self> {
        let mut own = Wire::new(&gateway.url("/mcp"))?.listen().await?;
        let (endpoint, _) = own.message().await?;
        let mut wire = Wire::new(&gateway.url(&endpoint.data))?;
        let hello = json!({
            "protocolVersion": "2025-11-25", "capabilities": able(),
            "clientInfo": { "name": "testkit", "version": "1" },
        });
        wire.tell(request("\"hello\"", "initialize", &hello)).await?;
        own.message().await?;
        wire.tell(testkit::notification("notifications/initialized", &json!({}))).await?;
        let (number, transport) = (number as u64, Transport::Sse);
        Ok(Self { number, wire, own, transport, calls: Vec::new() })
    }

    /// Calls both targets and answers them; of the last calls it keeps what it is asked to itself.
    pub(crate) async fn work(mut self) -> anyhow::Result<Self> {
        let (number, wire) = (self.number, &self.wire);
        let worked = async {
            match self.transport {
                Transport::Streamable => {
                    let [a, b] = TARGETS;
                    let own = hear(number, wire.beside(), &mut self.own);
                    let in_a = call(number, wire.beside(), a);
                    let in_b = call(number, wire.beside(), b);
                    let own = async { own.await.context("on its own stream") };
                    let in_a = async { in_a.await.with_context(|| format!("in a call of `{a}`")) };
                    let in_b = async { in_b.await.with_context(|| format!("in a call of `{b}`")) };
                    let ((), in_a, in_b) = tokio::try_join!(own, in_a, in_b)?;
                    self.calls = vec![in_a, in_b];
                    Ok(())
                }
                Transport::Sse => converse(number, wire.beside(), &mut self.own).await,
            }
        };
        worked.await.with_context(|| format!("client {number}"))?;
        Ok(self)
    }

    /// Every other client of streamable HTTP says that it leaves; others only go.
    pub(crate) async fn leave(mut self) -> anyhow::Result<()> {
        if self.transport == Transport::Streamable && self.number.is_multiple_of(2) {
            let answer = self.wire.delete().await?;
            anyhow::ensure!(answer.status.is_success(), "client {}: {answer:?}", self.number);
        }
        Ok(())
    }
}

/// Answers what comes on the stream of a GET: two questions at a time, the second first.
async fn hear(client: u64, mut wire: Wire, own: &mut EventStream) -> anyhow::Result<()> {
    let (mut answered, mut unanswered) = (0, 0);
    let mut first = None;
    while answered < OWN_QUESTIONS || unanswered < TARGETS.len() {
        let (_, message) = own.message().await?;
        let label = label(client, &message, Place::Own)?;
        if label.get("isAnswered") == Some(&json!(false)) {
            unanswered += 1;
            continue;
        }
        answered += 1;
        let Some(first) = first.take() else {
            first = Some(message);
            continue;
        };
        wire.tell(answer(client, &message)?).await?;
        wire.tell(answer(client, &first)?).await?;
    }
    Ok(())
}

/// Calls `target` again and again and answers what comes on the streams of the calls, the last question first; gives
/// the stream of the call in which it leaves.
async fn call(client: u64, mut wire: Wire, target: &str) -> anyhow::Result<EventStream> {
    let mut beside = wire.beside();
    for number in 0..CALLS {
        let mut stream = wire.post_and_read(tool_call(client, target, number)).await?.events()?;
        let mut questions = Vec::new();
        while questions.len() < places(&PLACES, Place::Call) {
            let (_, message) = stream.message().await?;
            let label = label(client, &message, Place::Call)?;
            anyhow::ensure!(
                label.get("target") == Some(&json!(target)),
                "asked in a call of {target}: {message}"
            );
            questions.push(message);
        }
        for question in questions.iter().rev() {
            beside.tell(answer(client, question)?).await?;
        }
        let (_, result) = stream.message().await?;
        check_result(client, target, number, &result)?;
        anyhow::ensure!(stream.next().await?.is_none(), "something came after the result");
    }
    let mut stream = wire.post_and_read(tool_call(client, target, CALLS)).await?.events()?;
    for _ in 0..places(&UNANSWERED, Place::Call) {
        let (_, message) = stream.message().await?;
        label(client, &message, Place::Call)?;
    }
    Ok(stream)
}

/// Calls both targets again and again and answers what comes, all on one stream.
async fn converse(client: u64, mut wire: Wire, own: &mut EventStream) -> anyhow::Result<()> {
    for target in TARGETS {
        wire.tell(tool_call(client, target, 0)).await?;
    }
    let mut unanswered = 0;
    while unanswered < TARGETS.len() * UNANSWERED.len() {
        let (_, message) = own.message().await?;
        if message.get("method").is_none() {
            let (target, number) = call_of(&message)?;
            check_result(client, target, number, &message)?;
            wire.tell(tool_call(client, target, number + 1)).await?;
            continue;
        }
        let place = message.pointer("/params/_meta/question/place").cloned();
        let is_call = place == Some(json!(Place::Call.name()));
        let place = if is_call { Place::Call } else { Place::Own };
        match label(client, &message, place)?.get("isAnswered") {
            Some(Value::Bool(true)) => wire.tell(answer(client, &message)?).await?,
            _ => unanswered += 1,
        }
    }
    Ok(())
}

/// What a question says of itself: it is for this client, and came where it belongs.
fn label(client: u64, question: &Value, place: Place) -> anyhow::Result<Value> {
    let label = question.pointer("/params/_meta/question").cloned();
    let label = label.with_context(|| format!("not a question: {question}"))?;
    let is_mine = label.get("client") == Some(&json!(client));
    anyhow::ensure!(is_mine, "crossed: client {client} is asked {question}");
    let is_here = label.get("place") == Some(&json!(place.name()));
    anyhow::ensure!(is_here, "on the stream of the {}: {question}", place.name());
    Ok(label)
}

fn check_result(client: u64, target: &str, number: usize, result: &Value) -> anyhow::Result<()> {
    let is_of_call = call_of(result).ok() == Some((target, number));
    let meta = json!({ "client": client, "target": target });
    let is_mine = is_of_call && result.pointer("/result/_meta") == Some(&meta);
    anyhow::ensure!(is_mine, "call {number} of client {client} to {target}: {result}");
    Ok(())
}

/// A call, by the same id as every client's.
fn tool_call(client: u64, target: &str, number: usize) -> String {
    let arguments = json!({ "client": client, "leaves": number == CALLS });
    let params = json!({ "name": format!("{target}_work"), "arguments": arguments });
    request(&id(target, number).to_string(), "tools/call", &params)
}

fn id(target: &str, number: usize) -> Value {
    json!(format!("{target}{number}"))
}

/// The call that a result is of.
fn call_of(result: &Value) -> anyhow::Result<(&'static str, usize)> {
    let all = TARGETS.into_iter().flat_map(|target| (0..CALLS).map(move |number| (target, number)));
    let mut of_id = all.filter(|(target, number)| result.get("id") == Some(&id(target, *number)));
    of_id.next().with_context(|| format!("of no call: {result}"))
}

fn able() -> Value {
    json!({ "roots": { "listChanged": true }, "sampling": {}, "elicitation": {} })
}

/// How many of `all` are `place`.
const fn places(all: &[Place], place: Place) -> usize {
    let (mut rest, mut count) = (all, 0);
    while let [first, others @ ..] = rest {
        if *first as u8 == place as u8 {
            count += 1;
        }
        rest = others;
    }
    count
}
