//! A client in a process of its own: a script of `tests/peers` that reads requests and prints what came of them.

use anyhow::Context;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

use crate::peers::Peers;
use crate::player::{Played, PlayerKind};
use crate::process::Process;
use crate::record::within;
use crate::seeds::repository;

/// A running script.
pub struct ScriptPlayer {
    process: Process,
    played: u64,
    /// Where `mcp-remote` keeps what it would keep for the next time.
    _folder: TempDir,
}

impl ScriptPlayer {
    pub(super) async fn connect(
        kind: PlayerKind,
        peers: &Peers,
        url: &str,
    ) -> anyhow::Result<Self> {
        let scripts = repository()?.join("tests/peers");
        let mut command = match kind {
            PlayerKind::Python | PlayerKind::PythonOverSse => {
                let mut command = Command::new(peers.mcp());
                command.arg(scripts.join("mcp/play.py"));
                command
            }
            PlayerKind::TypeScript
            | PlayerKind::TypeScriptOverSse
            | PlayerKind::McpRemote
            | PlayerKind::Rmcp => {
                let mut command = Command::new(peers.node());
                command.arg(scripts.join("npm/play.cjs")).env("NODE_PATH", peers.node_modules());
                command
            }
        };
        match kind {
            PlayerKind::TypeScript | PlayerKind::Python | PlayerKind::Rmcp => {
                command.args(["streamable-http", url]);
            }
            PlayerKind::TypeScriptOverSse | PlayerKind::PythonOverSse => {
                command.args(["sse", url]);
            }
            PlayerKind::McpRemote => {
                command.arg("stdio").arg(peers.node()).arg(peers.script("mcp-remote")?).arg(url);
            }
        }
        let folder = TempDir::new().context("no folder for a client")?;
        command.env("MCP_REMOTE_CONFIG_DIR", folder.path());
        let process = Process::start_to_tell(&format!("{kind:?}"), command)?;
        let player = Self { process, played: 0, _folder: folder };
        player.process.starts(r#"{"played":0"#).await?;
        Ok(player)
    }

    pub(super) async fn play(&mut self, step: &Value) -> anyhow::Result<Played> {
        self.process.tell(&step.to_string()).await?;
        self.played += 1;
        self.outcome().await.with_context(|| format!("no outcome of {step}"))
    }

    pub(super) async fn begin(&mut self, method: &str, params: Value) -> anyhow::Result<()> {
        let step = json!({ "method": method, "params": params, "isCancelled": true });
        self.process.tell(&step.to_string()).await
    }

    pub(super) async fn cancel(&mut self) -> anyhow::Result<()> {
        self.process.tell("cancel").await?;
        self.played += 1;
        self.outcome().await.context("no outcome of what was cancelled")?;
        Ok(())
    }

    pub(super) async fn leave(mut self) -> anyhow::Result<()> {
        self.process.end_input();
        let status = within("the client to leave", self.process.ended()).await??;
        let log = self.process.log.all().join("\n");
        anyhow::ensure!(status.success(), "the client ended with {status}:\n{log}");
        Ok(())
    }

    /// Awaits the line of the last step.
    async fn outcome(&self) -> anyhow::Result<Played> {
        let line = self.process.says(&format!(r#"{{"played":{}"#, self.played)).await?;
        serde_json::from_str(&line).with_context(|| format!("not an outcome: {line}"))
    }
}
