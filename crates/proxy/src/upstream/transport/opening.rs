//! The opening of a connection: the transport that the target speaks, and what it says of itself.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use config::{Target, TargetAddress, Transport};
use http::{HeaderMap, StatusCode, Uri};
use mcp::{InitializeResult, Message, Nonce};

use crate::upstream::era::legacy;
use crate::upstream::error::UpstreamError;
use crate::upstream::transport::sse::Sse;
use crate::upstream::transport::stdio::Stdio;
use crate::upstream::transport::streamable::Streamable;
use crate::upstream::transport::{Common, Dial, Outgoing, Wire};

/// A way to the target on which it has said hello.
pub(super) type Opened = Result<(Wire, InitializeResult), UpstreamError>;

/// Opens the way to a target and asks what it is.
pub(super) async fn open(dial: &Dial, target: &Target, common: &Arc<Common>) -> Opened {
    let address = match &target.address {
        TargetAddress::Http(address) => address,
        TargetAddress::Process(address) => {
            let wire = Wire::Stdio(Stdio::start(common, &dial.processes, address)?);
            return greet(dial, common, wire).await;
        }
    };
    match address.transport {
        Some(Transport::Streamable) => streamable(dial, common, &address.url).await,
        Some(Transport::Sse) => sse(dial, common, &address.url).await,
        None => either(dial, target, common, &address.url).await,
    }
}

/// Finds out which of the two HTTP transports is spoken: a server of 2024-11-05 refuses a POST to
/// the address of its stream (2025-11-25, transports, "Backwards Compatibility"). What was found is
/// asked for first the next time.
async fn either(dial: &Dial, target: &Target, common: &Arc<Common>, url: &Uri) -> Opened {
    // A server that has no such stream may keep its GET open without a word, which is not to take
    // all the time that an opening has.
    let timeouts = &target.settings.timeouts;
    let patience = timeouts.connect.min(timeouts.call / 2);
    let stream = || tokio::time::timeout(patience, Sse::open(common.clone(), dial, url));
    // Forgotten until it is true again, however this ends.
    if dial.speaks_sse.swap(false, Ordering::Relaxed)
        && let Ok(Ok(stream)) = stream().await
    {
        let opened = greet(dial, common, Wire::Sse(stream)).await?;
        dial.speaks_sse.store(true, Ordering::Relaxed);
        return Ok(opened);
    }
    let refused = match streamable(dial, common, url).await {
        Err(error) if may_be_old(&error) => error,
        opened => return opened,
    };
    let Ok(Ok(stream)) = stream().await else { return Err(refused) };
    let opened = greet(dial, common, Wire::Sse(stream)).await?;
    dial.speaks_sse.store(true, Ordering::Relaxed);
    Ok(opened)
}

fn may_be_old(error: &UpstreamError) -> bool {
    const OLD: [StatusCode; 3] =
        [StatusCode::BAD_REQUEST, StatusCode::NOT_FOUND, StatusCode::METHOD_NOT_ALLOWED];
    matches!(error, UpstreamError::Status { code, .. } if OLD.contains(code))
}

async fn streamable(dial: &Dial, common: &Arc<Common>, url: &Uri) -> Opened {
    greet(dial, common, Wire::Streamable(Streamable::new(common.clone(), dial, url)?)).await
}

async fn sse(dial: &Dial, common: &Arc<Common>, url: &Uri) -> Opened {
    greet(dial, common, Wire::Sse(Sse::open(common.clone(), dial, url).await?)).await
}

async fn greet(dial: &Dial, common: &Arc<Common>, wire: Wire) -> Opened {
    let mut random = [0; 16];
    (dial.random)(&mut random);
    let nonce = Nonce::new(random);
    let body = legacy::initialize(nonce, &dial.declaration);
    let outgoing = Outgoing { nonce, body, headers: HeaderMap::new() };
    let answer = wire.request(outgoing).await?.response(dial.limits.rewritten_answer).await?;
    let message = Message::parse(answer).map_err(|error| {
        UpstreamError::invalid(&common.peer, format!("its answer to `initialize`: {error}"))
    })?;
    let hello = legacy::hello(&common.peer, &message)?;
    Ok((wire, hello))
}

#[cfg(test)]
mod tests;
