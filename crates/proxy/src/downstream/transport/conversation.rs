//! A client that hears everything on one stream: answers as they come, and what belongs to no call
//! between them. Knows no framing; HTTP+SSE and stdio have that.

use std::future::{Future, poll_fn};
use std::sync::Arc;
use std::task::Poll;

use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use mcp::{Id, Kind, Message, Method};

use crate::access_log::{Ending, Record};
use crate::context::{AnswerLimit, Context};
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
}

impl Conversation<'_> {
    /// Takes a message, or a batch where there are some. Messages take effect in the order in which
    /// they are taken; answers come when they are there. A call takes `record` over, each call of a
    /// batch has one of its own.
    ///
    /// # Errors
    /// It is not a message. Nothing has been said to the client.
    pub(super) async fn take(&self, bytes: Bytes, record: &mut Record) -> Result<(), RequestError> {
        if !mcp::is_batch(&bytes) {
            let message = Message::parse(bytes).map_err(RequestError::Message)?;
            record.message(&message);
            self.message(message, || record.hand_over()).await;
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
                Ok(message) => self.message(message, || Record::of(record.origin().clone())).await,
                Err(error) => self.pipe.say(RequestError::Message(error).body()).await,
            }
        }
        Ok(())
    }

    async fn message(&self, message: Message, record: impl FnOnce() -> Record) {
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
            (Some(session), _) => self.call(session, message, id, record()).await,
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
                let error = legacy::refused(error);
                if let Some(limit) = error.limit() {
                    context.metrics.rejected(limit);
                }
                self.pipe.say(error.response(id)).await;
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

    async fn call(&self, session: &Arc<Session>, message: Message, id: Id, mut record: Record) {
        record.message(&message);
        let Some(place) = self.pipe.call() else {
            return Answering { pipe: self.pipe, id: &id, record }
                .fail(&CallError::TooManyCalls)
                .await;
        };
        let endpoint = self.endpoint;
        if let Err(error) = endpoint.backend(&self.pipe.claims().backend) {
            record.ends_as(Ending::Refused);
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
            within: endpoint.within,
        };
        let (context, pipe) = (endpoint.context.clone(), self.pipe.clone());
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
    let id = call.id.clone();
    let reply = dispatch::dispatch(&context, session.view(), call, &mut record).await;
    let answering = Answering { pipe: &pipe, id: &id, record };
    match reply {
        Ok(Reply::Local(body)) => answering.end(body.concat()).await,
        Ok(Reply::Upstream(parts)) => answering.relay(parts, &context.answer_limit()).await,
        Err(error) => answering.fail(&error).await,
    }
}

/// The answer to one request on its way to the client.
struct Answering<'a> {
    pipe: &'a Pipe,
    id: &'a Id,
    record: Record,
}

impl Answering<'_> {
    /// Says a target's messages as they come, the response last and whole.
    async fn relay(mut self, mut parts: Parts, limit: &AnswerLimit) {
        let mut pieces = BytesMut::new();
        while let Some(part) = parts.recv().await {
            match part {
                Part::Message(message) => self.say(message).await,
                Part::Chunk(piece) if pieces.len() + piece.len() > limit.bytes => {
                    return self.fail(&limit.refuse_event()).await;
                }
                Part::Chunk(piece) => pieces.extend_from_slice(&piece),
                Part::Response(message) => return self.end(message).await,
                Part::Failed(error) => return self.fail(&error).await,
                // The rest comes by itself.
                Part::Paused(_) => {}
            }
        }
        if pieces.is_empty() {
            return self.fail(&CallError::ShuttingDown).await;
        }
        self.end(pieces.freeze()).await;
    }

    async fn fail(mut self, error: &CallError) {
        error.note(&mut self.record);
        if !matches!(error, CallError::Withdrawn) {
            self.say(error.response(self.id)).await;
        }
        self.finish(error.ending());
    }

    /// Says the last message.
    async fn end(mut self, message: Bytes) {
        self.say(message).await;
        self.finish(Ending::Complete);
    }

    fn finish(self, ending: Ending) {
        let has_left = ending == Ending::Complete && self.pipe.over().is_cancelled();
        self.record.end(if has_left { Ending::ClientLeftMidStream } else { ending });
    }

    async fn say(&mut self, message: Bytes) {
        self.record.sent(message.len());
        self.pipe.say(message).await;
    }
}

/// Tells the client which lists change, until the session or its backend ends; then it hears
/// nothing any more.
async fn tell_changes(session: Arc<Session>, pipe: Arc<Pipe>) {
    let mut news = session.view().news();
    let ended = session.ended();
    loop {
        for kind in session.unheard() {
            session.deliver(mcp::list_changed(kind));
        }
        tokio::select! {
            come = news.come(|| session.view().is_settled()) => if come.is_err() { break },
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
