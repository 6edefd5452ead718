//! Where clients of one kind find a gateway: one that all of them use, or where a client starts its own, one for each.

use serde_json::{Value, json};

use crate::caller::way::Way;
use crate::caller::{Caller, CallerKind};
use crate::gateway::Gateway;
use crate::piped::Piped;
use crate::wire::Wire;

/// A gateway, as clients of one kind find it.
pub enum Front {
    /// By HTTP+SSE.
    Sse(Gateway),
    /// By streamable HTTP, in this revision.
    Streamable(Gateway, &'static str),
    /// As a process that serves this document to them alone.
    Stdio(String),
}

impl Front {
    /// Serves this native document.
    pub async fn start(kind: CallerKind, document: String) -> anyhow::Result<Self> {
        Ok(match kind {
            CallerKind::Sse => Self::Sse(Gateway::native(&document).await?),
            CallerKind::Streamable(revision) => {
                Self::Streamable(Gateway::native(&document).await?, revision)
            }
            CallerKind::Stdio => Self::Stdio(document),
        })
    }

    /// A client with a session of its own, which can do nothing.
    pub async fn open(&self) -> anyhow::Result<Caller> {
        self.open_with(json!({})).await
    }

    /// A client with a session of its own and the given capabilities.
    pub async fn open_with(&self, capabilities: Value) -> anyhow::Result<Caller> {
        let (kind, way) = match self {
            Self::Sse(gateway) => (CallerKind::Sse, Way::sse(&gateway.url("/mcp")).await?),
            Self::Streamable(gateway, revision) => {
                let url = gateway.url("/mcp");
                let wire = Wire::open_with(&url, revision, capabilities.clone()).await?;
                (CallerKind::Streamable(revision), Way::streamable(wire, revision))
            }
            Self::Stdio(document) => (CallerKind::Stdio, Way::Stdio(Piped::start(document, &[])?)),
        };
        Caller::open(kind, way, capabilities).await
    }

    /// The URL of the endpoint, where there is one.
    pub fn url(&self) -> Option<String> {
        match self {
            Self::Sse(gateway) | Self::Streamable(gateway, _) => Some(gateway.url("/mcp")),
            Self::Stdio(_) => None,
        }
    }
}
