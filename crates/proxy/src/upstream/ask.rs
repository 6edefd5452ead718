//! One question of the gateway's own to a target, with the whole answer at once: how catalogs
//! are filled.

use std::time::Duration;

use bytes::Bytes;
use mcp::{Message, Nonce};

use crate::upstream::error::UpstreamError;
use crate::upstream::transport::{Connection, Outgoing};

/// Sends the request with this nonce in it and waits for its response, at most `limit` bytes of
/// it and at most `deadline`.
pub(super) async fn ask(
    connection: &Connection,
    nonce: Nonce,
    body: Bytes,
    limit: usize,
    deadline: Duration,
) -> Result<Message, UpstreamError> {
    let outgoing = Outgoing { nonce, body, headers: http::HeaderMap::new() };
    let answer = async { connection.request(outgoing).await?.response(limit).await };
    let answer = tokio::time::timeout(deadline, answer).await;
    let bytes = answer.unwrap_or_else(|_| Err(connection.timed_out(deadline)))?;
    Message::parse(bytes).map_err(|error| connection.invalid(error))
}
