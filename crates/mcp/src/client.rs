//! What a client says in `initialize` that servers may ask of it, as a set.

mod read;
mod render;

use std::fmt;

use bytes::Bytes;

use crate::method::Method;
use crate::revision::Revision;

/// What a server may ask of a client, as far as a gateway can carry it: the members of `initialize`'s
/// `capabilities`, one bit each. What is not here is not declared upstream.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientCapabilities(
    /// No other bits than those of `NAMES`.
    u32,
);

/// Every capability by its path.
const NAMES: [(ClientCapabilities, &str); 12] = [
    (ClientCapabilities::ROOTS, "roots"),
    (ClientCapabilities::ROOTS_LIST_CHANGED, "roots.listChanged"),
    (ClientCapabilities::SAMPLING, "sampling"),
    (ClientCapabilities::SAMPLING_TOOLS, "sampling.tools"),
    (ClientCapabilities::SAMPLING_CONTEXT, "sampling.context"),
    (ClientCapabilities::ELICITATION_FORM, "elicitation.form"),
    (ClientCapabilities::ELICITATION_URL, "elicitation.url"),
    (ClientCapabilities::TASKS_LIST, "tasks.list"),
    (ClientCapabilities::TASKS_CANCEL, "tasks.cancel"),
    (ClientCapabilities::TASKS_SAMPLING, "tasks.requests.sampling.createMessage"),
    (ClientCapabilities::TASKS_ELICITATION, "tasks.requests.elicitation.create"),
    (ClientCapabilities::UI, "extensions.io.modelcontextprotocol/ui"),
];

/// The extension of MCP Apps (2026-01-26), and the type of what its hosts can show.
const UI_EXTENSION: &str = "io.modelcontextprotocol/ui";
const UI_TYPE: &str = "text/html;profile=mcp-app";

impl ClientCapabilities {
    /// `roots`: answers `roots/list`.
    pub const ROOTS: Self = Self(1);
    /// `roots.listChanged`: says when they change.
    pub const ROOTS_LIST_CHANGED: Self = Self(1 << 1);
    /// `sampling`: answers `sampling/createMessage`.
    pub const SAMPLING: Self = Self(1 << 2);
    /// `sampling.tools`: also with `tools` and arrays of content.
    pub const SAMPLING_TOOLS: Self = Self(1 << 3);
    /// `sampling.context`: also with `includeContext`.
    pub const SAMPLING_CONTEXT: Self = Self(1 << 4);
    /// `elicitation.form`, or `elicitation` without any mode: answers `elicitation/create`.
    pub const ELICITATION_FORM: Self = Self(1 << 5);
    /// `elicitation.url`: answers `elicitation/create` with `mode: url`.
    pub const ELICITATION_URL: Self = Self(1 << 6);
    /// `tasks.list`: answers `tasks/list`.
    pub const TASKS_LIST: Self = Self(1 << 7);
    /// `tasks.cancel`: answers `tasks/cancel`.
    pub const TASKS_CANCEL: Self = Self(1 << 8);
    /// `tasks.requests.sampling.createMessage`: makes a task of it where asked.
    pub const TASKS_SAMPLING: Self = Self(1 << 9);
    /// `tasks.requests.elicitation.create`: makes a task of it where asked.
    pub const TASKS_ELICITATION: Self = Self(1 << 10);
    /// The extension `io.modelcontextprotocol/ui` with the type `text/html;profile=mcp-app`: shows
    /// MCP Apps.
    pub const UI: Self = Self(1 << 11);

    /// The set as a number, for a key or a sealed session.
    pub fn bits(self) -> u32 {
        self.0
    }

    /// The set of that number; bits that mean nothing are dropped.
    pub fn from_bits(bits: u32) -> Self {
        NAMES.iter().fold(Self::default(), |set, (known, _)| set.union(Self(bits & known.0)))
    }

    /// Reads the raw `capabilities` object of `initialize` (see `Routed::capabilities`). Sloppy
    /// values count as `ServerCapabilities` has them: null and false are not there, anything else
    /// is. What is no JSON object declares nothing; of a repeated member each adds its own.
    pub fn read(raw: &[u8]) -> Self {
        read::capabilities(raw).unwrap_or_default()
    }

    /// What of it a client of that revision can be asked: members that the revision does not
    /// have, and parts of what is not there, are left out.
    pub fn within(self, revision: Revision) -> Self {
        let mut set = self;
        if !revision.announces_roots() || !set.contains(Self::ROOTS) {
            set = set.without(Self::ROOTS_LIST_CHANGED);
        }
        if !revision.has_sampling_details() || !set.contains(Self::SAMPLING) {
            set = set.without(Self::SAMPLING_TOOLS.union(Self::SAMPLING_CONTEXT));
        }
        if !revision.has_elicitation() {
            set = set.without(Self::ELICITATION_FORM);
        }
        if !revision.has_url_elicitation() {
            set = set.without(Self::ELICITATION_URL);
        }
        if !revision.has_tasks() {
            set = set.without(Self::TASKS_LIST.union(Self::TASKS_CANCEL));
        }
        if !revision.has_tasks() || !set.contains(Self::SAMPLING) {
            set = set.without(Self::TASKS_SAMPLING);
        }
        if !revision.has_tasks() || !set.answers(Method::ElicitationCreate) {
            set = set.without(Self::TASKS_ELICITATION);
        }
        set
    }

    /// Whether all of `other` is in it.
    pub fn contains(self, other: Self) -> bool {
        self.intersection(other) == other
    }

    /// What is in either.
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is not in `other`.
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether nothing may be asked.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many capabilities there are.
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether a client that declared this answers such a request; false for all that is not
    /// asked of clients.
    pub fn answers(self, method: Method) -> bool {
        let elicitation = Self::ELICITATION_FORM.union(Self::ELICITATION_URL);
        (method == Method::RootsList && self.contains(Self::ROOTS))
            || (method == Method::SamplingCreateMessage && self.contains(Self::SAMPLING))
            || (method == Method::ElicitationCreate && !self.intersection(elicitation).is_empty())
            || (method == Method::TasksList && self.contains(Self::TASKS_LIST))
            || (method == Method::TasksCancel && self.contains(Self::TASKS_CANCEL))
            || (matches!(method, Method::TasksGet | Method::TasksResult) && self.keeps_tasks())
    }

    /// Whether a client that declared this keeps tasks for those who ask it something.
    fn keeps_tasks(self) -> bool {
        !self.intersection(Self::TASKS_SAMPLING.union(Self::TASKS_ELICITATION)).is_empty()
    }

    /// The `capabilities` object that declares it, the same bytes for the same set. Forms alone are
    /// `elicitation:{}`, which every revision reads (2025-11-25, client/elicitation); a part of what is
    /// not there is left out.
    pub fn render(self) -> Bytes {
        render::capabilities(self)
    }
}

impl fmt::Debug for ClientCapabilities {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = NAMES.iter().filter(|(known, _)| self.contains(*known)).map(|(_, name)| name);
        formatter.debug_set().entries(names).finish()
    }
}

#[cfg(test)]
mod tests;
