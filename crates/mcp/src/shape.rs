//! What the clients of each revision can take, and how a newer or sloppier server's words are made
//! to fit: strict clients refuse a whole list for one bad entry, and a whole result for one bad block.

mod annotation;
mod content;
mod item;
mod output;
mod pattern;
mod reference;
mod schema;

use bytes::Bytes;

use self::pattern::Patterns;
use crate::message::{Kind, Message};
use crate::method::ListKind;
use crate::revision::Revision;
use crate::uri::ResultKind;

/// What a client can take. Revisions that differ only in members that older clients pass over
/// share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// Text, images and embedded resources.
    V2024_11_05,
    /// Also audio.
    V2025_03_26,
    /// Also links to resources, and structured results that are objects; the same in 2025-11-25.
    V2025_06_18,
    /// Also structured results of any kind.
    V2026_07_28,
}

impl Shape {
    /// All of them, oldest first.
    pub const ALL: [Self; 4] =
        [Self::V2024_11_05, Self::V2025_03_26, Self::V2025_06_18, Self::V2026_07_28];

    /// What most clients take, and what whoever has not said which revision it speaks gets.
    pub const USUAL: Self = Self::V2025_06_18;

    /// What a client of that revision can take.
    pub fn of(revision: Revision) -> Self {
        match revision {
            Revision::V2024_11_05 => Self::V2024_11_05,
            Revision::V2025_03_26 => Self::V2025_03_26,
            Revision::V2025_06_18 | Revision::V2025_11_25 => Self::V2025_06_18,
            Revision::V2026_07_28 => Self::V2026_07_28,
        }
    }

    /// Whether results of that kind may have to be changed for these clients however well-formed
    /// they are, because newer ones take more. Where a tool's output is wrapped (`wraps_output`),
    /// its results are changed too.
    pub fn narrows(self, kind: ResultKind) -> bool {
        match kind {
            ResultKind::ToolCall | ResultKind::Prompt => self < Self::USUAL,
            ResultKind::Read => false,
        }
    }

    fn has_audio(self) -> bool {
        self >= Self::V2025_03_26
    }

    fn has_resource_links(self) -> bool {
        self >= Self::V2025_06_18
    }

    fn has_structured_content(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether a structured result may be anything (SEP-2106), not only an object.
    fn has_any_structured_content(self) -> bool {
        self >= Self::V2026_07_28
    }
}

/// What became of an entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShapedItem {
    /// The client can take it as it is.
    Same,
    /// The client can take this instead.
    Changed {
        /// What it gets.
        item: Bytes,
        /// Whether the `outputSchema` of the tool was wrapped, so that `shape_result` must wrap each
        /// of its results.
        wraps: bool,
    },
    /// The client would refuse the whole list for it, and it cannot be repaired: why.
    Withheld(String),
}

/// Makes the entries of one list (see `Item::raw`) ones that clients of a shape take.
#[derive(Debug)]
pub struct Shaper {
    kind: ListKind,
    shape: Shape,
    /// What is looked at of regular expressions is bounded for the list as a whole.
    patterns: Patterns,
}

impl Shaper {
    /// None has been looked at.
    pub fn new(kind: ListKind, shape: Shape) -> Self {
        Self { kind, shape, patterns: Patterns::new() }
    }

    /// Makes the next entry fit. Optional members that are null or of another type are dropped, a
    /// missing `type` of an object schema is added, and an `outputSchema` that is older clients' no
    /// more is wrapped or left out; everything else stays byte for byte. What it gives, it would
    /// leave the same. Of a repeated member each is checked.
    pub fn shape(&mut self, item: &Bytes) -> ShapedItem {
        item::shaped(self.kind, item, self.shape, &mut self.patterns)
    }
}

/// The whole response with a result that clients of `shape` take, ids as they were; `None` if it
/// already is one, or is no result. `wraps` says that the tool's `outputSchema` was wrapped.
///
/// URIs must be mapped before: an older client gets a link as text. The result of `tasks/result` is
/// a `ToolCall` too.
pub fn shape_result(
    kind: ResultKind,
    response: &Message,
    shape: Shape,
    wraps: bool,
) -> Option<Bytes> {
    if response.kind() != Kind::Response {
        return None;
    }
    content::shaped(kind, response.bytes(), &response.result_span()?, shape, wraps)
}

#[cfg(test)]
mod tests;
