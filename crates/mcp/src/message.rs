//! A JSON-RPC message: its bytes, and the places of what a gateway routes by.

mod error;
mod fields;
mod rewrite;
mod routed;

use bytes::Bytes;

pub use self::error::MessageError;
use self::error::Problem;
use self::fields::Fields;
pub use self::rewrite::Rewrite;
pub use self::routed::{Reference, Routed};
use crate::error::raw_error_response;
use crate::id::Id;
use crate::method::Method;
use crate::scan::{Cursor, Span};
use crate::text::Text;

/// The four kinds of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A method with an id.
    Request,
    /// A method without an id.
    Notification,
    /// A result.
    Response,
    /// An error; its id is missing or null where the sender could not read one.
    ErrorResponse,
}

/// One message, checked: it is JSON, it is an envelope, and every field that is routed by is there
/// once at most. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Message {
    bytes: Bytes,
    kind: Kind,
    id: Option<(Span, Id)>,
    method: Option<(Method, Text)>,
    params: Option<Span>,
    result: Option<Span>,
    error: Option<Span>,
    error_code: Option<i64>,
    routed: Routed,
}

impl Message {
    /// Reads a message in one pass. An array is not a message (see `split_batch`).
    ///
    /// # Errors
    /// Not JSON (-32700); not an envelope, a repeated or twice-spelled routed field, or nested
    /// deeper than `MAX_DEPTH` (-32600).
    pub fn parse(bytes: Bytes) -> Result<Self, MessageError> {
        let mut envelope = Fields::envelope();
        let problem = match read(&bytes, &mut envelope) {
            Ok(()) => match Self::assemble(&bytes, &envelope) {
                Ok(message) => return Ok(message),
                Err(problem) => problem,
            },
            Err(problem) => problem,
        };
        let id = envelope.only("id").and_then(|span| Id::of(bytes.slice(span)));
        Err(MessageError::new(problem, id))
    }

    /// The message as it came.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Which of the four kinds it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Its id; always there in a request, never in a notification.
    pub fn id(&self) -> Option<&Id> {
        self.id.as_ref().map(|(_, id)| id)
    }

    /// The method of a request or notification.
    pub fn method(&self) -> Option<Method> {
        self.method.as_ref().map(|(method, _)| *method)
    }

    /// The method of a request or notification as written, escapes decoded.
    pub fn method_name(&self) -> Option<&str> {
        self.method.as_ref().map(|(_, text)| text.as_str())
    }

    /// The raw `params` object; `null` counts as none.
    pub fn params(&self) -> Option<Bytes> {
        self.params.clone().map(|span| self.bytes.slice(span))
    }

    /// The raw `result` of a response.
    pub fn result(&self) -> Option<Bytes> {
        self.result.clone().map(|span| self.bytes.slice(span))
    }

    /// The raw `error` object of an error response.
    pub fn error(&self) -> Option<Bytes> {
        self.error.clone().map(|span| self.bytes.slice(span))
    }

    /// An error response that names no request, as the answer to the request `id`. Some servers answer
    /// what they refuse with `"id":null`.
    ///
    /// # Errors
    /// It is no error response.
    pub fn error_to(&self, id: &Id) -> Result<Self, MessageError> {
        let error = self.error().unwrap_or_default();
        Self::parse(raw_error_response(id, &error))
    }

    /// The code of an error response, where it is an integer.
    pub fn error_code(&self) -> Option<i64> {
        self.error_code
    }

    /// The fields of `params` that a gateway routes by, and the related task of a result.
    pub fn routed(&self) -> &Routed {
        &self.routed
    }

    /// Starts a copy with other values at the routed places.
    pub fn rewrite(&self) -> Rewrite<'_> {
        Rewrite::new(self)
    }

    pub(crate) fn result_span(&self) -> Option<Span> {
        self.result.clone()
    }

    pub(crate) fn error_span(&self) -> Option<Span> {
        self.error.clone()
    }

    pub(crate) fn id_span(&self) -> Option<Span> {
        self.id.as_ref().map(|(span, _)| span.clone())
    }

    fn assemble(bytes: &Bytes, envelope: &Fields) -> Result<Self, Problem> {
        let version = envelope.text(bytes, "jsonrpc");
        if version.is_none_or(|version| version.as_str() != "2.0") {
            return Err(Problem::NotEnvelope("`jsonrpc` is not \"2.0\""));
        }
        match envelope.some(bytes, "method") {
            Some(_) => Self::call(bytes, envelope),
            None => Self::answer(bytes, envelope),
        }
    }

    /// A request or notification: strict, because the target reads it after us.
    fn call(bytes: &Bytes, envelope: &Fields) -> Result<Self, Problem> {
        let method = envelope.text(bytes, "method");
        let text = method.ok_or(Problem::NotEnvelope("`method` is not a string"))?;
        let method = Method::from_name(text.as_str());
        routed::check(envelope, method)?;
        if envelope.some(bytes, "result").or(envelope.some(bytes, "error")).is_some() {
            return Err(Problem::NotEnvelope("a method comes with a result or an error"));
        }
        let params = envelope.some(bytes, "params");
        if params.clone().is_some_and(|span| bytes.get(span.start) != Some(&b'{')) {
            return Err(Problem::NotEnvelope("`params` is not an object"));
        }
        let id = match envelope.span("id") {
            Some(span) => Some(identified(bytes, span)?),
            None => None,
        };
        let kind = if id.is_some() { Kind::Request } else { Kind::Notification };
        let routed = Routed::of(bytes, envelope, method);
        let method = Some((method, text));
        let bytes = bytes.clone();
        let (result, error, error_code) = (None, None, None);
        Ok(Self { bytes, kind, id, method, params, result, error, error_code, routed })
    }

    /// A response: servers send members that do not belong there, and null for those they lack.
    fn answer(bytes: &Bytes, envelope: &Fields) -> Result<Self, Problem> {
        envelope.once(&["jsonrpc", "id", "method", "result", "error"])?;
        let error = envelope.some(bytes, "error");
        let result = match error {
            Some(_) => envelope.some(bytes, "result"),
            None => envelope.span("result"),
        };
        let kind = match (&result, &error) {
            (Some(_), None) => Kind::Response,
            (None, Some(span)) if bytes.get(span.start) == Some(&b'{') => Kind::ErrorResponse,
            (None, Some(_)) => return Err(Problem::NotEnvelope("`error` is not an object")),
            (Some(_), Some(_)) => {
                return Err(Problem::NotEnvelope("there are both a result and an error"));
            }
            (None, None) => {
                return Err(Problem::NotEnvelope("there is no method, result or error"));
            }
        };
        let id = match envelope.some(bytes, "id") {
            Some(span) => Some(identified(bytes, span)?),
            None => None,
        };
        let code = envelope.inside("error").and_then(|error| error.span("code"));
        let error_code = code.and_then(|span| integer(bytes.get(span)?));
        let bytes = bytes.clone();
        let (method, params) = (None, None);
        let routed = Routed::of_answer(&bytes, envelope);
        Ok(Self { bytes, kind, id, method, params, result, error, error_code, routed })
    }
}

/// Passes over all bytes and notes where the known fields stand, as far as it comes.
fn read(bytes: &Bytes, envelope: &mut Fields) -> Result<(), Problem> {
    let mut cursor = Cursor::new(bytes)?;
    if cursor.peek() != Some(b'{') {
        cursor.skip()?;
        cursor.end()?;
        return Err(Problem::NotEnvelope("it is not an object"));
    }
    envelope.read(bytes, &mut cursor)?;
    Ok(cursor.end()?)
}

fn identified(bytes: &Bytes, span: Span) -> Result<(Span, Id), Problem> {
    let id = Id::of(bytes.slice(span.clone()));
    id.map(|id| (span, id)).ok_or(Problem::NotEnvelope("`id` is not a string or a number"))
}

/// An integer, also one that is written as `-32601.0`.
fn integer(raw: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(raw).ok()?;
    if let Ok(integer) = text.parse() {
        return Some(integer);
    }
    let number: f64 = text.parse().ok()?;
    // Codes are small; beyond 2^53 a float says no single integer.
    (number.fract() == 0.0 && number.abs() < 9e15).then_some(number as i64)
}

#[cfg(test)]
mod tests;
