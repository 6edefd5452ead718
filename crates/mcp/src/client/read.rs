//! The set of capabilities out of a client's JSON.

use bytes::Bytes;

use super::{ClientCapabilities, UI_EXTENSION, UI_TYPE};
use crate::method::Method;
use crate::page;
use crate::scan::{Cursor, Fault};

/// Reads the raw `capabilities` object.
pub(super) fn capabilities(raw: &[u8]) -> Result<ClientCapabilities, Fault> {
    let bytes = Bytes::copy_from_slice(raw);
    let mut reader = Reader { bytes: &bytes, found: ClientCapabilities::default() };
    reader.capabilities(&mut Cursor::new(raw)?)?;
    Ok(reader.found)
}

struct Reader<'a> {
    bytes: &'a Bytes,
    found: ClientCapabilities,
}

impl Reader<'_> {
    fn capabilities(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        self.members(cursor, |reader, key, cursor| match key {
            "roots" => reader.roots(cursor),
            "sampling" => reader.sampling(cursor),
            "elicitation" => reader.elicitation(cursor),
            "tasks" => reader.tasks(cursor),
            "extensions" => reader.extensions(cursor),
            _ => cursor.skip(),
        })?;
        cursor.end()
    }

    fn roots(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        self.note(ClientCapabilities::ROOTS, cursor);
        self.members(cursor, |reader, key, cursor| {
            if key == "listChanged" && cursor.peek() == Some(b't') {
                reader.add(ClientCapabilities::ROOTS_LIST_CHANGED);
            }
            cursor.skip()
        })
    }

    fn sampling(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        self.note(ClientCapabilities::SAMPLING, cursor);
        self.members(cursor, |reader, key, cursor| {
            match key {
                "tools" => reader.note(ClientCapabilities::SAMPLING_TOOLS, cursor),
                "context" => reader.note(ClientCapabilities::SAMPLING_CONTEXT, cursor),
                _ => {}
            }
            cursor.skip()
        })
    }

    fn elicitation(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        let there = is_there(cursor);
        self.members(cursor, |reader, key, cursor| {
            match key {
                "form" => reader.note(ClientCapabilities::ELICITATION_FORM, cursor),
                "url" => reader.note(ClientCapabilities::ELICITATION_URL, cursor),
                _ => {}
            }
            cursor.skip()
        })?;
        // Before there were modes, forms were what there was.
        if there && !self.found.answers(Method::ElicitationCreate) {
            self.add(ClientCapabilities::ELICITATION_FORM);
        }
        Ok(())
    }

    fn tasks(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        self.members(cursor, |reader, key, cursor| match key {
            "requests" => reader.task_requests(cursor),
            "list" => reader.leaf(ClientCapabilities::TASKS_LIST, cursor),
            "cancel" => reader.leaf(ClientCapabilities::TASKS_CANCEL, cursor),
            _ => cursor.skip(),
        })
    }

    fn task_requests(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        self.members(cursor, |reader, kind, cursor| {
            let sampling = kind == "sampling";
            let elicitation = kind == "elicitation";
            reader.members(cursor, |reader, key, cursor| match key {
                "createMessage" if sampling => {
                    reader.leaf(ClientCapabilities::TASKS_SAMPLING, cursor)
                }
                "create" if elicitation => {
                    reader.leaf(ClientCapabilities::TASKS_ELICITATION, cursor)
                }
                _ => cursor.skip(),
            })
        })
    }

    fn extensions(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Fault> {
        self.members(cursor, |reader, key, cursor| {
            if key != UI_EXTENSION {
                return cursor.skip();
            }
            reader.members(cursor, |reader, key, cursor| {
                if key != "mimeTypes" || cursor.peek() != Some(b'[') {
                    return cursor.skip();
                }
                let mut walk = cursor.array()?;
                while cursor.element(&mut walk)? {
                    let text = page::string(reader.bytes, cursor)?;
                    if text.is_some_and(|text| text.as_str() == UI_TYPE) {
                        reader.add(ClientCapabilities::UI);
                    }
                }
                Ok(())
            })
        })
    }

    fn leaf(
        &mut self,
        capability: ClientCapabilities,
        cursor: &mut Cursor<'_>,
    ) -> Result<(), Fault> {
        self.note(capability, cursor);
        cursor.skip()
    }

    /// Adds a capability unless the value at the cursor, which stays, says that it is not there.
    fn note(&mut self, capability: ClientCapabilities, cursor: &mut Cursor<'_>) {
        if is_there(cursor) {
            self.add(capability);
        }
    }

    fn add(&mut self, capability: ClientCapabilities) {
        self.found = self.found.union(capability);
    }

    /// Walks the members of an object; passes over anything else.
    fn members(
        &mut self,
        cursor: &mut Cursor<'_>,
        mut member: impl FnMut(&mut Self, &str, &mut Cursor<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        if cursor.peek() != Some(b'{') {
            return cursor.skip();
        }
        let mut walk = cursor.object()?;
        while let Some(key) = cursor.member(&mut walk)? {
            let bytes = self.bytes;
            member(self, &key.lossy(bytes), cursor)?;
        }
        Ok(())
    }
}

/// Null and false are not there; anything else is a sloppy `{}`.
fn is_there(cursor: &mut Cursor<'_>) -> bool {
    !matches!(cursor.peek(), Some(b'n' | b'f'))
}
