//! Server-sent events: an incremental decoder, and the encoding of events and comments.

use bytes::{BufMut, Bytes, BytesMut};
use memchr::{memchr, memchr2};

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Its name; none is `message`.
    pub event: Option<Bytes>,
    /// Its own id, if this event has one.
    pub id: Option<Bytes>,
    /// How long to wait before a reconnect, in milliseconds.
    pub retry: Option<u64>,
    /// Its lines, joined by `\n`. Empty in an event that only sets an id or `retry` (a priming
    /// event, SEP-1699).
    pub data: Bytes,
}

/// Why a stream cannot be read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SseError {
    /// One event is larger than allowed.
    #[error("an event is longer than {limit} bytes")]
    TooLong {
        /// How long an event may be, in bytes.
        limit: usize,
    },
}

/// Takes a stream as it comes and gives the same events however its bytes are split. Lines may
/// end in CR, LF or CRLF; a byte order mark, comments and unknown fields are passed over.
#[derive(Debug)]
pub struct Decoder {
    limit: usize,
    buffer: BytesMut,
    /// How much of `buffer` is known to hold no line end.
    searched: usize,
    /// The stream's first bytes may be a byte order mark.
    at_start: bool,
    /// The last line ended in CR: a LF that follows belongs to it.
    after_cr: bool,
    pending: Pending,
    failed: bool,
}

/// The event whose lines are coming in.
#[derive(Debug, Default)]
struct Pending {
    event: Option<Bytes>,
    id: Option<Bytes>,
    retry: Option<u64>,
    data: Data,
    /// The bytes of the lines it was made of.
    size: usize,
}

#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    One(Bytes),
    Joined(BytesMut),
}

impl Decoder {
    /// A decoder that refuses events of more than `limit` bytes, field names included.
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            buffer: BytesMut::new(),
            searched: 0,
            at_start: true,
            after_cr: false,
            pending: Pending::default(),
            failed: false,
        }
    }

    /// The next bytes of the stream. What is buffered is bounded only if `next_event` is called
    /// until it gives `None` before the next push.
    pub fn push(&mut self, chunk: Bytes) {
        if self.failed {
            return;
        }
        if self.buffer.is_empty() {
            self.buffer = chunk.into();
        } else {
            self.buffer.extend_from_slice(&chunk);
        }
    }

    /// The next whole event; `None` until more bytes come.
    ///
    /// # Errors
    /// An event is too long; every later call says so too.
    pub fn next_event(&mut self) -> Result<Option<Event>, SseError> {
        while let Some(line) = self.next_line()? {
            if !line.is_empty() {
                self.pending.read(&line);
            } else if let Some(event) = std::mem::take(&mut self.pending).finish() {
                return Ok(Some(event));
            }
        }
        Ok(None)
    }

    fn next_line(&mut self) -> Result<Option<Bytes>, SseError> {
        if self.failed {
            return Err(SseError::TooLong { limit: self.limit });
        }
        if !self.skip_mark() {
            return Ok(None);
        }
        if self.after_cr && !self.buffer.is_empty() {
            self.after_cr = false;
            if self.buffer.first() == Some(&b'\n') {
                drop(self.buffer.split_to(1));
            }
        }
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        let end = memchr2(b'\r', b'\n', unsearched).map(|offset| self.searched + offset);
        if self.pending.size + end.unwrap_or(self.buffer.len()) > self.limit {
            self.failed = true;
            self.buffer = BytesMut::new();
            self.pending = Pending::default();
            return Err(SseError::TooLong { limit: self.limit });
        }
        let Some(end) = end else {
            self.searched = self.buffer.len();
            return Ok(None);
        };
        self.searched = 0;
        let line = self.buffer.split_to(end).freeze();
        let end = self.buffer.split_to(1);
        self.after_cr = end.first() == Some(&b'\r');
        Ok(Some(line))
    }

    /// Passes over a byte order mark; false until it is known whether there is one.
    fn skip_mark(&mut self) -> bool {
        const MARK: &[u8] = b"\xef\xbb\xbf";
        if self.at_start {
            if self.buffer.starts_with(MARK) {
                drop(self.buffer.split_to(MARK.len()));
            } else if MARK.starts_with(&self.buffer) {
                return false;
            }
            self.at_start = false;
        }
        true
    }
}

impl Pending {
    fn read(&mut self, line: &Bytes) {
        let colon = memchr(b':', line).unwrap_or(line.len());
        let start = (colon + 1).min(line.len());
        let start = if line.get(start) == Some(&b' ') { start + 1 } else { start };
        let value = line.slice(start..);
        match line.get(..colon).unwrap_or_default() {
            b"data" => self.data.add(value),
            b"event" => self.event = Some(value),
            b"id" if memchr(0, &value).is_none() => self.id = Some(value),
            b"retry" => self.retry = milliseconds(&value).or(self.retry),
            // Comments and unknown fields are not kept.
            _ => return,
        }
        self.size += line.len();
    }

    /// The event, unless its lines say nothing.
    fn finish(self) -> Option<Event> {
        let Self { event, id, retry, data, size: _ } = self;
        let data = match data {
            Data::None if id.is_none() && retry.is_none() => return None,
            Data::None => Bytes::new(),
            Data::One(line) => line,
            Data::Joined(lines) => lines.freeze(),
        };
        Some(Event { event, id, retry, data })
    }
}

impl Data {
    fn add(&mut self, line: Bytes) {
        match self {
            Self::None => *self = Self::One(line),
            Self::One(first) => {
                let mut lines = BytesMut::with_capacity(first.len() + 1 + line.len());
                lines.put_slice(first);
                lines.put_u8(b'\n');
                lines.put_slice(&line);
                *self = Self::Joined(lines);
            }
            Self::Joined(lines) => {
                lines.put_u8(b'\n');
                lines.put_slice(&line);
            }
        }
    }
}

fn milliseconds(value: &[u8]) -> Option<u64> {
    if !value.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// An event, ready to be sent. Data with line ends becomes several `data:` lines; line ends in
/// `name` and `id` are left out.
pub fn encode_event(name: Option<&str>, id: Option<&str>, data: &[u8]) -> Bytes {
    let mut event = BytesMut::with_capacity(data.len() + 64);
    for (field, value) in [("event", name), ("id", id)] {
        if let Some(value) = value {
            event.put_slice(field.as_bytes());
            event.put_slice(b": ");
            event.extend(value.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')));
            event.put_u8(b'\n');
        }
    }
    let mut rest = data;
    loop {
        let end = memchr2(b'\r', b'\n', rest);
        event.put_slice(b"data: ");
        event.put_slice(rest.get(..end.unwrap_or(rest.len())).unwrap_or_default());
        event.put_u8(b'\n');
        let Some(end) = end else { break };
        let crlf = rest.get(end..).is_some_and(|rest| rest.starts_with(b"\r\n"));
        rest = rest.get(end + 1 + usize::from(crlf)..).unwrap_or_default();
    }
    event.put_u8(b'\n');
    event.freeze()
}

/// Tells a client how long to wait before it comes back for the rest of a stream.
pub fn encode_retry(milliseconds: u64) -> Bytes {
    Bytes::from(format!("retry: {milliseconds}\n\n"))
}

/// A comment, which keeps a connection alive and says nothing; line ends are left out.
pub fn encode_comment(text: &str) -> Bytes {
    let text: String = text.chars().filter(|character| !matches!(character, '\r' | '\n')).collect();
    Bytes::from(format!(": {text}\n\n"))
}

#[cfg(test)]
mod tests;
