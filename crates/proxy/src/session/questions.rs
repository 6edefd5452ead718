//! What targets have asked a client and not been answered yet: requests get an id of ours on their
//! way to the client, and the answer finds its way back by it.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use mcp::{ErrorCode, Id, Message, Method, Nonce, Rewrite, Text};
use parking_lot::Mutex;
use tokio::sync::mpsc;

use crate::metrics::{Counted, Metrics};
use crate::random;
use crate::reply::Part;
use crate::session::client_tasks::ClientTasks;
use crate::upstream::Replies;

/// How many questions a client may have open; a target that asks more is refused.
const MOST: usize = 256;
/// How many of them one connection may have asked, so that one target leaves room for the others.
const MOST_OF_ONE: usize = 64;

/// The open questions of one session.
#[derive(Debug)]
pub(super) struct Questions {
    open: Mutex<HashMap<Nonce, Open>>,
    metrics: Arc<Metrics>,
}

#[derive(Debug)]
struct Open {
    /// The target's own id, in its own type.
    id: Id,
    /// The target's own progress token, raw.
    token: Option<Bytes>,
    /// The task that it belongs to, as the target knows it.
    related_task: Option<String>,
    replies: Replies,
    asked: Asked,
    /// The answer in which the client was asked, if it was in one.
    call: Option<mpsc::WeakSender<Part>>,
    _counted: Counted,
}

/// What the answer to a question means for the tasks that a client keeps.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked {
    /// Nothing.
    Plain,
    /// The client may keep a task for the upstream with this serial.
    Task(u64),
    /// All tasks, of which the target is one of several and sees those of its upstream alone.
    TaskList(u64),
}

impl Asked {
    /// What the target asks whose upstream has this serial.
    ///
    /// # Errors
    /// It is one of several and asks for a task that is not kept for it; what it is to be told.
    pub(super) fn of(
        request: &Message,
        upstream: u64,
        is_single: bool,
        tasks: &ClientTasks,
    ) -> Result<Self, Bytes> {
        let routed = request.routed();
        match request.method() {
            Some(Method::TasksGet | Method::TasksResult | Method::TasksCancel) if !is_single => {
                let id = routed.task_id.as_ref().map(Text::as_str).unwrap_or_default();
                if tasks.owner(id) == Some(upstream) {
                    return Ok(Self::Plain);
                }
                let text = format!("Unknown task: `{id}`");
                Err(mcp::error_response(request.id(), ErrorCode::InvalidParams, &text, None))
            }
            Some(Method::TasksList) if !is_single => Ok(Self::TaskList(upstream)),
            _ if routed.is_task => Ok(Self::Task(upstream)),
            _ => Ok(Self::Plain),
        }
    }

    /// The answer that the target gets instead, if it is another one.
    fn answer(self, answer: &Message, tasks: &ClientTasks) -> Option<Message> {
        let other = match self {
            Self::Plain => return None,
            Self::Task(upstream) => {
                let task = mcp::created_task(answer)?;
                let error = tasks.add(task.as_str(), upstream).err()?.to_string();
                mcp::error_response(answer.id(), ErrorCode::InternalError, &error, None)
            }
            Self::TaskList(upstream) => {
                mcp::retain_tasks(answer, |id| tasks.owner(id) == Some(upstream))?
            }
        };
        Message::parse(other).ok()
    }
}

/// That nobody waits any more for what a client was asked.
pub(super) struct Withdrawal {
    /// As the client is to see it.
    pub(super) body: Bytes,
    /// The answer in which the client was asked, if it was in one.
    pub(super) call: Option<mpsc::WeakSender<Part>>,
}

/// A question on its way to a client.
pub(crate) struct Question {
    pub(super) nonce: Nonce,
    /// The request as the client is to see it.
    pub(crate) body: Bytes,
}

impl Open {
    fn refuse(&self, text: &str) {
        let refused = mcp::error_response(Some(&self.id), ErrorCode::InternalError, text, None);
        self.replies.send(vec![refused]);
    }
}

impl Questions {
    /// None is open yet; `metrics` count them.
    pub(super) fn new(metrics: Arc<Metrics>) -> Self {
        Self { open: Mutex::default(), metrics }
    }

    /// Notes a target's request, asked in the answer to `call` if it is in one; gives it as the
    /// client is to see it, `edited` in other places too.
    ///
    /// # Errors
    /// The client has too many open questions; what the target is to be told.
    pub(super) fn ask<'a>(
        &self,
        request: &'a Message,
        asked: Asked,
        replies: &Replies,
        call: Option<&mpsc::Sender<Part>>,
        edited: impl FnOnce(Rewrite<'a>) -> Rewrite<'a>,
    ) -> Result<Question, Bytes> {
        let Some(id) = request.id() else { return Err(Bytes::new()) };
        let mut open = self.open.lock();
        let of_same = open.values().filter(|question| question.replies.is_same(replies)).count();
        if open.len() >= MOST || of_same >= MOST_OF_ONE {
            let text = "the client has too many open questions";
            return Err(mcp::error_response(Some(id), ErrorCode::InternalError, text, None));
        }
        let nonce = random::nonce();
        let token = request.routed().progress_token.as_ref().map(|(_, raw)| raw.clone());
        let related_task = request.routed().related_task.as_ref();
        let related_task = related_task.map(|id| id.as_str().to_owned());
        let (id, replies) = (id.clone(), replies.clone());
        let (call, _counted) = (call.map(mpsc::Sender::downgrade), self.metrics.pending_request());
        open.insert(nonce, Open { id, token, related_task, replies, asked, call, _counted });
        let rewrite = request.rewrite().id(&nonce.id()).progress_token(&nonce.progress_token());
        Ok(Question { nonce, body: edited(rewrite).bytes() })
    }

    /// The way of a client's answer: to whom, and as the target knows it.
    pub(super) fn answered(
        &self,
        answer: &Message,
        tasks: &ClientTasks,
    ) -> Option<(Replies, Bytes)> {
        let nonce = Nonce::of_id(answer.id()?.as_bytes())?;
        let question = self.open.lock().remove(&nonce)?;
        let other = question.asked.answer(answer, tasks);
        let answer = other.as_ref().unwrap_or(answer);
        let mut rewrite = answer.rewrite().id(&question.id);
        let said = answer.routed().related_task.as_ref().map(mcp::Text::as_str);
        if let Some(own) = question.related_task.as_deref().filter(|own| said != Some(*own)) {
            rewrite = rewrite.related_task(own);
        }
        Some((question.replies, rewrite.bytes()))
    }

    /// The way of a client's progress on a question.
    pub(super) fn progressed(&self, progress: &Message) -> Option<(Replies, Bytes)> {
        let (_, token) = progress.routed().progress_token.as_ref()?;
        let nonce = Nonce::of_progress_token(token)?;
        let open = self.open.lock();
        let question = open.get(&nonce)?;
        let body = progress.rewrite().progress_token(question.token.as_ref()?).bytes();
        Some((question.replies.clone(), body))
    }

    /// A target does not wait for an answer any more: what its client is to be told.
    pub(super) fn withdrawn(&self, notice: &Message, replies: &Replies) -> Option<Withdrawal> {
        let id = notice.routed().request_id.as_ref()?;
        let mut open = self.open.lock();
        let asked = |question: &Open| question.id == *id && question.replies.is_same(replies);
        let nonce = *open.iter().find(|(_, question)| asked(question))?.0;
        let call = open.remove(&nonce)?.call;
        Some(Withdrawal { body: notice.rewrite().request_id(&nonce.id()).bytes(), call })
    }

    /// The call in which they were asked is given up: the target is told, and what its client is to
    /// be told.
    pub(super) fn given_up(&self, call: &mpsc::Sender<Part>) -> Vec<Withdrawal> {
        let is_of_call = |question: &Open| {
            let asked_in = question.call.as_ref().and_then(mpsc::WeakSender::upgrade);
            asked_in.is_some_and(|asked_in| asked_in.same_channel(call))
        };
        let mut open = self.open.lock();
        let given_up =
            open.extract_if(|_, question| is_of_call(question)).map(|(nonce, question)| {
                question.refuse("the call was given up");
                let body = mcp::cancelled(&nonce.id(), "the call was given up");
                Withdrawal { body, call: None }
            });
        given_up.collect()
    }

    /// Forgets one that could not be delivered.
    pub(super) fn forget(&self, nonce: Nonce) {
        self.open.lock().remove(&nonce);
    }

    /// The client is gone: those who wait for it are told.
    pub(super) fn refuse(&self) {
        self.open.lock().drain().for_each(|(_, question)| question.refuse("the client is gone"));
    }

    /// Forgets those of targets that are gone: what its client is to be told.
    pub(super) fn abandoned(&self) -> Vec<Withdrawal> {
        let mut open = self.open.lock();
        let gone: Vec<_> = open
            .iter()
            .filter(|(_, question)| question.replies.is_closed())
            .map(|(nonce, _)| *nonce)
            .collect();
        let withdrawn = gone.into_iter().filter_map(|nonce| {
            let call = open.remove(&nonce)?.call;
            Some(Withdrawal { body: mcp::cancelled(&nonce.id(), "the target is gone"), call })
        });
        withdrawn.collect()
    }
}
