//! Messages on a pipe, one a line. Lines are read within a limit: one that is too long is skipped,
//! and what can be told of it is kept.

use bytes::{Bytes, BytesMut};
use mcp::Nonce;
use tokio::io::{AsyncRead, AsyncReadExt};

/// How much of each end of a line that is too long is searched for the id of its call: SDKs write
/// `id` first or last.
const EDGE: usize = 1024;
/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// What came off a pipe.
pub(crate) enum Line {
    /// A line, without its end.
    Whole(Bytes),
    /// A line over the limit, and the call it seems to answer.
    TooLong(Option<Nonce>),
}

/// Reads lines of at most `limit` bytes.
pub(crate) struct Lines<R> {
    reader: R,
    limit: usize,
    buffer: BytesMut,
    /// How much of the buffer is known to hold no line end.
    searched: usize,
    skipping: Option<Skipped>,
}

/// The edges of a line that is being skipped.
struct Skipped {
    head: BytesMut,
    tail: BytesMut,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(reader: R, limit: usize) -> Self {
        Self { reader, limit, buffer: BytesMut::new(), searched: 0, skipping: None }
    }

    /// The next line; `None` at the end of the pipe, or when it breaks. A last line without an end
    /// counts. Safe to drop and to call again.
    pub(crate) async fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(line) = self.buffered() {
                return Some(line);
            }
            self.buffer.reserve(CHUNK);
            let read = self.reader.read_buf(&mut self.buffer).await;
            if !matches!(read, Ok(length) if length > 0) {
                return self.rest();
            }
        }
    }

    fn buffered(&mut self) -> Option<Line> {
        let unsearched = self.buffer.get(self.searched..).unwrap_or_default();
        if let Some(place) = memchr::memchr(b'\n', unsearched) {
            let line = self.buffer.split_to(self.searched + place + 1);
            self.searched = 0;
            return Some(self.line(line));
        }
        self.searched = self.buffer.len();
        if self.buffer.len() > self.limit || self.skipping.is_some() {
            let piece = self.buffer.split();
            self.searched = 0;
            self.skipping.get_or_insert_with(Skipped::new).add(&piece);
        }
        None
    }

    fn rest(&mut self) -> Option<Line> {
        let rest = self.buffer.split();
        self.searched = 0;
        (!rest.is_empty() || self.skipping.is_some()).then(|| self.line(rest))
    }

    fn line(&mut self, line: BytesMut) -> Line {
        if let Some(mut skipped) = self.skipping.take() {
            skipped.add(&line);
            return Line::TooLong(skipped.nonce());
        }
        let mut line = line.freeze();
        for end in [b'\n', b'\r'] {
            if line.last() == Some(&end) {
                line.truncate(line.len() - 1);
            }
        }
        if line.len() <= self.limit {
            return Line::Whole(line);
        }
        let mut skipped = Skipped::new();
        skipped.add(&line);
        Line::TooLong(skipped.nonce())
    }
}

impl Skipped {
    fn new() -> Self {
        Self { head: BytesMut::new(), tail: BytesMut::new() }
    }

    fn add(&mut self, piece: &[u8]) {
        let room = EDGE.saturating_sub(self.head.len()).min(piece.len());
        self.head.extend_from_slice(piece.get(..room).unwrap_or_default());
        let last = piece.len().saturating_sub(EDGE);
        self.tail.extend_from_slice(piece.get(last..).unwrap_or_default());
        let surplus = self.tail.len().saturating_sub(EDGE);
        self.tail = self.tail.split_off(surplus);
    }

    /// The first thing in its head, or the last in its tail, that looks like an id of ours.
    fn nonce(&self) -> Option<Nonce> {
        const LENGTH: usize = 35;
        let find = |text: &[u8]| text.windows(LENGTH).find_map(Nonce::of_id);
        let find_last = |text: &[u8]| text.windows(LENGTH).rev().find_map(Nonce::of_id);
        find(&self.head).or_else(|| find_last(&self.tail))
    }
}

/// A message as one line. Line ends in JSON are white space, and are made blanks; nothing else
/// changes.
pub(crate) fn line(message: &[u8]) -> Bytes {
    let mut line = BytesMut::with_capacity(message.len() + 1);
    line.extend_from_slice(message);
    for byte in line.iter_mut() {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    line.extend_from_slice(b"\n");
    line.freeze()
}

#[cfg(test)]
mod tests;
