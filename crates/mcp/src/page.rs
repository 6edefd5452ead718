//! One page of a list, and its items as raw JSON.

use bytes::Bytes;

use crate::message::{Kind, Message};
use crate::method::ListKind;
use crate::scan::{Cursor, Fault, Span};
use crate::splice::splice;
use crate::text::Text;

/// One page of a list result: its items as raw JSON and the cursor to the next.
#[derive(Debug, Clone)]
pub struct Page {
    /// In the server's order.
    pub items: Vec<Item>,
    /// The cursor to the next page. `""` is a cursor; null and absent are none.
    pub next_cursor: Option<String>,
}

/// Why an answer is not the result that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// An error response, or no response at all.
    #[error("the answer is not a result")]
    NotResult,
    /// A member that must be there is missing, or of another type.
    #[error("`{field}` is missing in the result, or is not {expected}")]
    Field {
        /// The member.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// The message was not checked. It cannot happen with a `Message`.
    #[error("the result is not JSON")]
    NotJson,
}

impl From<Fault> for PageError {
    fn from(_: Fault) -> Self {
        Self::NotJson
    }
}

impl Page {
    /// Reads the answer to a list request.
    ///
    /// # Errors
    /// Not a result, no array of items (null counts as an empty one: Go servers send it), or a
    /// cursor that is not a string.
    pub fn parse(response: &Message, kind: ListKind) -> Result<Self, PageError> {
        let result = result(response)?;
        let mut items = None;
        let mut next_cursor = None;
        let mut cursor = Cursor::checked(&result);
        let mut walk = cursor.object()?;
        while let Some(key) = cursor.member(&mut walk)? {
            let key = key.lossy(&result);
            match (key.as_ref(), cursor.peek()) {
                (key, Some(b'[')) if key == kind.field() => {
                    items = Some(read_items(&result, &mut cursor, kind)?);
                }
                (key, Some(b'n')) if key == kind.field() => {
                    cursor.skip()?;
                    items = Some(Vec::new());
                }
                ("nextCursor", Some(b'n')) => {
                    cursor.skip()?;
                    next_cursor = None;
                }
                ("nextCursor", _) => next_cursor = Some(read_cursor(&result, &mut cursor)?),
                _ => cursor.skip()?,
            }
        }
        let missing = PageError::Field { field: kind.field(), expected: "an array" };
        Ok(Self { items: items.ok_or(missing)?, next_cursor })
    }
}

/// One entry of a list. `key` is its name, uri or uriTemplate; every span here is relative to
/// `raw`. Of a repeated member the last one counts.
#[derive(Debug, Clone)]
pub struct Item {
    /// The whole entry.
    pub raw: Bytes,
    /// By what it is called, got or read; `None` where that is missing, empty or not a string.
    /// Such an item is withheld by the caller.
    pub key: Option<Text>,
    /// Its `title`.
    pub title: Option<Text>,
    /// The whole `_meta` object, with braces.
    pub meta: Option<Span>,
    /// `_meta.ui.resourceUri` and `_meta["ui/resourceUri"]`.
    pub ui_uris: Vec<Text>,
}

impl Item {
    /// The entry with each span replaced. The edits are sorted and do not overlap; an empty span
    /// inserts.
    pub fn edited(&self, edits: &[(Span, Bytes)]) -> Bytes {
        splice(&self.raw, edits)
    }

    fn read(raw: Bytes, kind: ListKind) -> Result<Self, Fault> {
        let mut item =
            Self { raw: raw.clone(), key: None, title: None, meta: None, ui_uris: Vec::new() };
        let mut cursor = Cursor::checked(&raw);
        if cursor.peek() != Some(b'{') {
            return Ok(item);
        }
        let mut walk = cursor.object()?;
        while let Some(key) = cursor.member(&mut walk)? {
            let key = key.lossy(&raw);
            match key.as_ref() {
                key if key == kind.key() => {
                    item.key = string(&raw, &mut cursor)?.filter(|key| !key.as_str().is_empty());
                }
                "title" => item.title = string(&raw, &mut cursor)?,
                "_meta" => {
                    item.ui_uris.clear();
                    item.meta = ui(&raw, &mut cursor, &mut item.ui_uris)?;
                }
                _ => cursor.skip()?,
            }
        }
        Ok(item)
    }
}

/// The raw result of a response, which must be an object.
pub(crate) fn result(response: &Message) -> Result<Bytes, PageError> {
    let result = response.result().filter(|_| response.kind() == Kind::Response);
    let result = result.ok_or(PageError::NotResult)?;
    if result.first() != Some(&b'{') {
        return Err(PageError::Field { field: "result", expected: "an object" });
    }
    Ok(result)
}

/// Passes one value and gives it if it is a string.
pub(crate) fn string(bytes: &Bytes, cursor: &mut Cursor<'_>) -> Result<Option<Text>, Fault> {
    if cursor.peek() == Some(b'"') {
        let token = cursor.string()?;
        return Ok(Text::of(bytes, &token));
    }
    cursor.skip()?;
    Ok(None)
}

/// Passes a `_meta`, says where it stands if it is an object, and collects the URIs of its `ui`.
pub(crate) fn ui(
    bytes: &Bytes,
    cursor: &mut Cursor<'_>,
    uris: &mut Vec<Text>,
) -> Result<Option<Span>, Fault> {
    if cursor.peek() != Some(b'{') {
        cursor.skip()?;
        return Ok(None);
    }
    let start = cursor.position();
    let mut walk = cursor.object()?;
    while let Some(key) = cursor.member(&mut walk)? {
        match (key.lossy(bytes).as_ref(), cursor.peek()) {
            ("ui/resourceUri", _) => uris.extend(string(bytes, cursor)?),
            ("ui", Some(b'{')) => {
                let mut walk = cursor.object()?;
                while let Some(key) = cursor.member(&mut walk)? {
                    if key.lossy(bytes) == "resourceUri" {
                        uris.extend(string(bytes, cursor)?);
                    } else {
                        cursor.skip()?;
                    }
                }
            }
            _ => cursor.skip()?,
        }
    }
    Ok(Some(start..cursor.position()))
}

fn read_items(bytes: &Bytes, cursor: &mut Cursor<'_>, kind: ListKind) -> Result<Vec<Item>, Fault> {
    let mut items = Vec::new();
    let mut walk = cursor.array()?;
    while cursor.element(&mut walk)? {
        items.push(Item::read(bytes.slice(cursor.value()?), kind)?);
    }
    Ok(items)
}

fn read_cursor(bytes: &Bytes, cursor: &mut Cursor<'_>) -> Result<String, PageError> {
    let text = string(bytes, cursor)?;
    let text = text.ok_or(PageError::Field { field: "nextCursor", expected: "a string" })?;
    Ok(text.as_str().to_owned())
}

#[cfg(test)]
mod tests;
