//! The server of one session: what it says of itself, what its client told it, and which file answers what.
#![expect(deprecated, reason = "logging and subscriptions are what the scenarios ask for")]

use std::collections::BTreeSet;

use rmcp::handler::server::ServerHandler;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, CompleteRequestParams, CompleteResult,
    ErrorData, GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListPromptsResult,
    ListResourceTemplatesResult, ListResourcesResult, ListToolsResult, PaginatedRequestParams,
    ReadResourceRequestParams, ReadResourceResponse, ReadResourceResult, ServerConfig,
    SetLevelRequestParams, SubscribeRequestParams, UnsubscribeRequestParams,
};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::json::typed;
use crate::log::Log;
use crate::{prompts, resources, tools};

/// The server of one session. What it answers is written as JSON, as the scenarios have it.
pub(crate) struct Fixture {
    info: ServerConfig,
    log: Log,
    subscriptions: Mutex<BTreeSet<String>>,
}

impl Fixture {
    /// A server that says this of itself.
    pub(crate) fn new(info: ServerConfig) -> Self {
        Self { info, log: Log::default(), subscriptions: Mutex::default() }
    }
}

impl ServerHandler for Fixture {
    fn get_info(&self) -> ServerConfig {
        self.info.clone()
    }

    async fn list_tools(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        typed(tools::list())
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        let result = tools::call(&self.log, &request.name, &arguments, &context).await?;
        Ok(typed::<CallToolResult>(result)?.into())
    }

    async fn list_prompts(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListPromptsResult, ErrorData> {
        typed(prompts::list())
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let arguments = Value::Object(request.arguments.unwrap_or_default());
        Ok(typed::<GetPromptResult>(prompts::prompt(&request.name, &arguments)?)?.into())
    }

    async fn complete(
        &self,
        request: CompleteRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<CompleteResult, ErrorData> {
        typed(prompts::completion(&request.argument.name, &request.argument.value))
    }

    async fn list_resources(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        typed(resources::list())
    }

    async fn list_resource_templates(
        &self,
        _request: Option<PaginatedRequestParams>,
        _context: RequestContext<RoleServer>,
    ) -> Result<ListResourceTemplatesResult, ErrorData> {
        typed(resources::templates())
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        Ok(typed::<ReadResourceResult>(resources::resource(&request.uri)?)?.into())
    }

    async fn subscribe(
        &self,
        request: SubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        resources::resource(&request.uri)?;
        self.subscriptions.lock().await.insert(request.uri);
        Ok(())
    }

    async fn unsubscribe(
        &self,
        request: UnsubscribeRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        if self.subscriptions.lock().await.remove(&request.uri) {
            return Ok(());
        }
        let said = json!({ "uri": request.uri });
        Err(ErrorData::invalid_params("nobody subscribed to this", Some(said)))
    }

    async fn set_level(
        &self,
        request: SetLevelRequestParams,
        _context: RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        self.log.set_level(request.level).await;
        Ok(())
    }
}

/// What the server says of itself.
pub(crate) fn info() -> Result<ServerConfig, ErrorData> {
    typed(json!({
        "protocolVersion": "2025-11-25",
        "serverInfo": {
            "name": "conformance-fixture",
            "title": "The conformance fixture",
            "version": "1.0.0",
        },
        "capabilities": {
            "completions": {},
            "logging": {},
            "prompts": { "listChanged": true },
            "resources": { "listChanged": true, "subscribe": true },
            "tools": { "listChanged": true },
        },
        "instructions": "For the conformance suite.",
    }))
}
