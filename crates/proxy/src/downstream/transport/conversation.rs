//! A client that hears everything on one stream: answers as they come, and what belongs to no call
//! between them. Knows no framing; HTTP+SSE and stdio have that.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use mcp::{Id, Kind, Message, Method};

use crate::access_log::{AccessLog, Ending, Record};
use crate::context::Context;
use crate::dispatch::{self, Call, Caller};
use crate::downstream::Endpoint;
use crate::downstream::era::legacy;
use crate::error::{CallError, RequestError};
use crate::metrics::RequestKind;
use crate::random;
use crate::reply::{Part, Parts, Reply};
use crate::session::{Beginning, Claims, Pipe, Session};
use crate::tasks::Tasks;

/// What a client says, and where it hears what comes of that.
pub(super) struct Conversation<'a> {
    pub(super) endpoint: &'a Endpoint<'a>,
    pub(super) pipe: &'a Arc<Pipe>,
    /// The headers that came with it.
    pub(super) headers: Arc<HeaderMap>,
    /// Where the lines of calls go, unless what brought them has a line.
    pub(super) access_log: AccessLog,
}

impl Conversation<'_> {
    /// Takes a message, or a batch where there are some. Messages take effect in the order in which
    /// they are taken; answers come when they are there.
    ///
    /// # Errors
    /// It is not a message. Nothing has been said to the client.
    pub(super) async fn take(&self, bytes: Bytes, record: &mut Record) -> Result<(), RequestError> {
        if !mcp::is_batch(&bytes) {
            let message = Message::parse(bytes).map_err(RequestError::Message)?;
            record.message(&message);
            self.message(message).await;
            return Ok(());
        }
        record.request(RequestKind::Batch);
        let revision = self.pipe.session().map(|session| session.revision());
        if !revision.is_some_and(mcp::Revision::allows_batches) {
            return Err(RequestError::Batch("only 2025-03-26 has them"));
        }
        let limit = self.endpoint.context.limits.batch;
        for element in mcp::split_batch(&bytes, limit).map_err(RequestError::Message)? {
            match Message::parse(element) {
                Ok(message) => self.message(message).await,
                Err(error) => self.pipe.say(RequestError::Message(error).body()).await,
            }
        }
        Ok(())
    }

    async fn message(&self, message: Message) {
        let id = message.id().cloned().filter(|_| message.kind() == Kind::Request);
        if message.routed().envelope_version.is_some() {
            if id.is_some() {
                self.pipe.say(RequestError::Modern(id).body()).await;
            }
            return;
        }
        let Some(id) = id else { return self.hear(message).await };
        match (self.pipe.session(), message.method()) {
            (_, Some(Method::Ping)) => self.pipe.say(mcp::result_response(&id, b"{}")).await,
            (None, Some(Method::Initialize)) => self.initialize(&message, &id).await,
            (Some(_), Some(Method::Initialize)) => {
                self.pipe.say(CallError::Initialized.response(&id)).await;
            }
            (Some(session), _) => self.call(session, message, id).await,
            (None, _) => self.pipe.say(CallError::NotInitialized.response(&id)).await,
        }
    }

    /// Opens the session, of which only the pipe was there so far.
    async fn initialize(&self, message: &Message, id: &Id) {
        let backend = &*self.pipe.claims().backend;
        let federation = match self.endpoint.backend(backend) {
            Ok(federation) => federation,
            Err(error) => return self.pipe.say(error.response(id)).await,
        };
        let opened = legacy::initialize(self.endpoint, federation, backend, message, id).await;
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return self.pipe.say(error.response(id)).await,
        };
        let context = self.endpoint.context;
        let beginning = || Beginning {
            revision: opened.claims.revision,
            view: legacy::view(self.endpoint, federation, Some(&opened.claims)),
            pipe: Some(self.pipe.messages()),
        };
        let limit = context.limits.sessions;
        match context.sessions.begin(self.pipe, context.clock.now(), limit, beginning) {
            Ok(session) => {
                self.pipe.say(opened.body.concat()).await;
                let told = tell_changes(session, self.pipe.clone());
                context.tasks.spawn("changes of lists", told);
            }
            Err(error) => {
                self.pipe.say(legacy::refused(self.endpoint, error).response(id)).await;
            }
        }
    }

    /// A notification, or the answer to what a target asked.
    async fn hear(&self, message: Message) {
        let Some(session) = self.pipe.session().cloned() else { return };
        let context = self.endpoint.context;
        if message.method() == Some(Method::Initialized) {
            legacy::open_connection(context, &session);
        }
        let known = context.clone();
        let heard = async move { legacy::heard(&known, &session, &message).await };
        match self.pipe.call() {
            Some(place) => {
                let heard = async move {
                    heard.await;
                    drop(place);
                };
                go_on(&context.tasks, "message", heard).await;
            }
            None => heard.await,
        }
    }

    async fn call(&self, session: &Arc<Session>, message: Message, id: Id) {
        let Some(place) = self.pipe.call() else {
            return self.pipe.say(CallError::TooManyCalls.response(&id)).await;
        };
        let endpoint = self.endpoint;
        if let Err(error) = endpoint.backend(&self.pipe.claims().backend) {
            return self.pipe.say(error.response(&id)).await;
        }
        let call = Call {
            message,
            id,
            revision: session.revision(),
            caller: Caller::Session(session.clone()),
            headers: self.headers.clone(),
            over: endpoint.closing.over.clone(),
            takes_events: true,
        };
        let (context, pipe) = (endpoint.context.clone(), self.pipe.clone());
        let record = Record::new(&self.access_log, &context.clock, endpoint.remote);
        let answered = answer(context, pipe, session.clone(), call, record);
        let answered = async move {
            answered.await;
            drop(place);
        };
        go_on(&endpoint.context.tasks, "answer", answered).await;
    }
}

/// Runs `future` as far as it gets without waiting, so that what comes later finds what it has
/// begun; the rest is a task of its own.
async fn go_on(
    tasks: &Tasks,
    name: &'static str,
    future: impl Future<Output = ()> + Send + 'static,
) {
    let mut future = Box::pin(future);
    let is_done = poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await;
    if !is_done {
        tasks.spawn(name, future);
    }
}

/// Answers one request.
async fn answer(
    context: Arc<Context>,
    pipe: Arc<Pipe>,
    session: Arc<Session>,
    call: Call,
    mut record: Record,
) {
    record.message(&call.message);
    let id = call.id.clone();
    let reply = dispatch::dispatch(&context, session.view(), call, &mut record).await;
    let ending = match reply {
        Ok(Reply::Local(body)) => {
            pipe.say(body.concat()).await;
            Ending::Complete
        }
        Ok(Reply::Upstream(parts)) => {
            relay(&pipe, &id, parts, context.limits.rewritten_answer).await
        }
        Err(error) => failed(&pipe, &id, &error).await,
    };
    record.end(ending);
}

/// Says a target's messages as they come, the response last and whole.
async fn relay(pipe: &Pipe, id: &Id, mut parts: Parts, limit: usize) -> Ending {
    let mut pieces = BytesMut::new();
    while let Some(part) = parts.recv().await {
        match part {
            Part::Message(message) => pipe.say(message).await,
            Part::Chunk(piece) if pieces.len() + piece.len() > limit => {
                return failed(pipe, id, &CallError::TooLongForAnEvent { limit }).await;
            }
            Part::Chunk(piece) => pieces.extend_from_slice(&piece),
            Part::Response(message) => {
                pipe.say(message).await;
                return Ending::Complete;
            }
            Part::Failed(error) => return failed(pipe, id, &error).await,
            // The rest comes by itself.
            Part::Paused(_) => {}
        }
    }
    if pieces.is_empty() {
        return failed(pipe, id, &CallError::ShuttingDown).await;
    }
    pipe.say(pieces.freeze()).await;
    Ending::Complete
}

async fn failed(pipe: &Pipe, id: &Id, error: &CallError) -> Ending {
    pipe.say(error.response(id)).await;
    error.ending()
}

/// Tells the client which lists change, until the session or its backend ends; then it hears
/// nothing any more.
async fn tell_changes(session: Arc<Session>, pipe: Arc<Pipe>) {
    let mut changes = session.view().changes();
    let ended = session.ended();
    loop {
        for kind in session.unheard() {
            session.deliver(mcp::list_changed(kind));
        }
        tokio::select! {
            changed = changes.changed() => if changed.is_err() { break },
            () = ended.cancelled() => break,
            () = pipe.over().cancelled() => break,
        }
    }
    pipe.over().cancel();
}

/// Who is at the other end of a pipe, as far as that is known before `initialize`.
pub(super) fn claims(endpoint: &Endpoint<'_>, backend: &str) -> Claims {
    let context = endpoint.context;
    Claims {
        serial: random::serial(),
        owner: context.replica.clone(),
        revision: mcp::Revision::LATEST_LEGACY,
        capabilities: mcp::ClientCapabilities::default(),
        declared: None,
        client_name: String::new(),
        client_version: String::new(),
        principal: endpoint.principal.clone(),
        backend: backend.into(),
        expires: context.clock.unix() + context.limits.session_absolute.get(),
    }
}
