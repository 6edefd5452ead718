//! A target that asks during every call, on the call's stream and on the session's own, and awaits the answer to each of
//! its questions from the client that it asked.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use serde_json::{Value, json};
use testkit::{Host, RawCall, RawRequest, Visit};
use tokio::sync::Mutex;
use tokio::task::JoinSet;

use crate::question::{Asked, PLACES, Place, Question, UNANSWERED};

/// The target.
pub(crate) struct Target {
    name: &'static str,
    host: Host,
    /// What is noted of each session, by its id.
    notes: Mutex<HashMap<String, Notes>>,
}

/// What is noted of a session.
#[derive(Debug, Default, Clone, Copy)]
struct Notes {
    /// How many questions it has been asked.
    asked: u64,
    /// How many of its requests have been read.
    read: usize,
}

impl Target {
    /// A target of one tool.
    pub(crate) async fn start(name: &'static str) -> anyhow::Result<Arc<Self>> {
        let host = Host::of_one_tool().await?;
        Ok(Arc::new(Self { name, host, notes: Mutex::default() }))
    }

    /// Its lines in the document.
    pub(crate) fn lines(&self) -> String {
        self.host.target(self.name)
    }

    /// Serves so many calls, and says how many of its questions were answered.
    pub(crate) async fn serve(self: &Arc<Self>, calls: usize) -> anyhow::Result<usize> {
        let mut answered = 0;
        let (mut taken, mut asking) = (0, JoinSet::new());
        while taken < calls || !asking.is_empty() {
            tokio::select! {
                Some(done) = asking.join_next() => {
                    let done: anyhow::Result<usize> = done.context("a target panicked")?;
                    answered += done.with_context(|| format!("target `{}`", self.name))?;
                }
                call = self.host.call(), if taken < calls => {
                    taken += 1;
                    asking.spawn(self.clone().ask(call?));
                }
            }
        }
        Ok(answered)
    }

    /// Whether the gateway has nothing open here but what it reads the lists by.
    pub(crate) fn is_left(&self) -> bool {
        let visits = self.host.visits.all();
        let open: Vec<_> = visits.iter().filter(|visit| !has_sent(visit, "DELETE ")).collect();
        let is_heard = open.iter().all(|visit| has_sent(visit, "GET "));
        open.len() == 1 && is_heard && self.host.connections() == 1
    }

    /// No client answered more than once.
    pub(crate) fn each_question_has_one_answer(&self) -> anyhow::Result<()> {
        let notes = self.notes.try_lock().context("it still asks")?;
        for visit in self.host.visits.all() {
            let asked = notes.get(&visit.id).map_or(0, |notes| notes.asked);
            let answers = visit.requests.all().into_iter().filter(is_answer).count();
            anyhow::ensure!(answers as u64 == asked, "{}: {answers} answers to {asked}", visit.id);
        }
        Ok(())
    }

    /// Asks during a call; ends it when everything is answered, and gives how many answers there were.
    async fn ask(self: Arc<Self>, mut call: RawCall) -> anyhow::Result<usize> {
        let visit = self.host.visit_of(&call.request)?;
        let message = call.request.message();
        let of_call =
            |name: &str| message.pointer("/params/arguments").and_then(|all| all.get(name));
        let client = of_call("client").and_then(Value::as_u64).context("a call of nobody")?;
        let (asked, places) = match of_call("leaves") {
            Some(Value::Bool(true)) => (Asked::OnLeaving, UNANSWERED.as_slice()),
            _ => (Asked::ToAnswer, PLACES.as_slice()),
        };
        let mut notes = self.notes.lock().await.get(&visit.id).copied().unwrap_or_default();
        let mut open = HashMap::new();
        for place in places {
            let number = notes.asked;
            let question = Question { target: self.name, client, number, place: *place, asked };
            notes.asked += 1;
            open.insert(question.id(), question);
            match place {
                Place::Call => call.send(&question.request())?,
                Place::Own => visit.say(&question.request()).await?,
            }
        }
        let mut answered = 0;
        while !open.is_empty() {
            let what = || format!("in {} of client {client}, open: {open:?}", visit.id);
            let new = visit.requests.after(notes.read).await.with_context(what)?;
            notes.read += new.len();
            for answer in new.iter().filter(|request| is_answer(request)) {
                let id = answer.message().get("id").map(Value::to_string).unwrap_or_default();
                let question = open.remove(&id);
                let question =
                    question.with_context(|| format!("nobody asked: {}", answer.body))?;
                check(&question, &answer.message())?;
                answered += usize::from(asked == Asked::ToAnswer);
            }
        }
        self.notes.lock().await.insert(visit.id.clone(), notes);
        if asked == Asked::ToAnswer {
            call.result(
                &json!({ "content": [], "_meta": { "client": client, "target": self.name } }),
            )?;
        }
        Ok(answered)
    }
}

/// The answer is to this question, and of the client that was asked; the gateway's own if that is gone.
fn check(question: &Question, answer: &Value) -> anyhow::Result<()> {
    let meta = answer.pointer("/result/_meta");
    match question.asked {
        Asked::ToAnswer => {
            let own = json!({ "client": question.client, "question": question.label() });
            anyhow::ensure!(meta == Some(&own), "crossed: {answer} answers {question:?}");
        }
        Asked::OnLeaving => {
            let error = answer.get("error");
            anyhow::ensure!(
                error.is_some(),
                "crossed: {answer} answers {question:?}, which nobody did"
            );
        }
    }
    Ok(())
}

fn is_answer(request: &RawRequest) -> bool {
    let message = request.message();
    message.get("result").or(message.get("error")).is_some()
}

fn has_sent(visit: &Visit, method: &str) -> bool {
    visit.requests.find(|request| request.head.starts_with(method)).is_some()
}
