//! Whether a response that is too long to be kept is one: JSON, and to the request that was sent.
//! Nothing is copied but keys and scalars of the envelope, each up to a bound. That strings are
//! UTF-8 is not checked.

mod number;

use crate::id::Id;
use crate::message::MessageError;
use crate::scan::{Fault, MAX_DEPTH, plain};

use self::number::Number;

/// As much of a key or scalar as has to be known; longer than an id of ours.
const CAPTURED: usize = 48;

/// Why what streamed by is not the response that was waited for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// It is not a message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// It is one, with another id or none.
    #[error("it answered another request")]
    OtherRequest,
}

/// Reads a response chunk by chunk, and fails at the first byte that shows that it is not one.
#[derive(Debug)]
pub struct ResponseCheck {
    id: Id,
    /// How many bytes came in earlier chunks.
    position: usize,
    state: State,
    depth: usize,
    /// One bit for each open container, the innermost lowest: set for an object.
    objects: u128,
    /// The key and scalar of the envelope that were read last.
    key: Vec<u8>,
    scalar: Vec<u8>,
    seen: Seen,
}

/// What may come next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Value,
    /// A value or the end of the array.
    FirstElement,
    Key,
    /// A key or the end of the object.
    FirstKey,
    Colon,
    /// A comma or the end of the container; the end of the message where none is open.
    After,
    Text(Role),
    Escape(Role),
    Hex(Role, u8),
    /// What is left of `true`, `false` or `null`.
    Word(&'static [u8]),
    Number(Number),
}

/// What a string is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Key,
    Value,
}

/// The members of the envelope so far.
#[derive(Debug, Default)]
struct Seen {
    version: bool,
    id: bool,
    result: Member,
    error: Member,
}

/// Servers send null for members that they lack.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Member {
    #[default]
    Absent,
    Null,
    Some,
}

impl ResponseCheck {
    /// Nothing yet of the response to the request `id`.
    pub fn new(id: Id) -> Self {
        Self {
            id,
            position: 0,
            state: State::Value,
            depth: 0,
            objects: 0,
            key: Vec::new(),
            scalar: Vec::new(),
            seen: Seen::default(),
        }
    }

    /// Reads on.
    ///
    /// # Errors
    /// As soon as what has come cannot become the response.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), ResponseError> {
        let mut at = 0;
        while let Some(byte) = chunk.get(at).copied() {
            match self.state {
                State::Text(role) => {
                    let rest = chunk.get(at..).unwrap_or_default();
                    let run = rest.get(..plain(rest)).unwrap_or_default();
                    self.capture(role, run);
                    at += run.len();
                    let Some(byte) = chunk.get(at).copied() else { break };
                    self.text(role, byte).ok_or_else(|| self.syntax(at))?;
                    at += 1;
                    if self.state == State::After {
                        self.scalar_ended()?;
                    }
                }
                State::Number(number) => match number.next(byte) {
                    Some(number) => {
                        self.capture(Role::Value, &[byte]);
                        self.state = State::Number(number);
                        at += 1;
                    }
                    None if number.is_whole() => {
                        self.state = State::After;
                        self.scalar_ended()?;
                    }
                    None => return Err(self.syntax(at)),
                },
                _ => {
                    self.step(byte, at)?;
                    at += 1;
                }
            }
        }
        self.position += chunk.len();
        Ok(())
    }

    /// Nothing comes any more.
    ///
    /// # Errors
    /// Where something is missing.
    pub fn finish(self) -> Result<(), ResponseError> {
        if self.depth > 0 || self.state != State::After {
            return Err(self.syntax(0));
        }
        match (self.seen.result, self.seen.error) {
            _ if !self.seen.version => Err(not_envelope("`jsonrpc` is not \"2.0\"")),
            (Member::Some, Member::Some) => {
                Err(not_envelope("there are both a result and an error"))
            }
            (Member::Absent, Member::Absent | Member::Null) => {
                Err(not_envelope("there is no method, result or error"))
            }
            _ if !self.seen.id => Err(ResponseError::OtherRequest),
            _ => Ok(()),
        }
    }

    /// One byte outside of strings' plain text and numbers.
    fn step(&mut self, byte: u8, at: usize) -> Result<(), ResponseError> {
        let is_space = matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
        self.state = match (self.state, byte) {
            (State::Escape(role), b'u') => State::Hex(role, 4),
            (State::Escape(role), b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                State::Text(role)
            }
            (State::Hex(role, left), _) if byte.is_ascii_hexdigit() => match left {
                1 => State::Text(role),
                _ => State::Hex(role, left - 1),
            },
            (State::Word(rest), _) if rest.first() == Some(&byte) => {
                self.capture(Role::Value, &[byte]);
                match rest.get(1..) {
                    Some(rest) if !rest.is_empty() => State::Word(rest),
                    _ => {
                        self.state = State::After;
                        return self.scalar_ended();
                    }
                }
            }
            (State::Escape(_) | State::Hex(..) | State::Word(_), _) => return Err(self.syntax(at)),
            (state, _) if is_space => state,
            (State::Value | State::FirstElement, b'{' | b'[') => return self.open(byte, at),
            (State::FirstElement, b']') | (State::FirstKey, b'}') => return self.close(byte, at),
            (State::Value | State::FirstElement, _) => return self.scalar(byte, at),
            (State::Key | State::FirstKey, b'"') => {
                self.key.clear();
                State::Text(Role::Key)
            }
            (State::Colon, b':') => State::Value,
            (State::After, b',') if self.depth > 0 => match self.is_in_object() {
                true => State::Key,
                false => State::Value,
            },
            (State::After, b'}' | b']') => return self.close(byte, at),
            _ => return Err(self.syntax(at)),
        };
        Ok(())
    }

    /// The byte that ends a run of plain text.
    fn text(&mut self, role: Role, byte: u8) -> Option<()> {
        self.state = match (byte, role) {
            (b'"', Role::Key) => State::Colon,
            (b'"', Role::Value) => {
                self.capture(role, b"\"");
                State::After
            }
            (b'\\', _) => {
                // What is escaped is none of the names and ids that we know.
                self.capture(role, b"\\");
                State::Escape(role)
            }
            _ => return None,
        };
        Some(())
    }

    fn scalar(&mut self, byte: u8, at: usize) -> Result<(), ResponseError> {
        if self.depth == 0 {
            return Err(not_envelope("it is not an object"));
        }
        self.scalar.clear();
        self.capture(Role::Value, &[byte]);
        self.state = match byte {
            b'"' => State::Text(Role::Value),
            b't' => State::Word(b"rue"),
            b'f' => State::Word(b"alse"),
            b'n' => State::Word(b"ull"),
            _ => State::Number(Number::begin(byte).ok_or_else(|| self.syntax(at))?),
        };
        Ok(())
    }

    fn open(&mut self, bracket: u8, at: usize) -> Result<(), ResponseError> {
        if self.depth == 0 && bracket == b'[' {
            return Err(not_envelope("it is not an object"));
        }
        if self.depth == 1 {
            self.member(Member::Some, b"")?;
        }
        if self.depth == MAX_DEPTH {
            return Err(MessageError::from(Fault::TooDeep(self.position + at)).into());
        }
        self.depth += 1;
        self.objects = (self.objects << 1) | u128::from(bracket == b'{');
        self.state = if bracket == b'{' { State::FirstKey } else { State::FirstElement };
        Ok(())
    }

    fn close(&mut self, bracket: u8, at: usize) -> Result<(), ResponseError> {
        if self.depth == 0 || self.is_in_object() != (bracket == b'}') {
            return Err(self.syntax(at));
        }
        self.depth -= 1;
        self.objects >>= 1;
        self.state = State::After;
        Ok(())
    }

    fn is_in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    fn capture(&mut self, role: Role, bytes: &[u8]) {
        if self.depth != 1 {
            return;
        }
        let known = match role {
            Role::Key => &mut self.key,
            Role::Value => &mut self.scalar,
        };
        let room = CAPTURED.saturating_sub(known.len()).min(bytes.len());
        known.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    fn scalar_ended(&mut self) -> Result<(), ResponseError> {
        if self.depth != 1 {
            return Ok(());
        }
        let scalar = std::mem::take(&mut self.scalar);
        let member = if scalar == b"null" { Member::Null } else { Member::Some };
        self.member(member, &scalar)?;
        self.scalar = scalar;
        Ok(())
    }

    /// A member of the envelope; `scalar` is empty where its value is a container.
    fn member(&mut self, member: Member, scalar: &[u8]) -> Result<(), ResponseError> {
        let repeated = || not_envelope("a member is repeated");
        match (self.key.as_slice(), member) {
            (b"jsonrpc", _) if self.seen.version => return Err(repeated()),
            (b"jsonrpc", _) if scalar != b"\"2.0\"" => {
                return Err(not_envelope("`jsonrpc` is not \"2.0\""));
            }
            (b"jsonrpc", _) => self.seen.version = true,
            (b"id", _) if self.seen.id => return Err(repeated()),
            (b"id", _) if scalar != &self.id.as_bytes()[..] => {
                return Err(ResponseError::OtherRequest);
            }
            (b"id", _) => self.seen.id = true,
            (b"method", Member::Some) => return Err(not_envelope("it is not a response")),
            (b"result", _) if self.seen.result != Member::Absent => return Err(repeated()),
            (b"result", _) => self.seen.result = member,
            (b"error", _) if self.seen.error != Member::Absent => return Err(repeated()),
            (b"error", Member::Some) if !scalar.is_empty() => {
                return Err(not_envelope("`error` is not an object"));
            }
            (b"error", _) => self.seen.error = member,
            _ => {}
        }
        Ok(())
    }

    fn syntax(&self, at: usize) -> ResponseError {
        MessageError::from(Fault::Syntax(self.position + at)).into()
    }
}

fn not_envelope(what: &'static str) -> ResponseError {
    MessageError::NotEnvelope { what, id: None }.into()
}

#[cfg(test)]
mod tests;
