//! Framing, streams and ids of the transports that clients use. No method names here.

pub(crate) mod streamable;
