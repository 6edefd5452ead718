//! Which message an id or a progress token belongs to: `tools/call 2` is the second call of a session.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::recorder::Exchange;
use crate::wire::Event;

/// Who sent a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sender {
    Client,
    Server,
}

/// Follows the name of a request that its client cancelled.
pub(super) const CANCELLED: &str = " (cancelled)";

/// The names of the messages of one session.
pub(super) struct Names {
    /// By the sender and the raw id.
    requests: BTreeMap<(Sender, String), String>,
    /// By the sender of the request that brought it, and the raw token.
    tokens: BTreeMap<(Sender, String), String>,
    /// Notifications as they are, in case of several alike all with the first one's name.
    notifications: BTreeMap<(Sender, String), String>,
    /// The ids of tasks, in the order in which they were said first.
    tasks: Vec<String>,
}

impl Sender {
    fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

impl Names {
    /// Names everything that was sent.
    pub(super) fn of(exchanges: &[Exchange], answers: &[Vec<Event>]) -> Self {
        let mut names = Self {
            requests: BTreeMap::new(),
            tokens: BTreeMap::new(),
            notifications: BTreeMap::new(),
            tasks: Vec::new(),
        };
        let mut counts = BTreeMap::new();
        for (exchange, events) in exchanges.iter().zip(answers) {
            names.add(&exchange.message(), Sender::Client, &mut counts);
            for event in events {
                names.add(&event.message(), Sender::Server, &mut counts);
            }
        }
        for exchange in exchanges {
            names.cancel(&exchange.message());
        }
        names
    }

    /// The name of a message; an answer is named after its request.
    pub(super) fn of_message(&self, message: &Value, sender: Sender) -> String {
        let id = message.get("id").map(Value::to_string).unwrap_or_default();
        if message.get("method").is_none() {
            let request = self.requests.get(&(sender.other(), id));
            return format!("answer to {}", request.map_or("nothing", String::as_str));
        }
        let named = if id.is_empty() {
            self.notifications.get(&(sender, message.to_string()))
        } else {
            self.requests.get(&(sender, id))
        };
        named.cloned().unwrap_or_default()
    }

    /// The text with a name for the id of each task.
    pub(super) fn without_tasks(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (number, task) in self.tasks.iter().enumerate() {
            text = text.replace(task, &format!("<task {}>", number + 1));
        }
        text
    }

    /// The name of a message on a stream, where notifications need no number.
    pub(super) fn of_event(&self, message: &Value) -> String {
        match message.get("method").and_then(Value::as_str) {
            Some(method) if message.get("id").is_none() => method.to_owned(),
            _ => self.of_message(message, Sender::Server),
        }
    }

    /// What stands for a value that is an id or a token.
    pub(super) fn of_value(
        &self,
        place: &str,
        value: &Value,
        message: &Value,
        sender: Sender,
    ) -> Option<String> {
        let method = message.get("method").and_then(Value::as_str);
        let raw = value.to_string();
        match (place, method) {
            ("/id", Some(_)) => Some("its own".to_owned()),
            ("/id", None) => {
                let request = self.requests.get(&(sender.other(), raw));
                Some(
                    request.map_or_else(
                        || format!("of nothing: {value}"),
                        |name| format!("of {name}"),
                    ),
                )
            }
            ("/params/_meta/progressToken", _) => Some("its own".to_owned()),
            ("/params/progressToken", Some("notifications/progress")) => {
                let request = self.tokens.get(&(sender.other(), raw));
                Some(
                    request.map_or_else(
                        || format!("of nothing: {value}"),
                        |name| format!("of {name}"),
                    ),
                )
            }
            ("/params/requestId", Some("notifications/cancelled")) => {
                let request = self.requests.get(&(sender, raw));
                Some(
                    request.map_or_else(
                        || format!("of nothing: {value}"),
                        |name| format!("of {name}"),
                    ),
                )
            }
            _ => None,
        }
    }

    /// Says of a request that the client cancelled it, if this does.
    fn cancel(&mut self, message: &Value) {
        let method = message.get("method").and_then(Value::as_str);
        let id = message.pointer("/params/requestId").map(Value::to_string).unwrap_or_default();
        if method == Some("notifications/cancelled")
            && let Some(name) = self.requests.get_mut(&(Sender::Client, id))
        {
            name.push_str(CANCELLED);
        }
    }

    fn add(
        &mut self,
        message: &Value,
        sender: Sender,
        counts: &mut BTreeMap<(Sender, String), usize>,
    ) {
        if let Some(Value::String(task)) = message.pointer("/result/task/taskId") {
            self.tasks.push(task.clone());
        }
        let Some(method) = message.get("method").and_then(Value::as_str) else { return };
        let count = counts.entry((sender, method.to_owned())).or_default();
        *count += 1;
        let name = format!("{method} {count}");
        if let Some(token) = message.pointer("/params/_meta/progressToken") {
            self.tokens.insert((sender, token.to_string()), name.clone());
        }
        if let Some(id) = message.get("id") {
            self.requests.insert((sender, id.to_string()), name);
        } else {
            self.notifications.entry((sender, message.to_string())).or_insert(name);
        }
    }
}
