//! Where the URIs of a result stand that a client may pass back.

use bytes::Bytes;

use crate::message::{Kind, Message};
use crate::page::{string, ui};
use crate::scan::{Cursor, Fault};
use crate::text::Text;

/// Whose result it is; each has its URIs at other places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultKind {
    /// `tools/call`, and `tasks/result` of one: in `content[]`, the `uri` of a `resource_link` and the `resource.uri` of a
    /// `resource`.
    ToolCall,
    /// `prompts/get`: the same in `messages[].content`, an object or an array.
    Prompt,
    /// `resources/read`: `contents[].uri`.
    Read,
}

/// The URIs of a result that a client may pass back, in the order in which they stand, with spans
/// relative to `response.bytes()`: those of its kind, and `_meta.ui.resourceUri` and
/// `_meta["ui/resourceUri"]` of the result and of those items.
///
/// Never one inside `structuredContent`, `text` or `arguments`. Of an error response `error.data.uri`,
/// whatever its kind.
pub fn uri_spans(response: &Message, kind: ResultKind) -> Vec<Text> {
    let bytes = response.bytes();
    let span = response.result_span().or(response.error_span());
    let Some(span) = span else { return Vec::new() };
    let mut finder = Finder { bytes, cursor: Cursor::within(bytes, &span), uris: Vec::new() };
    // A `Message` has been checked: a fault cannot happen.
    let _checked = match response.kind() {
        Kind::ErrorResponse => finder.error(),
        Kind::Request | Kind::Notification | Kind::Response => finder.result(kind),
    };
    let mut uris = finder.uris;
    uris.sort_by_key(|uri| uri.span().start);
    uris
}

struct Finder<'a> {
    bytes: &'a Bytes,
    cursor: Cursor<'a>,
    uris: Vec<Text>,
}

impl Finder<'_> {
    fn result(&mut self, kind: ResultKind) -> Result<(), Fault> {
        self.members(|finder, key| match (kind, key) {
            (ResultKind::ToolCall, "content") => finder.each(Self::block),
            (ResultKind::Prompt, "messages") => finder.each(Self::message),
            (ResultKind::Read, "contents") => finder.each(Self::contents),
            (_, "_meta") => finder.meta(),
            _ => finder.pass(),
        })
    }

    fn error(&mut self) -> Result<(), Fault> {
        self.members(|finder, key| match key {
            "data" => finder.members(|finder, key| match key {
                "uri" => {
                    finder.uris.extend(string(finder.bytes, &mut finder.cursor)?);
                    Ok(())
                }
                _ => finder.pass(),
            }),
            _ => finder.pass(),
        })
    }

    /// One message of a prompt.
    fn message(&mut self) -> Result<(), Fault> {
        self.members(|finder, key| match key {
            "content" if finder.cursor.peek() == Some(b'[') => finder.each(Self::block),
            "content" => finder.block(),
            "_meta" => finder.meta(),
            _ => finder.pass(),
        })
    }

    /// One block of content. Its `type` may come after its `uri`.
    fn block(&mut self) -> Result<(), Fault> {
        let mut link = false;
        let mut embedded = false;
        let mut uri = None;
        let outside = std::mem::take(&mut self.uris);
        let mut inside = Vec::new();
        self.members(|finder, key| match key {
            "type" => {
                let kind = string(finder.bytes, &mut finder.cursor)?;
                let kind = kind.as_ref().map_or("", Text::as_str);
                (link, embedded) = (kind == "resource_link", kind == "resource");
                Ok(())
            }
            "uri" => {
                uri = string(finder.bytes, &mut finder.cursor)?;
                Ok(())
            }
            "resource" => {
                let metas = std::mem::take(&mut finder.uris);
                finder.contents()?;
                inside = std::mem::replace(&mut finder.uris, metas);
                Ok(())
            }
            "_meta" => finder.meta(),
            _ => finder.pass(),
        })?;
        let metas = std::mem::replace(&mut self.uris, outside);
        self.uris.extend(uri.filter(|_| link));
        self.uris.extend(inside.into_iter().filter(|_| embedded));
        self.uris.extend(metas);
        Ok(())
    }

    /// The contents of a resource.
    fn contents(&mut self) -> Result<(), Fault> {
        let mut uri = None;
        self.members(|finder, key| match key {
            "uri" => {
                uri = string(finder.bytes, &mut finder.cursor)?;
                Ok(())
            }
            "_meta" => finder.meta(),
            _ => finder.pass(),
        })?;
        self.uris.extend(uri);
        Ok(())
    }

    fn meta(&mut self) -> Result<(), Fault> {
        ui(self.bytes, &mut self.cursor, &mut self.uris).map(drop)
    }

    fn pass(&mut self) -> Result<(), Fault> {
        self.cursor.skip()
    }

    /// Walks the members of an object; passes over anything else.
    fn members(
        &mut self,
        mut member: impl FnMut(&mut Self, &str) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if self.cursor.peek() != Some(b'{') {
            return self.pass();
        }
        let mut walk = self.cursor.object()?;
        while let Some(key) = self.cursor.member(&mut walk)? {
            let bytes = self.bytes;
            member(self, &key.lossy(bytes))?;
        }
        Ok(())
    }

    /// Walks the elements of an array; passes over anything else.
    fn each(&mut self, element: fn(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        if self.cursor.peek() != Some(b'[') {
            return self.pass();
        }
        let mut walk = self.cursor.array()?;
        while self.cursor.element(&mut walk)? {
            element(self)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
