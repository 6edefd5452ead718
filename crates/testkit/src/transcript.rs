//! What a client and a server said to each other, as lines that can be compared with what others said: ids and progress
//! tokens are named by the message that they belong to, session and event ids, dates and headers of the connection are
//! left out.

mod names;
mod text;

use std::collections::BTreeSet;

use http::{HeaderMap, Method, StatusCode};
use serde_json::Value;

use crate::recorder::Exchange;
use crate::transcript::names::{CANCELLED, Names, Sender};
use crate::transcript::text::without_dates_and_ids;
use crate::wire::Event;

/// One conversation: what was posted in the order in which it was posted, each with its answer, and then the streams.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// A line for each value of each message, each header and each status.
    pub lines: Vec<String>,
}

/// A line that only one of two transcripts has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Only the first.
    Lost(String),
    /// Only the second.
    Found(String),
}

/// What a message on a stream is about, in the order in which it stands in a transcript.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Concern {
    Other,
    List,
    ChangeOfAList,
}

impl Concern {
    fn of(message: &Value, names: &Names) -> Self {
        let name = names.of_event(message);
        if name.ends_with("/list_changed") {
            Self::ChangeOfAList
        } else if name.starts_with("answer to ") && name.contains("/list ") {
            Self::List
        } else {
            Self::Other
        }
    }
}

/// Headers of a connection, and those that say when; `host` is another address each time.
const LEFT_OUT: [&str; 6] =
    ["connection", "content-length", "date", "host", "keep-alive", "transfer-encoding"];

/// Headers whose value is another one each time.
const IDS: [(&str, &str); 2] = [("last-event-id", "an event"), ("mcp-session-id", "a session")];

impl Transcript {
    /// The transcript of the exchanges of one session, without the messages of a server whose method is one of
    /// `left_out`.
    pub fn of(exchanges: &[Exchange], left_out: &[&str]) -> Self {
        let cancelled = tasks_that_were_cancelled(exchanges);
        let is_told = |event: &Event| {
            let message = event.message();
            let method = message.get("method").and_then(Value::as_str);
            let task = message.pointer("/params/taskId").and_then(Value::as_str);
            // How far a task has come when it is cancelled is by chance.
            let is_by_chance = method == Some("notifications/tasks/status")
                && task.is_some_and(|task| cancelled.contains(task));
            !is_by_chance && method.is_none_or(|method| !left_out.contains(&method))
        };
        let told = |exchange| events(exchange).into_iter().filter(is_told).collect();
        let mut messages: Vec<Vec<Event>> = exchanges.iter().map(told).collect();
        let names = Names::of(exchanges, &messages);
        for (exchange, told) in exchanges.iter().zip(&mut messages) {
            if exchange.method == Method::GET {
                // Lists and their changes belong to no call: when and how often they are said is by chance.
                told.sort_by_key(|event| Concern::of(&event.message(), &names));
                told.dedup_by(|next, event| {
                    let (next, message) = (next.message(), event.message());
                    next == message && Concern::of(&message, &names) == Concern::ChangeOfAList
                });
            }
        }
        let mut transcript = Self { lines: Vec::new() };
        let (streams, posts): (Vec<usize>, Vec<usize>) =
            (0..exchanges.len()).partition(|number| is_stream(exchanges, *number));
        let mut listened = 0;
        for number in posts.into_iter().chain(streams) {
            let (Some(exchange), Some(events)) = (exchanges.get(number), messages.get(number))
            else {
                continue;
            };
            let label = if exchange.method == Method::POST {
                names.of_message(&exchange.message(), Sender::Client)
            } else {
                listened += usize::from(exchange.method == Method::GET);
                format!("{} {}", exchange.method, listened.max(1))
            };
            transcript.request(&label, exchange, &names);
            transcript.answer(&label, exchange, events, &names);
        }
        transcript
    }

    /// What the other has and this has not, and the other way round.
    pub fn changes(&self, other: &Self) -> Vec<Change> {
        let (before, after) = (&self.lines, &other.lines);
        let width = after.len() + 1;
        // `common[a * width + b]`: how many lines the ends from `a` and from `b` on have in common.
        let mut common = vec![0_u32; (before.len() + 1) * width];
        let at = |table: &[u32], a: usize, b: usize| table.get(a * width + b).copied().unwrap_or(0);
        for (a, lost) in before.iter().enumerate().rev() {
            for (b, found) in after.iter().enumerate().rev() {
                let longest = if lost == found {
                    at(&common, a + 1, b + 1) + 1
                } else {
                    at(&common, a + 1, b).max(at(&common, a, b + 1))
                };
                if let Some(cell) = common.get_mut(a * width + b) {
                    *cell = longest;
                }
            }
        }
        let (mut a, mut b) = (0, 0);
        let mut changes = Vec::new();
        loop {
            match (before.get(a), after.get(b)) {
                (Some(lost), Some(found)) if lost == found => (a, b) = (a + 1, b + 1),
                (Some(lost), found)
                    if found.is_none() || at(&common, a + 1, b) >= at(&common, a, b + 1) =>
                {
                    changes.push(Change::Lost(lost.clone()));
                    a += 1;
                }
                (_, Some(found)) => {
                    changes.push(Change::Found(found.clone()));
                    b += 1;
                }
                (_, None) => return changes,
            }
        }
    }

    fn request(&mut self, label: &str, exchange: &Exchange, names: &Names) {
        self.lines.push(format!("{label} > {}", exchange.method));
        self.headers(&format!("{label} >"), &exchange.headers);
        let message = exchange.message();
        if !message.is_null() {
            self.message(&format!("{label} >"), &message, Sender::Client, names);
        }
    }

    fn answer(&mut self, label: &str, exchange: &Exchange, events: &[Event], names: &Names) {
        let Some(answer) = &exchange.answer else { return };
        // Whether the end of what is cancelled is said, or read, before the stream is closed is by chance.
        let is_cancelled = label.ends_with(CANCELLED);
        if !is_cancelled {
            self.lines.push(format!("{label} < {}", answer.status.as_u16()));
            self.headers(&format!("{label} <"), &answer.headers);
        }
        let mut messages = 0;
        for event in events {
            if let Some(retry) = &event.retry {
                self.lines.push(format!("{label} < retry: {retry}"));
            }
            if event.data.is_empty() {
                self.lines.push(format!("{label} < an id and no message"));
                continue;
            }
            if event.name.as_deref() == Some("endpoint") {
                self.lines.push(format!("{label} < where to post"));
                continue;
            }
            let message = event.message();
            if is_cancelled && message.get("method").is_none() {
                continue;
            }
            messages += 1;
            let prefix = if exchange.method == Method::GET {
                // Numbers would tell of one message more or less at all that come after it.
                format!("{label} < {}", names.of_event(&message))
            } else {
                format!("{label} <{messages}")
            };
            let id = if event.id.is_some() { "an id" } else { "no id" };
            self.lines.push(format!("{prefix} with {id}"));
            if message.is_null() {
                self.lines.push(format!("{prefix} {:?}", without_dates_and_ids(&event.data)));
            } else {
                self.message(&prefix, &message, Sender::Server, names);
            }
        }
    }

    fn headers(&mut self, prefix: &str, headers: &HeaderMap) {
        let names: BTreeSet<&str> = headers.keys().map(|name| name.as_str()).collect();
        for name in names {
            if LEFT_OUT.contains(&name) {
                continue;
            }
            let values = headers.get_all(name).iter();
            let values: Vec<_> =
                values.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
            let id = IDS.iter().find_map(|(known, id)| (*known == name).then_some(*id));
            self.lines.push(format!("{prefix} {name}: {}", id.unwrap_or(&values.join(", "))));
        }
    }

    fn message(&mut self, prefix: &str, message: &Value, sender: Sender, names: &Names) {
        let mut pairs = Vec::new();
        flatten(String::new(), message, &mut pairs);
        for (place, value) in pairs {
            let shown = names.of_value(&place, &value, message, sender).unwrap_or_else(|| {
                value.as_str().map_or_else(
                    || value.to_string(),
                    |text| {
                        let text = names.without_tasks(text);
                        Value::from(without_dates_and_ids(&text)).to_string()
                    },
                )
            });
            self.lines.push(format!("{prefix} {place} = {shown}"));
        }
    }
}

/// The ids of the tasks that the client cancelled.
fn tasks_that_were_cancelled(exchanges: &[Exchange]) -> BTreeSet<String> {
    let cancels = |exchange: &&Exchange| exchange.asks().as_deref() == Some("tasks/cancel");
    let task = |exchange: &Exchange| {
        Some(exchange.message().pointer("/params/taskId")?.as_str()?.to_owned())
    };
    exchanges.iter().filter(cancels).filter_map(task).collect()
}

fn is_stream(exchanges: &[Exchange], number: usize) -> bool {
    exchanges.get(number).is_some_and(|exchange| exchange.method == Method::GET)
}

/// The events of an answer; a JSON body is one without an id.
fn events(exchange: &Exchange) -> Vec<Event> {
    let Some(answer) = &exchange.answer else { return Vec::new() };
    let text = String::from_utf8_lossy(&answer.body).replace("\r\n", "\n");
    let content_type = answer.headers.get("content-type").map(|value| value.as_bytes());
    if content_type.is_some_and(|value| value.starts_with(b"text/event-stream")) {
        return text.split("\n\n").filter_map(Event::parse).collect();
    }
    // Nobody has to read what is besides the status of what is accepted, and not everybody does.
    if text.is_empty() || answer.status == StatusCode::ACCEPTED {
        return Vec::new();
    }
    vec![Event { name: None, id: None, data: text, retry: None }]
}

/// Each value that holds no others, with its place as a JSON pointer.
fn flatten(place: String, value: &Value, pairs: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            for (name, member) in members {
                flatten(format!("{place}/{name}"), member, pairs);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for (number, item) in items.iter().enumerate() {
                flatten(format!("{place}/{number}"), item, pairs);
            }
        }
        _ => pairs.push((place, value.clone())),
    }
}
