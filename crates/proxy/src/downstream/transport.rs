//! Framing, streams and ids of the transports that clients use. No method names here.

mod conversation;
pub(crate) mod sse;
pub(crate) mod stdio;
pub(crate) mod streamable;
