//! The client's side: transports know framing and streams, eras know lifecycle; neither knows
//! the other.

mod body;
mod choice;
mod collect;
pub(crate) mod cors;
mod era;
pub(crate) mod guard;
mod hang_up;
pub(crate) mod respond;
mod transport;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::Weighted;

use crate::auth::Principal;
use crate::context::{Closing, Context};
use crate::error::RequestError;
use crate::federation::Federation;
use crate::world::World;

pub use body::ReplyBody;
pub(crate) use body::{Deadline, Forwarded};
pub(crate) use transport::{sse, stdio, streamable};

/// An MCP endpoint as one request sees it.
pub(crate) struct Endpoint<'a> {
    pub(crate) context: &'a Arc<Context>,
    pub(crate) world: &'a Arc<World>,
    /// The backends that the route leads to.
    pub(crate) backends: &'a [Weighted],
    pub(crate) principal: Principal,
    pub(crate) remote: SocketAddr,
    /// How its listener says that it ends.
    pub(crate) closing: &'a Closing,
    /// How long the answer to a call may take, if the route says so.
    pub(crate) within: Option<Duration>,
}

impl<'a> Endpoint<'a> {
    /// The live side of a backend, unless it is kept shut.
    pub(crate) fn backend(&self, name: &str) -> Result<&'a Arc<Federation>, RequestError> {
        let federation = self.world.backends.get(name).ok_or(RequestError::NotReady)?;
        match &federation.base().offer().backend.closed {
            Some(close) => Err(RequestError::Closed(close.clone())),
            None => Ok(federation),
        }
    }
}
