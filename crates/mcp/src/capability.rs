//! What a server says of itself in its `initialize` result.

use bytes::Bytes;

use crate::message::Message;
use crate::method::ListKind;
use crate::page::{self, PageError};
use crate::revision::Revision;
use crate::scan::{Cursor, Fault};
use crate::splice::splice;
use crate::text::{Text, quoted};

/// What a server's `initialize` result says, as far as a gateway acts on it. Every span is
/// relative to `raw`; of a repeated member the last one counts.
#[derive(Debug, Clone)]
pub struct InitializeResult {
    /// The whole result object.
    pub raw: Bytes,
    /// The revision that the server wants to speak, known or not.
    pub protocol_version: Text,
    /// What it offers.
    pub capabilities: ServerCapabilities,
    /// What it tells the model about itself.
    pub instructions: Option<Text>,
    /// `serverInfo.name`.
    pub server_name: Option<Text>,
    /// `serverInfo.version`.
    pub server_version: Option<Text>,
}

impl InitializeResult {
    /// Reads the answer to `initialize`.
    ///
    /// # Errors
    /// Not a result, or one without `protocolVersion`.
    pub fn parse(response: &Message) -> Result<Self, PageError> {
        let raw = page::result(response)?;
        let mut version = None;
        let mut capabilities = ServerCapabilities::default();
        let mut instructions = None;
        let (mut server_name, mut server_version) = (None, None);
        let mut cursor = Cursor::checked(&raw);
        let mut walk = cursor.object()?;
        while let Some(key) = cursor.member(&mut walk)? {
            match (key.lossy(&raw).as_ref(), cursor.peek()) {
                ("protocolVersion", _) => version = page::string(&raw, &mut cursor)?,
                ("instructions", _) => instructions = page::string(&raw, &mut cursor)?,
                ("capabilities", Some(b'{')) => {
                    capabilities = ServerCapabilities::read(&raw, &mut cursor)?;
                }
                ("serverInfo", Some(b'{')) => {
                    let mut walk = cursor.object()?;
                    while let Some(key) = cursor.member(&mut walk)? {
                        match key.lossy(&raw).as_ref() {
                            "name" => server_name = page::string(&raw, &mut cursor)?,
                            "version" => server_version = page::string(&raw, &mut cursor)?,
                            _ => cursor.skip()?,
                        }
                    }
                }
                _ => cursor.skip()?,
            }
        }
        let missing = PageError::Field { field: "protocolVersion", expected: "a string" };
        let protocol_version = version.ok_or(missing)?;
        Ok(Self { raw, protocol_version, capabilities, instructions, server_name, server_version })
    }

    /// `raw` with `protocolVersion` replaced.
    pub fn for_client(&self, revision: Revision) -> Bytes {
        splice(&self.raw, &[(self.protocol_version.span(), quoted(revision.as_str()))])
    }
}

/// What a server offers, as far as a gateway acts on it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the protocol's own")]
pub struct ServerCapabilities {
    pub tools: bool,
    pub prompts: bool,
    pub resources: bool,
    pub completions: bool,
    pub logging: bool,
    pub tasks: bool,
    pub resources_subscribe: bool,
    pub tools_list_changed: bool,
    pub prompts_list_changed: bool,
    pub resources_list_changed: bool,
}

impl ServerCapabilities {
    /// Whether the server has that list.
    pub fn offers(&self, kind: ListKind) -> bool {
        match kind {
            ListKind::Tools => self.tools,
            ListKind::Prompts => self.prompts,
            ListKind::Resources | ListKind::ResourceTemplates => self.resources,
        }
    }

    fn read(bytes: &Bytes, cursor: &mut Cursor<'_>) -> Result<Self, Fault> {
        let mut capabilities = Self::default();
        let mut walk = cursor.object()?;
        while let Some(key) = cursor.member(&mut walk)? {
            let key = key.lossy(bytes);
            let Offer { there, list_changed, subscribe } = Offer::read(bytes, cursor)?;
            match key.as_ref() {
                "tools" => {
                    (capabilities.tools, capabilities.tools_list_changed) = (there, list_changed);
                }
                "prompts" => {
                    (capabilities.prompts, capabilities.prompts_list_changed) =
                        (there, list_changed);
                }
                "resources" => {
                    capabilities.resources = there;
                    capabilities.resources_list_changed = list_changed;
                    capabilities.resources_subscribe = subscribe;
                }
                "completions" => capabilities.completions = there,
                "logging" => capabilities.logging = there,
                "tasks" => capabilities.tasks = there,
                _ => {}
            }
        }
        Ok(capabilities)
    }
}

/// One capability.
#[derive(Default)]
struct Offer {
    there: bool,
    list_changed: bool,
    subscribe: bool,
}

impl Offer {
    fn read(bytes: &Bytes, cursor: &mut Cursor<'_>) -> Result<Self, Fault> {
        match cursor.peek() {
            Some(b'{') => {}
            // Null and false are no offer; anything else is a sloppy `{}`.
            Some(b'n' | b'f') => {
                cursor.skip()?;
                return Ok(Self::default());
            }
            _ => {
                cursor.skip()?;
                return Ok(Self { there: true, ..Self::default() });
            }
        }
        let mut offer = Self { there: true, ..Self::default() };
        let mut walk = cursor.object()?;
        while let Some(key) = cursor.member(&mut walk)? {
            let yes = cursor.peek() == Some(b't');
            match key.lossy(bytes).as_ref() {
                "listChanged" => offer.list_changed = yes,
                "subscribe" => offer.subscribe = yes,
                _ => {}
            }
            cursor.skip()?;
        }
        Ok(offer)
    }
}

#[cfg(test)]
mod tests;
