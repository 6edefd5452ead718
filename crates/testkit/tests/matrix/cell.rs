//! One kind of client against one kind of target, and what it takes to have them meet.

use std::path::Path;

use serde_json::{Value, json};
use testkit::{CallerKind, Front, Host, HostKind, one_tool};

/// A kind of client against a kind of target.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cell {
    pub(crate) client: CallerKind,
    pub(crate) target: HostKind,
}

impl Cell {
    /// All of them.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        CallerKind::ALL
            .into_iter()
            .flat_map(|client| HostKind::ALL.map(|target| Self { client, target }))
    }

    /// What the client speaks, for a reader.
    pub(crate) fn client_name(self) -> String {
        match self.client {
            CallerKind::Sse => "2024-11-05, HTTP+SSE".to_owned(),
            CallerKind::Streamable(revision) => format!("{revision}, streamable HTTP"),
            CallerKind::Stdio => "2025-11-25, stdio".to_owned(),
        }
    }

    /// What the targets speak, for a reader.
    pub(crate) fn target_name(self) -> &'static str {
        match self.target {
            HostKind::Sessions => "streamable HTTP with sessions",
            HostKind::NoSessions => "streamable HTTP without sessions",
            HostKind::Sse => "HTTP+SSE",
            HostKind::Stdio => "stdio",
        }
    }

    /// The client's revision.
    pub(crate) fn revision(self) -> &'static str {
        self.client.revision()
    }

    /// A target of this kind.
    pub(crate) async fn host(
        self,
        answers: impl Fn(&str, &Value) -> Option<Value> + Send + Sync + 'static,
    ) -> anyhow::Result<Host> {
        Host::start_as(self.target, answers).await
    }

    /// A gateway in front of these targets, for clients of this kind.
    pub(crate) async fn front(self, hosts: &[(&str, &Host)], more: &str) -> anyhow::Result<Front> {
        let bridge = Path::new(env!("CARGO_BIN_EXE_stdio-to-tcp"));
        let targets: String =
            hosts.iter().map(|(name, host)| host.target_by(name, bridge)).collect();
        Front::start(self.client, format!("{more}targets:\n{targets}")).await
    }

    /// Two targets, `a` and `b`, of one tool each, whose calls the test answers.
    pub(crate) async fn two_targets(self) -> anyhow::Result<(Host, Host, Front)> {
        let (a, b) = (self.host(one_tool).await?, self.host(one_tool).await?);
        let front = self.front(&[("a", &a), ("b", &b)], "").await?;
        Ok((a, b, front))
    }

    /// What a client of this revision can be asked.
    pub(crate) fn able(self) -> Value {
        match self.revision() {
            "2024-11-05" | "2025-03-26" => {
                json!({ "roots": { "listChanged": true }, "sampling": {} })
            }
            _ => {
                json!({ "roots": { "listChanged": true }, "sampling": {}, "elicitation": {} })
            }
        }
    }
}
