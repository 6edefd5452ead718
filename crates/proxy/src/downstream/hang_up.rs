//! The end of a client of HTTP+SSE or stdio: whoever holds its pipe has gone, and with it the
//! session (MCP.md 3.4).

use std::sync::Arc;

use crate::context::Context;
use crate::session::Pipe;

/// Ends a client's session when it is dropped: calls are cancelled, and the upstream sessions
/// deleted once the targets have heard of that.
pub(crate) struct HangUp {
    context: Arc<Context>,
    pipe: Arc<Pipe>,
}

impl HangUp {
    /// For the client behind `pipe`.
    pub(crate) fn new(context: &Arc<Context>, pipe: &Arc<Pipe>) -> Self {
        Self { context: context.clone(), pipe: pipe.clone() }
    }
}

impl Drop for HangUp {
    fn drop(&mut self) {
        self.pipe.over().cancel();
        for slot in self.context.sessions.close_pipe(&self.pipe) {
            let tasks = &self.context.tasks;
            tasks.spawn_to_end("close upstream session", async move { slot.close().await });
        }
    }
}
