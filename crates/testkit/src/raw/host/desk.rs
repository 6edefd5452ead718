//! What a server knows, whatever it speaks: its sessions, its rules, and whom the test answers.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::raw::host::{HostKind, Visit};
use crate::raw::{RawCall, RawRequest};
use crate::record::Record;

pub(super) type Answers = dyn Fn(&str, &Value) -> Option<Value> + Send + Sync;

/// What all connections of a server share.
#[derive(Clone)]
pub(super) struct Desk {
    pub(super) kind: HostKind,
    pub(super) visits: Record<Arc<Visit>>,
    pub(super) calls: mpsc::UnboundedSender<RawCall>,
    answers: Arc<watch::Sender<Arc<Answers>>>,
    gone: Record<String>,
    /// How many connections are open.
    pub(super) connections: Arc<AtomicUsize>,
}

/// What comes of a message.
pub(super) enum Outcome {
    /// This, at once.
    Answer(String),
    /// Nothing: it asks nothing.
    Taken,
    /// What the test answers.
    Call,
}

impl Desk {
    pub(super) fn new(
        kind: HostKind,
        answers: Arc<Answers>,
        calls: mpsc::UnboundedSender<RawCall>,
    ) -> Self {
        let answers = Arc::new(watch::Sender::new(answers));
        let desk = Self {
            kind,
            visits: Record::default(),
            calls,
            answers,
            gone: Record::default(),
            connections: Arc::default(),
        };
        if kind == HostKind::NoSessions {
            desk.open();
        }
        desk
    }

    pub(super) fn answer_by(&self, answers: Arc<Answers>) {
        self.answers.send_replace(answers);
    }

    pub(super) fn forget(&self, visit: &Visit) {
        self.gone.push(visit.id.clone());
    }

    /// The session with this id, while it is known.
    pub(super) fn visit(&self, id: &str) -> Option<Arc<Visit>> {
        if self.gone.all().iter().any(|gone| gone == id) {
            return None;
        }
        self.visits.find(|visit| visit.id == id)
    }

    /// A session more.
    pub(super) fn open(&self) -> Arc<Visit> {
        let mut opened = None;
        self.visits.change(|visits| {
            let id = format!("visit-{}", visits.len());
            let (requests, streams) = (Record::default(), Record::default());
            let visit = Arc::new(Visit { id, requests, streams });
            visits.push(visit.clone());
            opened = Some(visit);
        });
        opened.unwrap_or_else(|| unreachable!("it was just opened"))
    }

    /// Takes a message in a session.
    pub(super) fn take(&self, visit: &Visit, request: &RawRequest) -> Outcome {
        visit.requests.push(request.clone());
        let message = request.message();
        let method = message.get("method").and_then(Value::as_str).unwrap_or_default();
        let Some(id) = message.get("id").filter(|_| !method.is_empty()) else {
            return Outcome::Taken;
        };
        let params = message.get("params").unwrap_or(&Value::Null);
        let answers = self.answers.borrow().clone();
        match answers(method, params) {
            Some(capabilities) if method == "initialize" => {
                let result = json!({
                    "protocolVersion": params.get("protocolVersion"),
                    "capabilities": capabilities,
                    "serverInfo": { "name": "host", "version": "1" },
                });
                Outcome::Answer(result_of(id, &result))
            }
            Some(result) => Outcome::Answer(result_of(id, &result)),
            None => Outcome::Call,
        }
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
