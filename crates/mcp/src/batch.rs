//! JSON-RPC batches: arrays of messages (2025-03-26).

use bytes::Bytes;

use crate::message::MessageError;
use crate::scan::Cursor;

/// Whether the first byte that is not white space opens an array.
pub fn is_batch(bytes: &[u8]) -> bool {
    bytes.iter().find(|byte| !matches!(byte, b' ' | b'\n' | b'\r' | b'\t')) == Some(&b'[')
}

/// The elements of a JSON array, as slices of it; `limit` of them at most.
///
/// # Errors
/// Not a JSON array (-32700); an empty array, or more than `limit` elements (-32600).
pub fn split_batch(bytes: &Bytes, limit: usize) -> Result<Vec<Bytes>, MessageError> {
    let mut cursor = Cursor::new(bytes)?;
    let mut walk = cursor.array()?;
    let mut elements = Vec::new();
    while cursor.element(&mut walk)? {
        if elements.len() == limit {
            return Err(MessageError::LongBatch { limit });
        }
        elements.push(bytes.slice(cursor.value()?));
    }
    cursor.end()?;
    if elements.is_empty() { Err(MessageError::EmptyBatch) } else { Ok(elements) }
}

#[cfg(test)]
mod tests;
