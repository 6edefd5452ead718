//! A request's body, whole and bounded: a repeated key may come last, so nothing is forwarded
//! before all of it is here.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};

use crate::context::Context;
use crate::error::RequestError;

/// How long a client may take for a body.
const BODY_DEADLINE: Duration = Duration::from_secs(60);
/// How much of a body that is refused is read, in multiples of the limit.
const DISCARD_FACTOR: usize = 4;
/// How long a body that is refused is read.
const DISCARD_DEADLINE: Duration = Duration::from_secs(2);

/// The whole body, if it is plain JSON within the limit.
pub(super) async fn collect(
    context: &Context,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Bytes, RequestError> {
    check_media(headers)?;
    whole(body, context.limits.request_body).await
}

/// Refuses what is not plain JSON.
fn check_media(headers: &HeaderMap) -> Result<(), RequestError> {
    let is_plain = headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .all(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if headers.get_all(CONTENT_TYPE).iter().nth(1).is_some() {
        return Err(RequestError::RepeatedHeader("Content-Type"));
    }
    if is_plain && mcp::headers::is_json(headers.get(CONTENT_TYPE)) {
        Ok(())
    } else {
        Err(RequestError::MediaType)
    }
}

/// The whole body, at most `limit` bytes of it.
async fn whole(mut body: Incoming, limit: usize) -> Result<Bytes, RequestError> {
    let announced = body.size_hint().lower();
    if usize::try_from(announced).is_ok_and(|announced| announced > limit) {
        discard(body, limit).await;
        return Err(RequestError::BodyTooLarge { limit });
    }
    let collected = Limited::new(&mut body, limit).collect();
    match tokio::time::timeout(BODY_DEADLINE, collected).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            discard(body, limit).await;
            Err(RequestError::BodyTooLarge { limit })
        }
        Ok(Err(_)) | Err(_) => Err(RequestError::BodyCut),
    }
}

/// Reads on for a while, so that a client which writes its whole body before it reads finds the
/// refusal and not a broken connection.
async fn discard(mut body: Incoming, limit: usize) {
    let mut left = limit.saturating_mul(DISCARD_FACTOR);
    let rest = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                return;
            }
        }
    };
    // Whoever is slower than this gets the broken connection.
    let _ = tokio::time::timeout(DISCARD_DEADLINE, rest).await;
}
