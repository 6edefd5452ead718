//! A cursor over JSON bytes: checks what it passes, remembers only where it is. It knows JSON and
//! nothing of messages.

use std::borrow::Cow;

use memchr::memchr2;

use crate::escape::unescape;

/// A place in a message: byte offsets into its bytes.
pub type Span = std::ops::Range<usize>;

/// How deeply arrays and objects of a message may be nested.
pub const MAX_DEPTH: usize = 128;

/// Why a cursor cannot go on, and at which byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Syntax(usize),
    TooDeep(usize),
}

/// A string as it stands in the bytes, quotes included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) span: Span,
    pub(crate) escaped: bool,
}

impl Token {
    /// What the string says; half a surrogate pair becomes U+FFFD.
    pub(crate) fn lossy<'a>(&self, bytes: &'a [u8]) -> Cow<'a, str> {
        let content = bytes.get(self.span.start + 1..self.span.end - 1).unwrap_or_default();
        if self.escaped {
            Cow::Owned(unescape(content).text)
        } else {
            String::from_utf8_lossy(content)
        }
    }
}

/// An object or array that is being walked.
#[derive(Debug)]
pub(crate) struct Walk {
    started: bool,
}

/// Reads JSON from front to back. Every method fails at the first byte that is not JSON.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    /// A cursor over bytes from outside: they must be UTF-8.
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Fault> {
        match std::str::from_utf8(bytes) {
            Ok(_) => Ok(Self::checked(bytes)),
            Err(error) => Err(Fault::Syntax(error.valid_up_to())),
        }
    }

    /// A cursor over bytes that another cursor has passed before.
    pub(crate) fn checked(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, depth: 0 }
    }

    /// A cursor over the part of checked bytes that ends with `span`, at its start.
    pub(crate) fn within(bytes: &'a [u8], span: &Span) -> Self {
        Self { bytes: bytes.get(..span.end).unwrap_or(bytes), at: span.start, depth: 0 }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// The first byte of the next token.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.space();
        self.byte()
    }

    /// Opens an object.
    pub(crate) fn object(&mut self) -> Result<Walk, Fault> {
        self.open(b'{')
    }

    /// Opens an array.
    pub(crate) fn array(&mut self) -> Result<Walk, Fault> {
        self.open(b'[')
    }

    /// The key of the object's next member; the caller then reads its value. `None` at the end.
    pub(crate) fn member(&mut self, walk: &mut Walk) -> Result<Option<Token>, Fault> {
        if !self.advance(walk, b'}')? {
            return Ok(None);
        }
        self.key().map(Some)
    }

    /// Whether the array has another element, which the caller then reads.
    pub(crate) fn element(&mut self, walk: &mut Walk) -> Result<bool, Fault> {
        self.advance(walk, b']')
    }

    /// Passes one string.
    pub(crate) fn string(&mut self) -> Result<Token, Fault> {
        self.expect(b'"')?;
        let start = self.at - 1;
        let mut escaped = false;
        loop {
            self.at += plain(self.bytes.get(self.at..).unwrap_or_default());
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Token { span: start..self.at, escaped });
                }
                Some(b'\\') => self.at += 1,
                _ => return Err(Fault::Syntax(self.at)),
            }
            escaped = true;
            self.escape()?;
        }
    }

    /// Passes one value of any kind and says where it stands.
    pub(crate) fn value(&mut self) -> Result<Span, Fault> {
        self.space();
        let start = self.at;
        let outside = self.depth;
        // One bit for each open container, the innermost lowest: set for an object.
        let mut objects: u128 = 0;
        loop {
            let opened = match self.byte() {
                Some(b'"') => self.string().map(|_| false)?,
                Some(b'{') => self.enter(&mut objects, 1)?,
                Some(b'[') => self.enter(&mut objects, 0)?,
                Some(b't') => self.literal(b"true")?,
                Some(b'f') => self.literal(b"false")?,
                Some(b'n') => self.literal(b"null")?,
                _ => self.number()?,
            };
            if !opened && !self.leave(&mut objects, outside)? {
                return Ok(start..self.at);
            }
        }
    }

    /// Passes one value of any kind.
    pub(crate) fn skip(&mut self) -> Result<(), Fault> {
        self.value()?;
        Ok(())
    }

    /// Nothing but white space may follow.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Fault::Syntax(self.at)),
        }
    }

    /// Opens a container inside `value`: true if a value comes next, false if it was empty.
    fn enter(&mut self, objects: &mut u128, object: u128) -> Result<bool, Fault> {
        let close = if object == 1 { b'}' } else { b']' };
        self.nest()?;
        self.at += 1;
        self.space();
        if self.byte() == Some(close) {
            self.at += 1;
            self.depth -= 1;
            return Ok(false);
        }
        *objects = (*objects << 1) | object;
        if object == 1 {
            self.key()?;
        }
        self.space();
        Ok(true)
    }

    /// After a value inside `value`: closes what ends here; true if another value comes next.
    fn leave(&mut self, objects: &mut u128, outside: usize) -> Result<bool, Fault> {
        while self.depth > outside {
            self.space();
            let object = *objects & 1 == 1;
            match self.byte() {
                Some(b',') => {
                    self.at += 1;
                    if object {
                        self.key()?;
                    }
                    self.space();
                    return Ok(true);
                }
                Some(b'}') if object => {}
                Some(b']') if !object => {}
                _ => return Err(Fault::Syntax(self.at)),
            }
            self.at += 1;
            self.depth -= 1;
            *objects >>= 1;
        }
        Ok(false)
    }

    fn open(&mut self, bracket: u8) -> Result<Walk, Fault> {
        self.space();
        if self.byte() != Some(bracket) {
            return Err(Fault::Syntax(self.at));
        }
        self.nest()?;
        self.at += 1;
        Ok(Walk { started: false })
    }

    fn nest(&mut self) -> Result<(), Fault> {
        if self.depth == MAX_DEPTH {
            return Err(Fault::TooDeep(self.at));
        }
        self.depth += 1;
        Ok(())
    }

    fn advance(&mut self, walk: &mut Walk, close: u8) -> Result<bool, Fault> {
        self.space();
        match self.byte() {
            Some(byte) if byte == close => {
                self.at += 1;
                self.depth -= 1;
                Ok(false)
            }
            Some(b',') if walk.started => {
                self.at += 1;
                Ok(true)
            }
            Some(_) if !walk.started => {
                walk.started = true;
                Ok(true)
            }
            _ => Err(Fault::Syntax(self.at)),
        }
    }

    fn key(&mut self) -> Result<Token, Fault> {
        self.space();
        let key = self.string()?;
        self.space();
        self.expect(b':')?;
        Ok(key)
    }

    /// The rest of an escape, after its backslash.
    fn escape(&mut self) -> Result<(), Fault> {
        match self.byte() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                let digits = self.bytes.get(self.at + 1..self.at + 5).unwrap_or_default();
                if digits.len() < 4 || !digits.iter().all(u8::is_ascii_hexdigit) {
                    return Err(Fault::Syntax(self.at));
                }
                self.at += 5;
            }
            _ => return Err(Fault::Syntax(self.at)),
        }
        Ok(())
    }

    /// Passes a number; false, because nothing was opened.
    fn number(&mut self) -> Result<bool, Fault> {
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.byte(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(false)
    }

    fn digits(&mut self) -> Result<(), Fault> {
        let start = self.at;
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(Fault::Syntax(start)) } else { Ok(()) }
    }

    fn literal(&mut self, word: &[u8]) -> Result<bool, Fault> {
        if !self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            return Err(Fault::Syntax(self.at));
        }
        self.at += word.len();
        Ok(false)
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.byte() != Some(byte) {
            return Err(Fault::Syntax(self.at));
        }
        self.at += 1;
        Ok(())
    }

    fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while matches!(self.byte(), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }
}

/// How many bytes of a string's content mean themselves: up to a quote, a backslash or a control
/// character, which JSON strings may not hold.
pub(crate) fn plain(content: &[u8]) -> usize {
    // Most strings are short: a search is worth its start only for the others.
    const SHORT: usize = 24;
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    if let Some(offset) = content.iter().take(SHORT).position(special) {
        return offset;
    }
    let long = content.get(SHORT..).unwrap_or_default();
    let end = memchr2(b'"', b'\\', long).unwrap_or(long.len());
    let run = long.get(..end).unwrap_or_default();
    // The fold has no early exit, so that it compiles to vector instructions.
    let end = if run.iter().fold(false, |found, byte| found | (*byte < 0x20)) {
        run.iter().position(special).unwrap_or(end)
    } else {
        end
    };
    (SHORT + end).min(content.len())
}

#[cfg(test)]
mod tests;
