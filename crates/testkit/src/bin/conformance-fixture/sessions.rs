//! rmcp's own sessions, with one addition: a tool can end the stream of its answer and leave the rest to whoever comes
//! back with `Last-Event-ID` (SEP-1699).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{Stream, poll_fn};
use rmcp::model::{ClientJsonRpcMessage, GetExtensions, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::streamable_http_server::session::local::{
    LocalSessionHandle, LocalSessionManager, LocalSessionManagerError,
};
use rmcp::transport::streamable_http_server::session::{
    ServerSseMessage, SessionId, SessionManager,
};
use tokio::sync::{Mutex, Notify};

/// How long a client shall wait before it comes back.
pub(crate) const RETRY: Duration = Duration::from_millis(100);

/// How long a tool waits for somebody to come back.
const PATIENCE: Duration = Duration::from_secs(10);

/// Which stream of which session ended early, and who waits for its return.
type Ended = Arc<Mutex<HashMap<(SessionId, u64), Arc<Notify>>>>;

/// The sessions of the server.
pub(crate) struct Sessions {
    local: LocalSessionManager,
    ended: Ended,
}

impl Default for Sessions {
    fn default() -> Self {
        let mut local = LocalSessionManager::default();
        local.session_config.sse_retry = Some(RETRY);
        Self { local, ended: Ended::default() }
    }
}

/// The stream on which a request is answered; rmcp hands it to the tool beside the request.
#[derive(Clone)]
pub(crate) struct Answer {
    session: LocalSessionHandle,
    stream: u64,
    ended: Ended,
}

impl Answer {
    /// Ends the stream and awaits its return, for a while.
    pub(crate) async fn end_and_await_return(&self) {
        let returned = Arc::new(Notify::new());
        let key = (self.session.id().clone(), self.stream);
        self.ended.lock().await.insert(key.clone(), returned.clone());
        if self.session.close_sse_stream(self.stream, None).await.is_ok() {
            // Whoever never comes back misses the answer.
            let _ = tokio::time::timeout(PATIENCE, returned.notified()).await;
        }
        self.ended.lock().await.remove(&key);
    }
}

impl SessionManager for Sessions {
    type Error = LocalSessionManagerError;
    type Transport = <LocalSessionManager as SessionManager>::Transport;

    async fn create_session(&self) -> Result<(SessionId, Self::Transport), Self::Error> {
        self.local.create_session().await
    }

    async fn initialize_session(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<ServerJsonRpcMessage, Self::Error> {
        self.local.initialize_session(id, message).await
    }

    async fn has_session(&self, id: &SessionId) -> Result<bool, Self::Error> {
        self.local.has_session(id).await
    }

    async fn close_session(&self, id: &SessionId) -> Result<(), Self::Error> {
        self.local.close_session(id).await
    }

    async fn create_stream(
        &self,
        id: &SessionId,
        mut message: ClientJsonRpcMessage,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        let session = self.local.sessions.read().await.get(id).cloned();
        let session = session.ok_or_else(|| Self::Error::SessionNotFound(id.clone()))?;
        let receiver = session.establish_request_wise_channel().await?;
        if let (JsonRpcMessage::Request(request), Some(stream)) =
            (&mut message, receiver.http_request_id)
        {
            let (session, ended) = (session.clone(), self.ended.clone());
            request.request.extensions_mut().insert(Answer { session, stream, ended });
        }
        session.push_message(message, receiver.http_request_id).await?;
        let mut events = receiver.inner;
        Ok(poll_fn(move |context| events.poll_recv(context)))
    }

    async fn accept_message(
        &self,
        id: &SessionId,
        message: ClientJsonRpcMessage,
    ) -> Result<(), Self::Error> {
        self.local.accept_message(id, message).await
    }

    async fn create_standalone_stream(
        &self,
        id: &SessionId,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        self.local.create_standalone_stream(id).await
    }

    async fn resume(
        &self,
        id: &SessionId,
        last_event_id: String,
    ) -> Result<impl Stream<Item = ServerSseMessage> + Send + Sync + 'static, Self::Error> {
        // rmcp's event ids are `<index>/<stream>`.
        let stream = last_event_id.split_once('/').and_then(|(_, stream)| stream.parse().ok());
        let events = self.local.resume(id, last_event_id).await?;
        if let Some(stream) = stream
            && let Some(returned) = self.ended.lock().await.get(&(id.clone(), stream))
        {
            returned.notify_one();
        }
        Ok(events)
    }
}
