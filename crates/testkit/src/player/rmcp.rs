//! rmcp's client.
#![expect(deprecated, reason = "sampling and roots are what its servers ask for")]

use anyhow::Context;
use rmcp::handler::client::ClientHandler;
use rmcp::model::{
    ClientConfig, ClientRequest, CreateMessageRequestParams, CreateMessageResult,
    ElicitRequestParams, ElicitResult, ElicitationAction, ErrorData, ListRootsResult,
    ProgressNotificationParam,
};
use rmcp::service::{
    NotificationContext, PeerRequestOptions, RequestContext, RequestHandle, RoleClient,
    RunningService, ServiceError, ServiceExt,
};
use rmcp::transport::StreamableHttpClientTransport;
use serde_json::{Value, json};

use crate::player::Played;
use crate::record::{Record, within};

/// A connected client.
pub struct RmcpPlayer {
    service: RunningService<RoleClient, Handler>,
    begun: Option<RequestHandle<RoleClient>>,
}

impl RmcpPlayer {
    pub(super) async fn connect(url: &str) -> anyhow::Result<Self> {
        let transport = StreamableHttpClientTransport::from_uri(url);
        let handler = Handler::default();
        let service = within("rmcp's client to connect", handler.serve(transport))
            .await?
            .with_context(|| format!("rmcp's client could not connect to {url}"))?;
        Ok(Self { service, begun: None })
    }

    pub(super) async fn play(&self, step: Value) -> anyhow::Result<Played> {
        let handler = self.service.service();
        handler.asked.change(Vec::clear);
        handler.progress.change(Vec::clear);
        let what = format!("the outcome of {step}");
        let answer = within(&what, self.service.send_request(request(step)?)).await?;
        let mut played = Played {
            progress: handler.progress.all(),
            asked: handler.asked.all(),
            ..Played::default()
        };
        match answer {
            Ok(result) => played.result = serde_json::to_value(result)?,
            Err(ServiceError::McpError(error)) => played.error = serde_json::to_value(error)?,
            Err(error) => return Err(error).context(what),
        }
        Ok(played)
    }

    pub(super) async fn begin(&mut self, step: Value) -> anyhow::Result<()> {
        let options = PeerRequestOptions::no_options();
        let sending = self.service.send_cancellable_request(request(step)?, options);
        self.begun = Some(within("a request to be sent", sending).await??);
        Ok(())
    }

    pub(super) async fn cancel(&mut self) -> anyhow::Result<()> {
        let begun = self.begun.take().context("nothing was begun")?;
        let reason = Some("it takes too long".to_owned());
        within("a cancellation to be sent", begun.cancel(reason)).await??;
        Ok(())
    }

    pub(super) async fn leave(self) -> anyhow::Result<()> {
        within("rmcp's client to leave", self.service.cancel()).await?.context("no end")?;
        Ok(())
    }
}

#[derive(Default)]
struct Handler {
    asked: Record<String>,
    progress: Record<f64>,
}

impl ClientHandler for Handler {
    fn get_info(&self) -> ClientConfig {
        let config = json!({
            "protocolVersion": "2025-11-25",
            "capabilities": {
                "sampling": {}, "elicitation": { "form": {}, "url": {} },
                "roots": { "listChanged": true },
            },
            "clientInfo": { "name": "player", "version": "1" },
        });
        serde_json::from_value(config).unwrap_or_default()
    }

    async fn create_message(
        &self,
        params: CreateMessageRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<CreateMessageResult, ErrorData> {
        let question = serde_json::to_value(&params).unwrap_or_default();
        let text = question.pointer("/messages/0/content/text").and_then(Value::as_str);
        self.asked.push(text.unwrap_or_default().to_owned());
        typed(json!({
            "role": "assistant", "model": "none", "stopReason": "endTurn",
            "content": { "type": "text", "text": "Hello from the model!" },
        }))
    }

    async fn list_roots(
        &self,
        _context: RequestContext<RoleClient>,
    ) -> Result<ListRootsResult, ErrorData> {
        typed(json!({ "roots": [{ "uri": "file:///work", "name": "work" }] }))
    }

    async fn create_elicitation(
        &self,
        params: ElicitRequestParams,
        _context: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let accepted = ElicitResult::new(ElicitationAction::Accept);
        match params {
            ElicitRequestParams::FormElicitationParams { message, .. } => {
                self.asked.push(message);
                Ok(accepted.with_content(json!({ "name": "Ada" })))
            }
            ElicitRequestParams::UrlElicitationParams { message, .. } => {
                self.asked.push(message);
                Ok(accepted)
            }
            _ => Ok(ElicitResult::new(ElicitationAction::Decline)),
        }
    }

    async fn on_progress(
        &self,
        params: ProgressNotificationParam,
        _context: NotificationContext<RoleClient>,
    ) {
        self.progress.push(params.progress);
    }
}

/// A step as rmcp's types have it.
fn request(step: Value) -> anyhow::Result<ClientRequest> {
    let what = step.to_string();
    serde_json::from_value(step).with_context(|| format!("rmcp does not know {what}"))
}

/// The answer that rmcp's types make of it, which are not all built by hand.
fn typed<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T, ErrorData> {
    serde_json::from_value(answer)
        .map_err(|error| ErrorData::internal_error(error.to_string(), None))
}
