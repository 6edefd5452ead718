//! What a target says of its own accord, as its client is to see it.

use std::sync::Arc;

use bytes::Bytes;
use config::ElicitationLabel;
use mcp::{Message, Method, Rewrite, Text};

use crate::federation::Offer;

/// The target that speaks, and the menu by which its client knows it.
#[derive(Debug, Clone)]
pub(crate) struct Speaker {
    pub(crate) offer: Arc<Offer>,
    pub(crate) target: usize,
}

impl Speaker {
    /// A request: among several targets the client's user is told which one asks, what it calls an
    /// elicitation is told apart from what others do, and none gets to see what the client knows of
    /// the others (MCP.md 2, "roots / sampling / elicitation").
    pub(crate) fn request<'a>(&self, request: &Message, rewrite: Rewrite<'a>) -> Rewrite<'a> {
        let Some(name) = self.name() else { return rewrite };
        let routed = request.routed();
        let mut rewrite = rewrite;
        let message = routed.elicitation_message.as_ref();
        if let Some(message) = message.filter(|_| self.labels_elicitations()) {
            rewrite = rewrite.elicitation_message(&labelled(name, message));
        }
        if let Some(id) = &routed.elicitation_id {
            rewrite = rewrite.elicitation_id(&elicitation_id(name, id));
        }
        if routed.include_context.is_some() {
            rewrite = rewrite.include_context("none");
        }
        self.related(request, rewrite)
    }

    /// A notification that came with a call, or with none; `None` where no client could make
    /// anything of it.
    pub(crate) fn notice(&self, notice: &Message) -> Option<Bytes> {
        let Some(name) = self.name() else { return Some(notice.bytes().clone()) };
        let (routed, rewrite) = (notice.routed(), notice.rewrite());
        let rewrite = match notice.method() {
            Some(Method::LogMessage) => match &routed.logger {
                Some(logger) => rewrite.logger(&format!("{name}/{}", logger.as_str())),
                None => rewrite,
            },
            Some(Method::ElicitationComplete) => match &routed.elicitation_id {
                Some(id) => rewrite.elicitation_id(&elicitation_id(name, id)),
                None => rewrite,
            },
            Some(Method::ResourcesUpdated) => match &routed.uri {
                Some(uri) => rewrite.uri(&self.offer.menu.client_uri(self.target, uri.as_str())),
                None => rewrite,
            },
            Some(Method::TaskStatus) => match &routed.task_id {
                Some(id) => rewrite.task_id(&format!("{name}+{}", id.as_str())),
                None => rewrite,
            },
            Some(Method::Progress) => rewrite,
            // What the gateway does not know would be one target's among many.
            _ => return None,
        };
        Some(self.related(notice, rewrite).bytes())
    }

    /// An error of the target: of the elicitations that it asks for, the user is told which target
    /// asks, and their names are told apart from what others use.
    pub(crate) fn error(&self, error: &Message) -> Bytes {
        let Some(name) = self.name() else { return error.bytes().clone() };
        let edit = |text: &Text, new: &str| (text.span(), mcp::quoted(new));
        let ids = mcp::elicitation_id_spans(error);
        let messages = mcp::elicitation_message_spans(error);
        let messages = messages.iter().filter(|_| self.labels_elicitations());
        let mut edits: Vec<_> = ids.iter().map(|id| edit(id, &elicitation_id(name, id))).collect();
        edits.extend(messages.map(|message| edit(message, &labelled(name, message))));
        edits.sort_by_key(|(span, _)| span.start);
        mcp::splice(error.bytes(), &edits)
    }

    /// Whether the user is told which target asks.
    fn labels_elicitations(&self) -> bool {
        self.offer.backend.elicitation_label == ElicitationLabel::Target
    }

    /// The task that a message belongs to, as clients know it.
    fn related<'a>(&self, message: &Message, rewrite: Rewrite<'a>) -> Rewrite<'a> {
        let related = message.routed().related_task.as_ref();
        match related.and_then(|id| self.task(id.as_str())) {
            Some(id) => rewrite.related_task(&id),
            None => rewrite,
        }
    }

    /// What clients call a task of the target; `None` where they call it what the target does.
    pub(crate) fn task(&self, id: &str) -> Option<String> {
        self.name().map(|name| format!("{name}+{id}"))
    }

    /// What the target calls a task of its own that a client names.
    pub(crate) fn native_task<'a>(&self, id: &'a str) -> Option<&'a str> {
        id.strip_prefix(self.name()?)?.strip_prefix('+')
    }

    /// Whether it is the only one.
    pub(super) fn is_single(&self) -> bool {
        self.offer.menu.is_single()
    }

    /// The serial of its upstream.
    pub(super) fn upstream(&self) -> Option<u64> {
        let member = self.offer.members.get(self.target)?;
        member.upstream.as_ref().ok().map(|upstream| upstream.serial())
    }

    /// The target's name, where it is one among several.
    fn name(&self) -> Option<&str> {
        self.offer.menu.name_among_several(self.target).map(|name| name.as_str())
    }
}

/// What a target among several calls an elicitation, as clients know it.
fn elicitation_id(target: &str, id: &Text) -> String {
    format!("{target}+{}", id.as_str())
}

/// What the user reads of a target among several.
fn labelled(target: &str, message: &Text) -> String {
    format!("[{target}] {}", message.as_str())
}
