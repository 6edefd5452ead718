//! A walk over checked JSON that notes what to change: members that go, values that are replaced,
//! text that is put in between.

use bytes::Bytes;

use crate::page;
use crate::scan::{Cursor, Fault, Span};
use crate::splice::splice;
use crate::text::Text;

/// Whether a member stays in its object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Stays,
    Goes,
}

impl Fate {
    pub(crate) fn stays_if(stays: bool) -> Self {
        if stays { Self::Stays } else { Self::Goes }
    }
}

/// Why what is being walked cannot be repaired: a sentence for the operator.
#[derive(Debug)]
pub(crate) struct Flaw(pub(super) String);

impl From<Fault> for Flaw {
    fn from(_: Fault) -> Self {
        Self("it is not JSON, or nested too deeply".to_owned())
    }
}

/// An object that has been walked.
#[derive(Debug, Clone)]
pub(crate) struct Object {
    pub(crate) span: Span,
    /// Whether a member stays.
    full: bool,
}

/// Walks from front to back; the edits do not touch the bytes before the end.
pub(crate) struct Editor<'a> {
    pub(crate) bytes: &'a Bytes,
    pub(crate) cursor: Cursor<'a>,
    edits: Vec<(Span, Bytes)>,
}

impl<'a> Editor<'a> {
    /// For the value at `span`.
    pub(crate) fn new(bytes: &'a Bytes, span: &Span) -> Self {
        Self { bytes, cursor: Cursor::within(bytes, span), edits: Vec::new() }
    }

    /// The edited copy; `None` if nothing is to be changed.
    pub(crate) fn finish(self) -> Option<Bytes> {
        let bytes = self.bytes;
        let edits = self.edits();
        if edits.is_empty() { None } else { Some(splice(bytes, &edits)) }
    }

    /// What is to be changed, in order.
    pub(crate) fn edits(mut self) -> Vec<(Span, Bytes)> {
        // What is put in goes before what begins there.
        self.edits.sort_by_key(|(span, _)| (span.start, span.end));
        self.edits
    }

    /// The first byte of the next value.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.cursor.peek()
    }

    /// Walks the members of the object at the cursor. `member` passes the value and says whether
    /// it stays; of one that goes, edits inside are forgotten.
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<Fate, Flaw>,
    ) -> Result<Object, Flaw> {
        self.peek();
        let start = self.cursor.position();
        let (mut full, mut end) = (false, start + 1);
        // Where a cut begins that ends with the next member's key: nothing before it stays.
        let mut open = None;
        let mut walk = self.cursor.object()?;
        while let Some(key) = self.cursor.member(&mut walk)? {
            if let Some(open) = open.take() {
                self.replace(open..key.span.start, Bytes::new());
            }
            let (mark, bytes) = (self.edits.len(), self.bytes);
            let fate = member(self, &key.lossy(bytes))?;
            let after = self.cursor.position();
            if fate == Fate::Goes {
                self.edits.truncate(mark);
                if full {
                    self.replace(end..after, Bytes::new());
                } else {
                    open = Some(key.span.start);
                }
            }
            full |= fate == Fate::Stays;
            end = after;
        }
        if let Some(open) = open {
            self.replace(open..end, Bytes::new());
        }
        Ok(Object { span: start..self.cursor.position(), full })
    }

    /// Walks the elements of the array at the cursor, and says where it stands.
    pub(crate) fn array(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<(), Flaw>,
    ) -> Result<Span, Flaw> {
        self.peek();
        let start = self.cursor.position();
        let mut walk = self.cursor.array()?;
        while self.cursor.element(&mut walk)? {
            element(self)?;
        }
        Ok(start..self.cursor.position())
    }

    /// Passes one value and gives it if it is a string.
    pub(crate) fn string(&mut self) -> Result<Option<Text>, Flaw> {
        Ok(page::string(self.bytes, &mut self.cursor)?)
    }

    /// Passes one value and says where it stands.
    pub(crate) fn value(&mut self) -> Result<Span, Flaw> {
        Ok(self.cursor.value()?)
    }

    /// Passes one value, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Fate, Flaw> {
        self.cursor.skip()?;
        Ok(Fate::Stays)
    }

    /// Passes one value that stays unless it is null.
    pub(crate) fn not_null(&mut self) -> Result<Fate, Flaw> {
        self.when(|first| first != b'n')
    }

    /// Passes one value that stays if it is a string.
    pub(crate) fn text(&mut self) -> Result<Fate, Flaw> {
        self.when(|first| first == b'"')
    }

    /// Passes one value that stays if it is true or false.
    pub(crate) fn flag(&mut self) -> Result<Fate, Flaw> {
        self.when(|first| matches!(first, b't' | b'f'))
    }

    /// Passes one value that stays if it is a number.
    pub(crate) fn number(&mut self) -> Result<Fate, Flaw> {
        self.when(|first| matches!(first, b'-' | b'0'..=b'9'))
    }

    /// Passes one value that stays if it is an object.
    pub(crate) fn map(&mut self) -> Result<Fate, Flaw> {
        self.when(|first| first == b'{')
    }

    /// Passes one value that stays if it is an array of such strings.
    pub(crate) fn texts(&mut self, fits: impl Fn(&str) -> bool) -> Result<Fate, Flaw> {
        if self.peek() != Some(b'[') {
            self.any()?;
            return Ok(Fate::Goes);
        }
        let mut all = true;
        self.array(|editor| {
            let text = editor.string()?;
            all &= text.is_some_and(|text| fits(text.as_str()));
            Ok(())
        })?;
        Ok(Fate::stays_if(all))
    }

    /// Puts other bytes in the place of a value; edits inside of it must have been forgotten.
    pub(crate) fn replace(&mut self, span: Span, replacement: Bytes) {
        self.edits.push((span, replacement));
    }

    /// Puts `text` before the byte at `at`.
    pub(crate) fn insert(&mut self, at: usize, text: Bytes) {
        self.replace(at..at, text);
    }

    /// Puts a member at the front of an object, whose others have been walked; once at most.
    pub(crate) fn add(&mut self, object: &Object, name: &str, value: &[u8]) {
        let comma: &[u8] = if object.full { b"," } else { b"" };
        let member = [b"\"", name.as_bytes(), b"\":", value, comma].concat();
        self.insert(object.span.start + 1, member.into());
    }

    /// How many edits there are, for `forget`.
    pub(crate) fn mark(&self) -> usize {
        self.edits.len()
    }

    /// Forgets the edits since `mark`.
    pub(crate) fn forget(&mut self, mark: usize) {
        self.edits.truncate(mark);
    }

    fn when(&mut self, stays: impl Fn(u8) -> bool) -> Result<Fate, Flaw> {
        let fate = Fate::stays_if(self.peek().is_some_and(stays));
        self.any()?;
        Ok(fate)
    }
}
