//! JSON strings: one of a message with its place, and one of our own.

use bytes::Bytes;

use crate::escape::{Unescaped, unescape};
use crate::scan::{Span, Token};

/// A JSON string of a message: where it stands (with its quotes) and what it says.
///
/// What it says is a cheap slice of the message where there is no escape, decoded otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    span: Span,
    /// Valid UTF-8.
    value: Bytes,
}

impl Text {
    /// The string that `token` marks in `bytes`; `None` if it holds half a surrogate pair.
    pub(crate) fn of(bytes: &Bytes, token: &Token) -> Option<Self> {
        let content = bytes.slice(token.span.start + 1..token.span.end - 1);
        if !token.escaped {
            return Some(Self { span: token.span.clone(), value: content });
        }
        let Unescaped { text, whole } = unescape(&content);
        whole.then(|| Self { span: token.span.clone(), value: Bytes::from(text) })
    }

    /// Where the string stands in the message, quotes included.
    pub fn span(&self) -> Span {
        self.span.clone()
    }

    /// What the string says, escapes decoded.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.value).unwrap_or_default()
    }
}

/// `text` as a JSON string, with quotes.
pub fn quoted(text: &str) -> Bytes {
    // A string always has a JSON form.
    serde_json::to_vec(text).unwrap_or_default().into()
}

#[cfg(test)]
mod tests;
