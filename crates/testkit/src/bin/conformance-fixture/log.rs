//! What the fixture logs.
#![expect(deprecated, reason = "logging is what the scenarios ask for")]

use rmcp::model::{LoggingLevel, LoggingMessageNotificationParam};
use rmcp::service::{RequestContext, RoleServer};
use serde_json::json;
use tokio::sync::Mutex;

/// The log of one session.
pub(crate) struct Log(Mutex<LoggingLevel>);

impl Default for Log {
    fn default() -> Self {
        Self(Mutex::new(LoggingLevel::Info))
    }
}

impl Log {
    /// From now on the client wants no line below `level`.
    pub(crate) async fn set_level(&self, level: LoggingLevel) {
        *self.0.lock().await = level;
    }

    /// Sends a log message at level `info`, unless the client wants only graver ones.
    pub(crate) async fn say(&self, context: &RequestContext<RoleServer>, text: &str) {
        if matches!(*self.0.lock().await, LoggingLevel::Debug | LoggingLevel::Info) {
            let message = LoggingMessageNotificationParam::new(LoggingLevel::Info, json!(text));
            // A client that is gone misses it.
            let _ = context.peer.notify_logging_message(message).await;
        }
    }
}
