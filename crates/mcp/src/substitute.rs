//! The way back of ids: a client's own instead of the gateway's, in an answer as it streams.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem::Finder;

use crate::id::{Id, Nonce};

/// Puts a client's id and progress token back into an answer that carries a nonce's, by byte
/// search: each is matched with its quotes as a whole JSON string, across any chunk boundaries.
///
/// A target that repeats the nonce elsewhere hurts only its own exchange.
#[derive(Debug)]
pub struct Substitute {
    finder: Finder<'static>,
    pairs: Vec<(Bytes, Bytes)>,
    /// Withheld bytes: the beginning of a nonce's form, which the next chunk may go on with.
    held: BytesMut,
    /// The last byte before what comes next, `held` aside.
    last: u8,
}

impl Substitute {
    /// For an answer to a request that carried `nonce` instead of `id` and, if it had one, of
    /// `progress_token` (raw JSON). Where a target repeats the token it is a text, and stays one: a
    /// number is put back as a string. (Progress itself names the token in a place of its own, which
    /// is rewritten there.)
    pub fn new(nonce: Nonce, id: Id, progress_token: Option<Bytes>) -> Self {
        let mut pairs = vec![(nonce.id().as_bytes().clone(), id.as_bytes().clone())];
        pairs.extend(progress_token.map(|token| (nonce.progress_token(), as_text(token))));
        let finder = Finder::new(nonce.digits().as_bytes()).into_owned();
        Self { finder, pairs, held: BytesMut::new(), last: 0 }
    }

    /// Adds the bytes that are final to `out`; holds back less than a nonce's length until the
    /// next chunk or `finish`. No copy where nothing matches.
    pub fn push(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        let mut chunk = chunk;
        if !self.held.is_empty() && !self.resume(&mut chunk, out) {
            return;
        }
        self.search(chunk, out);
    }

    /// Adds what was held back.
    pub fn finish(&mut self, out: &mut Vec<Bytes>) {
        if !self.held.is_empty() {
            out.push(self.held.split().freeze());
        }
        self.last = 0;
    }

    /// A whole answer at once.
    pub fn whole(&mut self, bytes: Bytes) -> Bytes {
        let mut out = Vec::new();
        self.push(bytes, &mut out);
        self.finish(&mut out);
        match out.as_slice() {
            [one] => one.clone(),
            many => many.concat().into(),
        }
    }

    /// Goes on with what is held; false if the chunk does not decide it. Since a form has a quote
    /// at its ends only, no other form can begin inside of what is held.
    fn resume(&mut self, chunk: &mut Bytes, out: &mut Vec<Bytes>) -> bool {
        let held = self.held.len();
        let taken = (Nonce::LENGTH - held).min(chunk.len());
        self.held.extend_from_slice(chunk.get(..taken).unwrap_or_default());
        if let Some((_, replacement)) = self.pairs.iter().find(|(form, _)| *form == self.held) {
            out.push(replacement.clone());
            self.held.clear();
            chunk.advance(taken);
            self.last = b'"';
            return true;
        }
        if self.pairs.iter().any(|(form, _)| form.starts_with(&self.held)) {
            return false;
        }
        self.held.truncate(held);
        self.last = self.held.last().copied().unwrap_or(self.last);
        out.push(self.held.split().freeze());
        true
    }

    fn search(&mut self, chunk: Bytes, out: &mut Vec<Bytes>) {
        let mut done = 0;
        for digits in self.finder.find_iter(&chunk) {
            // Two forms that share a quote are not both strings.
            let Some(start) = digits.checked_sub(2).filter(|start| *start >= done) else {
                continue;
            };
            let end = start + Nonce::LENGTH;
            let Some(form) = chunk.get(start..end) else { continue };
            let pair = self.pairs.iter().find(|(known, _)| known == form);
            if let Some((_, replacement)) = pair
                && self.before(&chunk, start) != b'\\'
            {
                push_part(chunk.slice(done..start), out);
                out.push(replacement.clone());
                done = end;
            }
        }
        let rest = chunk.slice(done..);
        let held = self.beginning(&chunk, rest.len());
        push_part(rest.slice(..rest.len() - held), out);
        self.last = self.before(&chunk, chunk.len() - held);
        self.held.extend_from_slice(rest.get(rest.len() - held..).unwrap_or_default());
    }

    /// How long the beginning of a form is that the chunk ends with, within its last `most` bytes.
    fn beginning(&self, chunk: &[u8], most: usize) -> usize {
        let most = most.min(Nonce::LENGTH - 1);
        let tail = chunk.get(chunk.len() - most..).unwrap_or_default();
        let Some(quote) = memchr::memrchr(b'"', tail) else { return 0 };
        let part = tail.get(quote..).unwrap_or_default();
        let begins = self.pairs.iter().any(|(form, _)| form.starts_with(part));
        // An escaped quote does not begin a string.
        if begins && self.before(chunk, chunk.len() - part.len()) != b'\\' { part.len() } else { 0 }
    }

    fn before(&self, chunk: &[u8], at: usize) -> u8 {
        at.checked_sub(1).and_then(|at| chunk.get(at)).copied().unwrap_or(self.last)
    }
}

fn as_text(token: Bytes) -> Bytes {
    if token.starts_with(b"\"") { token } else { [b"\"", &token[..], b"\""].concat().into() }
}

fn push_part(part: Bytes, out: &mut Vec<Bytes>) {
    if !part.is_empty() {
        out.push(part);
    }
}

#[cfg(test)]
mod tests;
