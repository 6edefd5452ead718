//! What a server says of itself in its `initialize` result.

use bytes::Bytes;

use crate::message::Message;
use crate::method::ListKind;
use crate::page::{self, PageError};
use crate::revision::Revision;
use crate::scan::{Cursor, Fault, Span};
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
    /// The whole `capabilities` object, with braces.
    pub capabilities_span: Option<Span>,
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
        let (mut capabilities_span, mut instructions) = (None, None);
        let (mut server_name, mut server_version) = (None, None);
        let mut cursor = Cursor::checked(&raw);
        let mut walk = cursor.object()?;
        while let Some(key) = cursor.member(&mut walk)? {
            match (key.lossy(&raw).as_ref(), cursor.peek()) {
                ("protocolVersion", _) => version = page::string(&raw, &mut cursor)?,
                ("instructions", _) => instructions = page::string(&raw, &mut cursor)?,
                ("capabilities", Some(b'{')) => {
                    let start = cursor.position();
                    capabilities = ServerCapabilities::read(&raw, &mut cursor)?;
                    capabilities_span = Some(start..cursor.position());
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
        Ok(Self {
            raw,
            protocol_version,
            capabilities,
            capabilities_span,
            instructions,
            server_name,
            server_version,
        })
    }

    /// `raw` with `protocolVersion` replaced and, of `capabilities`, `logging`,
    /// `resources.subscribe` and `tasks` taken out, which the gateway cannot carry yet.
    pub fn for_client(&self, revision: Revision) -> Bytes {
        let mut edits = vec![(self.protocol_version.span(), quoted(revision.as_str()))];
        if let Some(span) = &self.capabilities_span {
            let cut = cut_capabilities(&self.raw, span).unwrap_or_default();
            edits.extend(cut.into_iter().map(|span| (span, Bytes::new())));
        }
        edits.sort_by_key(|(span, _)| span.start);
        splice(&self.raw, &edits)
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

/// A member of an object: where its key begins, where its value ends, and whether it stays.
struct Member {
    place: Span,
    stays: bool,
}

/// What to take out of the `capabilities` at `span`.
fn cut_capabilities(bytes: &Bytes, span: &Span) -> Result<Vec<Span>, Fault> {
    let mut cuts = Vec::new();
    let mut members = Vec::new();
    let mut cursor = Cursor::within(bytes, span);
    let mut walk = cursor.object()?;
    while let Some(key) = cursor.member(&mut walk)? {
        let name = key.lossy(bytes);
        if name == "resources" && cursor.peek() == Some(b'{') {
            cut_subscribe(bytes, &mut cursor, &mut cuts)?;
        } else {
            cursor.skip()?;
        }
        let stays = name != "logging" && name != "tasks";
        members.push(Member { place: key.span.start..cursor.position(), stays });
    }
    cuts.extend(cut(&members));
    Ok(cuts)
}

fn cut_subscribe(
    bytes: &Bytes,
    cursor: &mut Cursor<'_>,
    cuts: &mut Vec<Span>,
) -> Result<(), Fault> {
    let mut members = Vec::new();
    let mut walk = cursor.object()?;
    while let Some(key) = cursor.member(&mut walk)? {
        cursor.skip()?;
        let stays = key.lossy(bytes) != "subscribe";
        members.push(Member { place: key.span.start..cursor.position(), stays });
    }
    cuts.extend(cut(&members));
    Ok(())
}

/// The places of the members that do not stay, each with the comma that goes with it: the one
/// before it if a member before it stays, else the one after it.
fn cut(members: &[Member]) -> Vec<Span> {
    let mut cuts = Vec::new();
    let mut stayed = false;
    let mut end = None;
    for (member, next) in members.iter().zip(members.iter().skip(1).map(Some).chain([None])) {
        if !member.stays {
            cuts.push(match (stayed, end, next) {
                (true, Some(end), _) => end..member.place.end,
                (_, _, Some(next)) => member.place.start..next.place.start,
                (_, _, None) => member.place.clone(),
            });
        }
        stayed |= member.stays;
        end = Some(member.place.end);
    }
    cuts
}

#[cfg(test)]
mod tests;
