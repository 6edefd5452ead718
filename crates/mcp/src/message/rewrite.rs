//! A copy of a message with other values at its routed places.

use bytes::Bytes;

use super::{Message, Reference};
use crate::id::Id;
use crate::scan::Span;
use crate::splice::splice;
use crate::text::{Text, quoted};

/// Replacements at routed places; one copy, every other byte as it came. A replacement of what
/// the message does not have is no replacement.
#[derive(Debug)]
#[must_use]
pub struct Rewrite<'a> {
    message: &'a Message,
    edits: Vec<(Span, Bytes)>,
}

impl<'a> Rewrite<'a> {
    pub(super) fn new(message: &'a Message) -> Self {
        Self { message, edits: Vec::new() }
    }

    /// Another id.
    pub fn id(self, id: &Id) -> Self {
        let span = self.message.id_span();
        self.edit(span, id.as_bytes().clone())
    }

    /// Another `Routed::name`, or another name in a prompt reference; escaped here.
    pub fn name(self, name: &str) -> Self {
        let routed = self.message.routed();
        let place = match &routed.reference {
            Some(Reference::Prompt(text)) => Some(text),
            Some(Reference::Resource(_)) | None => routed.name.as_ref(),
        };
        self.text(place, name)
    }

    /// Another `Routed::uri`, or another URI in a resource reference; escaped here.
    pub fn uri(self, uri: &str) -> Self {
        let routed = self.message.routed();
        let place = match &routed.reference {
            Some(Reference::Resource(text)) => Some(text),
            Some(Reference::Prompt(_)) | None => routed.uri.as_ref(),
        };
        self.text(place, uri)
    }

    /// Another progress token, as raw JSON.
    pub fn progress_token(self, raw: &[u8]) -> Self {
        let span = self.message.routed().progress_token.as_ref().map(|(span, _)| span.clone());
        self.edit(span, Bytes::copy_from_slice(raw))
    }

    /// Another `Routed::request_id`.
    pub fn request_id(self, id: &Id) -> Self {
        let span = self.message.routed().request_id_span.clone();
        self.edit(span, id.as_bytes().clone())
    }

    /// Another `Routed::logger`; escaped here.
    pub fn logger(self, logger: &str) -> Self {
        let place = self.message.routed().logger.as_ref();
        self.text(place, logger)
    }

    /// Another `Routed::include_context`; escaped here.
    pub fn include_context(self, include_context: &str) -> Self {
        let place = self.message.routed().include_context.as_ref();
        self.text(place, include_context)
    }

    /// Another `Routed::elicitation_message`; escaped here.
    pub fn elicitation_message(self, message: &str) -> Self {
        let place = self.message.routed().elicitation_message.as_ref();
        self.text(place, message)
    }

    /// Another `Routed::elicitation_id`; escaped here.
    pub fn elicitation_id(self, id: &str) -> Self {
        let place = self.message.routed().elicitation_id.as_ref();
        self.text(place, id)
    }

    /// Another `Routed::task_id`; escaped here.
    pub fn task_id(self, id: &str) -> Self {
        let place = self.message.routed().task_id.as_ref();
        self.text(place, id)
    }

    /// Another `Routed::related_task`; escaped here.
    pub fn related_task(self, id: &str) -> Self {
        let place = self.message.routed().related_task.as_ref();
        self.text(place, id)
    }

    /// The copy; the message's own bytes if nothing is replaced.
    pub fn bytes(mut self) -> Bytes {
        self.edits.sort_by_key(|(span, _)| span.start);
        splice(self.message.bytes(), &self.edits)
    }

    fn text(self, place: Option<&Text>, text: &str) -> Self {
        self.edit(place.map(Text::span), quoted(text))
    }

    fn edit(mut self, span: Option<Span>, replacement: Bytes) -> Self {
        if let Some(span) = span {
            self.edits.retain(|(known, _)| *known != span);
            self.edits.push((span, replacement));
        }
        self
    }
}
