//! Clients that others wrote, each of which does what a test says, step by step, and answers whatever it is asked: with
//! the name Ada, or `Hello from the model!`, or one root.

mod rmcp;
mod script;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::peers::Peers;
use crate::player::rmcp::RmcpPlayer;
use crate::player::script::ScriptPlayer;

/// Who wrote a client, and how it connects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlayerKind {
    /// npm `@modelcontextprotocol/sdk` over streamable HTTP.
    TypeScript,
    /// The same over HTTP+SSE.
    TypeScriptOverSse,
    /// The same over the pipe of npm `mcp-remote`, which speaks streamable HTTP.
    McpRemote,
    /// PyPI `mcp` over streamable HTTP.
    Python,
    /// The same over HTTP+SSE.
    PythonOverSse,
    /// rmcp over streamable HTTP.
    Rmcp,
}

/// A connected client.
pub enum Player {
    /// In a process of its own.
    Script(ScriptPlayer),
    /// In the test's own process.
    Rmcp(RmcpPlayer),
}

/// What came of one step.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Played {
    /// The result, as the client understood it; null where there is an error.
    pub result: Value,
    /// The error; null where there is a result.
    pub error: Value,
    /// The progress that the client was told meanwhile.
    pub progress: Vec<f64>,
    /// The questions that the client was asked meanwhile.
    pub asked: Vec<String>,
}

impl PlayerKind {
    /// Whether it speaks HTTP+SSE.
    pub fn is_over_sse(self) -> bool {
        match self {
            Self::TypeScriptOverSse | Self::PythonOverSse => true,
            Self::TypeScript | Self::McpRemote | Self::Python | Self::Rmcp => false,
        }
    }
}

impl Player {
    /// Connects a client to `url`.
    pub async fn connect(kind: PlayerKind, peers: &Peers, url: &str) -> anyhow::Result<Self> {
        Ok(match kind {
            PlayerKind::Rmcp => Self::Rmcp(RmcpPlayer::connect(url).await?),
            PlayerKind::TypeScript
            | PlayerKind::TypeScriptOverSse
            | PlayerKind::McpRemote
            | PlayerKind::Python
            | PlayerKind::PythonOverSse => {
                Self::Script(ScriptPlayer::connect(kind, peers, url).await?)
            }
        })
    }

    /// Does one request, and awaits what comes of it.
    pub async fn play(&mut self, method: &str, params: Value) -> anyhow::Result<Played> {
        let step = json!({ "method": method, "params": params });
        match self {
            Self::Script(player) => player.play(&step).await,
            Self::Rmcp(player) => player.play(step).await,
        }
    }

    /// Begins one request, which is cancelled by [`cancel`](Self::cancel).
    pub async fn begin(&mut self, method: &str, params: Value) -> anyhow::Result<()> {
        match self {
            Self::Script(player) => player.begin(method, params).await,
            Self::Rmcp(player) => player.begin(json!({ "method": method, "params": params })).await,
        }
    }

    /// Cancels the request that was begun.
    pub async fn cancel(&mut self) -> anyhow::Result<()> {
        match self {
            Self::Script(player) => player.cancel().await,
            Self::Rmcp(player) => player.cancel().await,
        }
    }

    /// Ends the session, and awaits the client's end.
    pub async fn leave(self) -> anyhow::Result<()> {
        match self {
            Self::Script(player) => player.leave().await,
            Self::Rmcp(player) => player.leave().await,
        }
    }
}

impl Played {
    /// The text of a tool's result.
    pub fn text(&self) -> String {
        let blocks = self.result.get("content").and_then(Value::as_array).into_iter().flatten();
        let texts = blocks.filter_map(|block| block.get("text")?.as_str());
        texts.collect::<Vec<_>>().join("\n")
    }

    /// The names in a list.
    pub fn names(&self, list: &str) -> Vec<String> {
        let entries = self.result.get(list).and_then(Value::as_array).into_iter().flatten();
        entries.filter_map(|entry| Some(entry.get("name")?.as_str()?.to_owned())).collect()
    }
}
