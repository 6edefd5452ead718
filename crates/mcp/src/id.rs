//! Ids of JSON-RPC messages: a client's, kept as written, and the gateway's own, unguessable.

use bytes::Bytes;

/// A JSON-RPC id as written: raw JSON text (`7`, `"a"`, `1e3`), never re-rendered. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Id(
    /// A JSON string or number.
    Bytes,
);

impl Id {
    /// The id that stands at the start of `raw`, which holds one JSON value.
    pub(crate) fn of(raw: Bytes) -> Option<Self> {
        matches!(raw.first(), Some(b'"' | b'-' | b'0'..=b'9')).then_some(Self(raw))
    }

    /// The raw JSON.
    pub fn as_bytes(&self) -> &Bytes {
        &self.0
    }
}

impl From<u64> for Id {
    fn from(number: u64) -> Self {
        Self(Bytes::from(number.to_string()))
    }
}

/// The unguessable 128-bit string that a request carries upstream as its id and, with another
/// first letter, as its progress token: `"i<32 hex>"` and `"t<32 hex>"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nonce(u128);

impl Nonce {
    /// How long its raw JSON forms are, quotes included.
    pub(crate) const LENGTH: usize = 35;

    /// The randomness comes from the caller: this crate does no I/O.
    pub fn new(random: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(random))
    }

    /// The id, as raw JSON with quotes.
    pub fn id(self) -> Id {
        Id(self.raw('i'))
    }

    /// The progress token, as raw JSON with quotes.
    pub fn progress_token(self) -> Bytes {
        self.raw('t')
    }

    /// The nonce of a raw JSON id, if it has the form of one.
    pub fn of_id(raw: &[u8]) -> Option<Self> {
        Self::of(raw, b'i')
    }

    /// The nonce of a raw JSON progress token, if it has the form of one.
    pub fn of_progress_token(raw: &[u8]) -> Option<Self> {
        Self::of(raw, b't')
    }

    /// The 32 digits that both forms share.
    pub(crate) fn digits(self) -> String {
        format!("{:032x}", self.0)
    }

    fn raw(self, letter: char) -> Bytes {
        Bytes::from(format!("\"{letter}{:032x}\"", self.0))
    }

    fn of(raw: &[u8], letter: u8) -> Option<Self> {
        let digits = raw.strip_prefix(&[b'"', letter])?.strip_suffix(b"\"")?;
        let lower = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        if digits.len() != 32 || !digits.iter().all(lower) {
            return None;
        }
        u128::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok().map(Self)
    }
}

#[cfg(test)]
mod tests;
