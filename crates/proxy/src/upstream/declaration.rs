//! What is said of a client when a session is opened at a target for it.

use bytes::Bytes;
use mcp::{ClientCapabilities, Revision};

/// Who a target is told that it talks to. Targets show other tools to clients that can do more, so
/// it is also what a catalog is kept for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Declaration {
    revision: Revision,
    set: ClientCapabilities,
    capabilities: Bytes,
    /// The client's own words about itself; else the gateway says its own.
    client_info: Option<Bytes>,
}

impl Default for Declaration {
    fn default() -> Self {
        Self::of(ClientCapabilities::default())
    }
}

impl Declaration {
    /// A client of which only the known capabilities are told: one among many of a federation.
    pub fn of(set: ClientCapabilities) -> Self {
        let revision = Revision::LATEST_LEGACY;
        Self { revision, set, capabilities: set.render(), client_info: None }
    }

    /// A client in its own words, raw JSON objects both: the only target is to see what it would
    /// see without the gateway.
    pub fn as_written(revision: Revision, capabilities: Bytes, client_info: Bytes) -> Self {
        let set = ClientCapabilities::read(&capabilities).within(revision);
        Self { revision, set, capabilities, client_info: Some(client_info) }
    }

    /// The revision that the target is asked for.
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// What the target may ask of the client.
    pub fn set(&self) -> ClientCapabilities {
        self.set
    }

    /// Whether the client speaks for itself, so that it also gets what the gateway does not know.
    pub fn is_as_written(&self) -> bool {
        self.client_info.is_some()
    }

    /// The raw `capabilities`.
    pub(super) fn capabilities(&self) -> &Bytes {
        &self.capabilities
    }

    /// The raw `clientInfo`, where it is the client's own.
    pub(super) fn client_info(&self) -> Option<&Bytes> {
        self.client_info.as_ref()
    }
}
