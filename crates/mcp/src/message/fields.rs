//! Where the known fields of an object stand, and which of them are there twice.

use std::collections::HashSet;

use bytes::Bytes;

use super::error::Problem;
use crate::scan::{Cursor, Fault, Span};
use crate::text::Text;

/// The members of an object that are looked for.
struct Shape {
    name: &'static str,
    members: &'static [Shape],
}

const fn leaf(name: &'static str) -> Shape {
    Shape { name, members: &[] }
}

const fn object(name: &'static str, members: &'static [Shape]) -> Shape {
    Shape { name, members }
}

/// The envelope, and of `params` everything that some method is routed by: `method` may come after
/// `params`, so which of them count is decided later.
const ENVELOPE: &[Shape] = &[
    leaf("jsonrpc"),
    leaf("id"),
    leaf("method"),
    object("params", PARAMS),
    object("result", &[object("_meta", &[RELATED])]),
    object("error", &[leaf("code")]),
];

const PARAMS: &[Shape] = &[
    leaf("name"),
    leaf("uri"),
    object("ref", &[leaf("type"), leaf("name"), leaf("uri")]),
    leaf("cursor"),
    leaf("requestId"),
    leaf("progressToken"),
    leaf("protocolVersion"),
    object("clientInfo", &[leaf("name"), leaf("version")]),
    leaf("capabilities"),
    leaf("level"),
    leaf("logger"),
    leaf("message"),
    leaf("mode"),
    leaf("elicitationId"),
    leaf("includeContext"),
    leaf("task"),
    leaf("taskId"),
    object("_meta", &[leaf("progressToken"), leaf(ENVELOPE_VERSION), RELATED]),
];

const RELATED: Shape = object(RELATED_TASK, &[leaf("taskId")]);

/// The key of `params._meta` that makes a request a modern one (2026-07-28).
pub(super) const ENVELOPE_VERSION: &str = "io.modelcontextprotocol/protocolVersion";

/// The key of a `_meta` that says to which task a message belongs (2025-11-25, tasks).
pub(super) const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";

/// Every key under this prefix is the protocol's own, and may be there once only.
const RESERVED: &str = "io.modelcontextprotocol/";

/// The known fields of one object.
#[derive(Debug, Default)]
pub(super) struct Fields {
    fields: Vec<Field>,
    /// The first repeated key under `RESERVED`.
    reserved: Option<(String, usize)>,
}

#[derive(Debug)]
struct Field {
    name: &'static str,
    members: &'static [Shape],
    /// The last value.
    span: Option<Span>,
    inside: Option<Fields>,
    /// Where its key stands for the second time.
    repeated: Option<usize>,
    /// Where its key stands in another case. Some parsers (Go's) read such a key all the same.
    respelled: Option<usize>,
}

impl std::fmt::Debug for Shape {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name)
    }
}

impl Fields {
    /// Those of a message.
    pub(super) fn envelope() -> Self {
        Self::new(ENVELOPE)
    }

    fn new(shape: &'static [Shape]) -> Self {
        let field = |shape: &'static Shape| Field {
            name: shape.name,
            members: shape.members,
            span: None,
            inside: None,
            repeated: None,
            respelled: None,
        };
        Self { fields: shape.iter().map(field).collect(), reserved: None }
    }

    /// Passes over the object at the cursor. What it has seen stays noted if it fails.
    pub(super) fn read(&mut self, bytes: &[u8], cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let mut seen = HashSet::new();
        let mut walk = cursor.object()?;
        while let Some(token) = cursor.member(&mut walk)? {
            let key = token.lossy(bytes);
            if let Some(field) = self.fields.iter_mut().find(|field| alike(field.name, &key)) {
                field.read(&key, token.span.start, bytes, cursor)?;
            } else {
                cursor.skip()?;
            }
            if key.get(..RESERVED.len()).is_some_and(|prefix| alike(RESERVED, prefix)) {
                let folded: String = key.chars().map(fold).collect();
                if !seen.insert(folded) && self.reserved.is_none() {
                    self.reserved = Some((key.into_owned(), token.span.start));
                }
            }
        }
        Ok(())
    }

    /// The value of a field.
    pub(super) fn span(&self, name: &str) -> Option<Span> {
        self.field(name)?.span.clone()
    }

    /// The value of a field that is there once.
    pub(super) fn only(&self, name: &str) -> Option<Span> {
        let field = self.field(name)?;
        if field.repeated.is_some() { None } else { field.span.clone() }
    }

    /// The value of a field unless it is null.
    pub(super) fn some(&self, bytes: &[u8], name: &str) -> Option<Span> {
        self.span(name).filter(|span| bytes.get(span.start) != Some(&b'n'))
    }

    /// The value of a field that is a string.
    pub(super) fn text(&self, bytes: &Bytes, name: &str) -> Option<Text> {
        let span = self.span(name)?;
        let token = Cursor::within(bytes, &span).string().ok()?;
        Text::of(bytes, &token)
    }

    /// The fields of a field that is an object.
    pub(super) fn inside(&self, name: &str) -> Option<&Self> {
        self.field(name)?.inside.as_ref()
    }

    /// Each of these is there once at most.
    pub(super) fn once(&self, names: &[&str]) -> Result<(), Problem> {
        self.reject(names, |field| field.repeated)
    }

    /// Each of these is there once at most, and in no other case.
    pub(super) fn strict(&self, names: &[&str]) -> Result<(), Problem> {
        self.reject(names, |field| field.repeated.or(field.respelled))
    }

    /// No key that the protocol has reserved is there twice.
    pub(super) fn strict_reserved(&self) -> Result<(), Problem> {
        match self.reserved.clone() {
            Some((field, position)) => Err(Problem::Repeated { field, position }),
            None => Ok(()),
        }
    }

    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    fn reject(
        &self,
        names: &[&str],
        fault: impl Fn(&Field) -> Option<usize>,
    ) -> Result<(), Problem> {
        for field in self.fields.iter().filter(|field| names.contains(&field.name)) {
            if let Some(position) = fault(field) {
                return Err(Problem::Repeated { field: field.name.to_owned(), position });
            }
        }
        Ok(())
    }
}

impl Field {
    fn read(
        &mut self,
        key: &str,
        position: usize,
        bytes: &[u8],
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Fault> {
        if key != self.name {
            self.respelled.get_or_insert(position);
            cursor.skip()?;
            return Ok(());
        }
        if self.span.is_some() {
            self.repeated.get_or_insert(position);
        }
        if self.members.is_empty() || cursor.peek() != Some(b'{') {
            self.inside = None;
            self.span = Some(cursor.value()?);
            return Ok(());
        }
        let start = cursor.position();
        let inside = self.inside.insert(Fields::new(self.members));
        inside.read(bytes, cursor)?;
        self.span = Some(start..cursor.position());
        Ok(())
    }
}

/// Whether two keys are the same to a parser that does not look at case.
fn alike(name: &str, key: &str) -> bool {
    name == key || name.chars().map(fold).eq(key.chars().map(fold))
}

/// The simple case folding of Unicode, as far as it leads to an ASCII letter.
fn fold(character: char) -> char {
    match character {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    }
}
