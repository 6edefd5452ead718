//! A target's answer on its way back: the client's id and progress token put in again, URIs
//! rewritten where clients see others, results changed that an older client could not read,
//! everything else as it came.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use mcp::{
    ErrorCode, Kind, Message, Method, Nonce, ResponseCheck, ResponseError, Span, Substitute,
};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::error::CallError;
use crate::exchange::{Exchange, Failure, ResultView};
use crate::metrics::Limit;
use crate::reply::Part;
use crate::session::Speaker;
use crate::upstream::{Answer, AnswerBody, Arrival, MessageStream, Replies};

/// Answers up to this length are collected, so that they leave in one piece.
const COLLECT: usize = 64 * 1024;

/// Passes `answer` on. A client that has left costs nothing but the reading.
pub(super) async fn relay(
    exchange: &Exchange,
    nonce: Nonce,
    answer: Answer,
    replies: &Replies,
    parts: &mpsc::Sender<Part>,
) -> Result<(), Failure> {
    let token = exchange.message.routed().progress_token.as_ref().map(|(_, raw)| raw.clone());
    let substitute = Substitute::new(nonce, exchange.id.clone(), token);
    match answer {
        Answer::Body(body) => match &exchange.result {
            Some(view) => relay_rewritten(exchange, body, substitute, view, parts).await,
            None => {
                let check = ResponseCheck::new(nonce.id());
                relay_body(exchange, body, substitute, check, parts).await
            }
        },
        Answer::Messages(messages) => {
            relay_messages(exchange, messages, substitute, replies, parts).await
        }
    }
}

/// One JSON document: whole if it is short, else chunk by chunk, each checked before it leaves. A
/// wrong beginning is an error like any other; what turns out wrong later is cut off, so that the
/// client notices.
async fn relay_body(
    exchange: &Exchange,
    mut body: AnswerBody,
    mut substitute: Substitute,
    mut check: ResponseCheck,
    parts: &mpsc::Sender<Part>,
) -> Result<(), Failure> {
    let patience = Patience::new(exchange);
    let mut start = BytesMut::new();
    while start.len() <= COLLECT {
        let Some(chunk) = patience.wait(exchange, body.next()).await? else {
            let whole = checked(exchange, substitute.whole(start.freeze()))?;
            begin(exchange, parts);
            let _ = parts.send(Part::Response(whole)).await;
            return Ok(());
        };
        start.extend_from_slice(&chunk?);
    }

    let mut ready = Vec::new();
    check.push(&start).map_err(|error| invalid(exchange, error))?;
    substitute.push(start.freeze(), &mut ready);
    begin(exchange, parts);
    loop {
        for chunk in ready.drain(..) {
            let _ = parts.send(Part::Chunk(chunk)).await;
        }
        match patience.wait(exchange, body.next()).await? {
            Some(chunk) => {
                let chunk = chunk?;
                check.push(&chunk).map_err(|error| invalid(exchange, error))?;
                substitute.push(chunk, &mut ready);
            }
            None => break,
        }
    }
    check.finish().map_err(|error| invalid(exchange, error))?;
    substitute.finish(&mut ready);
    for chunk in ready {
        let _ = parts.send(Part::Chunk(chunk)).await;
    }
    Ok(())
}

/// From here on nothing but the answer may be said where it goes.
fn begin(exchange: &Exchange, parts: &mpsc::Sender<Part>) {
    if let Some(session) = exchange.session.as_ref().filter(|_| exchange.takes_events) {
        session.calls().answer_begins(parts);
    }
}

/// An answer that is one: JSON, and to this request.
fn checked(exchange: &Exchange, answer: Bytes) -> Result<Bytes, Failure> {
    let message = Message::parse(answer).map_err(|error| invalid(exchange, error))?;
    match (message.kind(), message.id()) {
        (Kind::Response, Some(id)) if *id == exchange.id => {
            exchange.agreed();
            Ok(message.bytes().clone())
        }
        (Kind::ErrorResponse, Some(id)) if *id == exchange.id => {
            Ok(exchange.speaker.error(&message))
        }
        // Some servers answer what they refuse with `"id":null`.
        (Kind::ErrorResponse, None) => {
            let named = message.error_to(&exchange.id).map_err(|error| invalid(exchange, error))?;
            Ok(exchange.speaker.error(&named))
        }
        _ => Err(invalid(exchange, ResponseError::OtherRequest)),
    }
}

fn invalid(exchange: &Exchange, error: impl ToString) -> Failure {
    let (target, what) = (exchange.target.clone(), error.to_string());
    Failure::Call(CallError::InvalidAnswer { target, what })
}

/// One JSON document that is not passed as it is: collected, within `limits.rewrittenAnswer`.
async fn relay_rewritten(
    exchange: &Exchange,
    mut body: AnswerBody,
    mut substitute: Substitute,
    view: &ResultView,
    parts: &mpsc::Sender<Part>,
) -> Result<(), Failure> {
    let limit = exchange.upstream.limits().rewritten_answer;
    let patience = Patience::new(exchange);
    let mut whole = BytesMut::new();
    while let Some(chunk) = patience.wait(exchange, body.next()).await? {
        let chunk = chunk?;
        if whole.len() + chunk.len() > limit {
            exchange.upstream.rejected(Limit::Answer);
            let target = exchange.target.clone();
            return Err(Failure::Call(CallError::AnswerTooLarge { target, limit }));
        }
        whole.extend_from_slice(&chunk);
    }
    let answer = checked(exchange, substitute.whole(whole.freeze()))?;
    let rewritten = view.rewrite(exchange, answer)?;
    begin(exchange, parts);
    let _ = parts.send(Part::Response(rewritten)).await;
    Ok(())
}

/// Messages one by one, the response last.
async fn relay_messages(
    exchange: &Exchange,
    mut messages: MessageStream,
    mut substitute: Substitute,
    replies: &Replies,
    parts: &mpsc::Sender<Part>,
) -> Result<(), Failure> {
    let mut patience = Patience::new(exchange);
    while let Some(arrival) = patience.wait(exchange, messages.arrival()).await? {
        let message = match arrival? {
            Arrival::Message(message) => message,
            Arrival::Paused(retry) => {
                let _ = parts.send(Part::Paused(retry)).await;
                continue;
            }
        };
        match message.kind() {
            Kind::Request => {
                patience.client_is_asked(exchange);
                ask(exchange, &message, replies, parts).await;
            }
            Kind::Notification => {
                if message.method() == Some(Method::Progress) {
                    let _ = parts.send(Part::Message(progress(exchange, &message))).await;
                } else if let Some(notice) = notice(exchange, &message, replies) {
                    let _ = parts.send(Part::Message(substitute.whole(notice))).await;
                }
            }
            Kind::Response | Kind::ErrorResponse => {
                if message.kind() == Kind::Response {
                    exchange.agreed();
                }
                let said = match message.kind() {
                    Kind::ErrorResponse => exchange.speaker.error(&message),
                    _ => message.bytes().clone(),
                };
                let bytes = substitute.whole(said);
                let bytes = match &exchange.result {
                    Some(view) => view.rewrite(exchange, bytes)?,
                    None => bytes,
                };
                begin(exchange, parts);
                let _ = parts.send(Part::Response(bytes)).await;
                return Ok(());
            }
        }
    }
    // A stream that ends without a response has said so in an error of its own.
    Ok(())
}

/// What a target asks in the middle of a call goes on the stream of that call; where its client
/// takes no stream, on another of its session.
async fn ask(
    exchange: &Exchange,
    request: &Message,
    replies: &Replies,
    parts: &mpsc::Sender<Part>,
) {
    let refused = |text| mcp::error_response(request.id(), ErrorCode::InternalError, text, None);
    let Some(session) = &exchange.session else {
        return replies.send(vec![refused("nobody is there to be asked")]);
    };
    let call = exchange.takes_events.then_some(parts);
    match session.ask(&exchange.speaker, request, replies, call) {
        Ok(question) => {
            let body = question.body.clone();
            let is_delivered = match call {
                Some(parts) => parts.send(Part::Message(body)).await.is_ok(),
                None => session.deliver(body),
            };
            if !is_delivered {
                session.forget(&question);
                replies.send(vec![refused("the client does not listen")]);
            }
        }
        Err(refused) => replies.send(vec![refused]),
    }
}

/// Progress of the call, with the token that its client gave it.
fn progress(exchange: &Exchange, progress: &Message) -> Bytes {
    match &exchange.message.routed().progress_token {
        Some((_, token)) => progress.rewrite().progress_token(token).bytes(),
        None => progress.bytes().clone(),
    }
}

/// A notification in the middle of a call, as its client is to see it, if it is to.
fn notice(exchange: &Exchange, notice: &Message, replies: &Replies) -> Option<Bytes> {
    let session = exchange.session.as_ref();
    match notice.method() {
        Some(Method::Cancelled) => {
            session?.withdraw(notice, replies);
            None
        }
        Some(Method::LogMessage) if session.is_some_and(|session| !session.wants(notice)) => None,
        _ => exchange.speaker.notice(notice),
    }
}

impl ResultView {
    /// The answer as its client is to see it: URIs first, because an older client gets a link as
    /// text. Of an error only URIs change.
    fn rewrite(&self, exchange: &Exchange, answer: Bytes) -> Result<Bytes, Failure> {
        let mut message = Message::parse(answer).map_err(|error| invalid(exchange, error))?;
        let mut edits = Vec::new();
        if self.maps_uris {
            self.map_uris(&exchange.speaker, &message, &mut edits);
        }
        if self.maps_tasks {
            map_tasks(&exchange.speaker, &message, &mut edits);
        }
        if !edits.is_empty() {
            edits.sort_by_key(|(span, _)| span.start);
            let mapped = mcp::splice(message.bytes(), &edits);
            message = Message::parse(mapped).map_err(|error| invalid(exchange, error))?;
        }
        let shaped = mcp::shape_result(self.kind, &message, self.shape, self.wraps);
        Ok(shaped.unwrap_or_else(|| message.bytes().clone()))
    }

    /// Every URI as clients see it; and no domain of an app, which a host derives from the address
    /// of the one server that it knows.
    fn map_uris(&self, speaker: &Speaker, message: &Message, edits: &mut Vec<(Span, Bytes)>) {
        for uri in mcp::uri_spans(message, self.kind) {
            let seen = speaker.offer.menu.client_uri(speaker.target, uri.as_str());
            if *seen != *uri.as_str() {
                edits.push((uri.span(), mcp::quoted(&seen)));
            }
        }
        if !speaker.offer.menu.is_single() {
            let domains = mcp::result_domains(message, self.kind);
            edits.extend(domains.into_iter().map(|span| (span, Bytes::new())));
        }
    }
}

/// Every task as clients know it.
pub(crate) fn map_tasks(speaker: &Speaker, message: &Message, edits: &mut Vec<(Span, Bytes)>) {
    let related = message.routed().related_task.as_ref();
    for id in mcp::task_id_spans(message).iter().chain(related) {
        if let Some(seen) = speaker.task(id.as_str()) {
            edits.push((id.span(), mcp::quoted(&seen)));
        }
    }
}

/// How long the target may take for its next word: the call deadline each time, and a hard limit
/// for all of it. A client that reads slowly costs the target none of it but the limit.
struct Patience {
    next: Duration,
    limit: Instant,
    began: Instant,
}

impl Patience {
    fn new(exchange: &Exchange) -> Self {
        let timeouts = exchange.timeouts();
        let began = Instant::now();
        Self { next: timeouts.call, limit: began + timeouts.progress, began }
    }

    /// From now on the target may be silent because a person thinks.
    fn client_is_asked(&mut self, exchange: &Exchange) {
        self.next = self.next.max(exchange.upstream.limits().parked_call.get());
    }

    async fn wait<T>(
        &self,
        exchange: &Exchange,
        next: impl Future<Output = T>,
    ) -> Result<T, Failure> {
        let deadline = (Instant::now() + self.next).min(self.limit);
        tokio::time::timeout_at(deadline, next).await.map_err(|_| {
            let after = self.began.elapsed();
            Failure::Call(CallError::Timeout { target: exchange.target.clone(), after })
        })
    }
}

#[cfg(test)]
mod tests;
