//! rmcp's client: an independent judge of what a client of today sees.

use std::sync::Arc;

use anyhow::Context;
use rmcp::handler::client::ClientHandler;
use rmcp::model::{CallToolRequestParams, CallToolResult, Tool};
use rmcp::service::{NotificationContext, RoleClient, RunningService, ServiceExt};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use serde_json::Value;

use crate::record::{Record, within};

/// A connected client with a session of its own. A session that the gateway forgets is an error here, never reopened
/// behind the test's back.
pub struct Client {
    service: RunningService<RoleClient, Handler>,
    /// Which lists changed, as the gateway said: `tools`, `prompts` or `resources`.
    pub changes: Record<&'static str>,
}

impl Client {
    /// Connects to an MCP endpoint and opens a session.
    pub async fn connect(url: &str) -> anyhow::Result<Self> {
        let mut config = StreamableHttpClientTransportConfig::with_uri(Arc::<str>::from(url));
        config.reinit_on_expired_session = false;
        let transport = StreamableHttpClientTransport::from_config(config);
        let changes = Record::default();
        let handler = Handler { changes: changes.clone() };
        let service = within("rmcp's client to connect", handler.serve(transport))
            .await?
            .with_context(|| format!("rmcp's client could not connect to {url}"))?;
        Ok(Self { service, changes })
    }

    /// The names of the tools that are listed.
    pub async fn tools(&self) -> anyhow::Result<Vec<String>> {
        Ok(self.listed().await?.into_iter().map(|tool| tool.name.into_owned()).collect())
    }

    /// The tools that are listed, whole.
    pub async fn listed(&self) -> anyhow::Result<Vec<Tool>> {
        within("the list of tools", self.service.list_all_tools()).await?.context("no tools")
    }

    /// Calls a tool and gives the text of its result; an `isError` is an error here.
    pub async fn call(&self, tool: &str, arguments: Value) -> anyhow::Result<String> {
        let result = self.call_raw(tool, arguments).await?;
        let text = text_of(&result);
        anyhow::ensure!(result.is_error != Some(true), "`{tool}` failed: {text}");
        Ok(text)
    }

    /// Calls a tool and gives its result as it is.
    pub async fn call_raw(&self, tool: &str, arguments: Value) -> anyhow::Result<CallToolResult> {
        let mut parameters = CallToolRequestParams::new(tool.to_owned());
        parameters.arguments = arguments.as_object().cloned();
        within(&format!("the result of `{tool}`"), self.service.call_tool(parameters))
            .await?
            .with_context(|| format!("`{tool}` could not be called"))
    }

    /// Awaits a tool of this name in the list: now, or after a `list_changed` that says to look again.
    pub async fn lists(&self, tool: &str) -> anyhow::Result<()> {
        self.awaits(tool, true).await
    }

    /// Awaits the list without a tool of this name.
    pub async fn lists_no_more(&self, tool: &str) -> anyhow::Result<()> {
        self.awaits(tool, false).await
    }

    async fn awaits(&self, tool: &str, listed: bool) -> anyhow::Result<()> {
        loop {
            let changes = self.changes.all().len();
            if self.tools().await?.iter().any(|name| name == tool) == listed {
                return Ok(());
            }
            let what = format!("a list_changed after which `{tool}` is listed: {listed}");
            self.changes.until(&what, |seen| (seen.len() > changes).then_some(())).await?;
        }
    }
}

fn text_of(result: &CallToolResult) -> String {
    let texts = result.content.iter().filter_map(|block| block.as_text());
    texts.map(|text| text.text.as_str()).collect::<Vec<_>>().join("\n")
}

struct Handler {
    changes: Record<&'static str>,
}

impl ClientHandler for Handler {
    async fn on_tool_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changes.push("tools");
    }

    async fn on_prompt_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changes.push("prompts");
    }

    async fn on_resource_list_changed(&self, _context: NotificationContext<RoleClient>) {
        self.changes.push("resources");
    }
}
