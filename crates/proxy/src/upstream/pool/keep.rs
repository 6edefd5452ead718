//! How long a connection may be used again after an answer: what DESIGN section 8 allows, as a pure
//! function of the answer's head. A POST that was written to a connection which the peer was about
//! to close cannot be repeated, so we are always the first to give up.

use std::time::Duration;

use http::header::CONNECTION;
use http::response::Parts;
use http::{HeaderMap, Version};

/// For peers that do not say: Node closes after 5 s and tells nobody.
const UNSTATED: Duration = Duration::from_secs(4);
/// How much earlier than the peer we stop using a connection.
const MARGIN: Duration = Duration::from_secs(1);

/// How long the connection that brought this head may idle before it is used again; `None` when it
/// must not be used again.
pub(crate) fn idle_time(head: &Parts) -> Option<Duration> {
    if head.version != Version::HTTP_11 || says_close(&head.headers) {
        return None;
    }
    let time = match stated(&head.headers) {
        Some(timeout) => timeout.checked_sub(MARGIN)?,
        None => UNSTATED,
    };
    (!time.is_zero()).then_some(time)
}

fn says_close(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|token| token.trim().eq_ignore_ascii_case("close"))
}

fn stated(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get_all("keep-alive")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|part| part.split_once('='))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("timeout"))
        .and_then(|(_, seconds)| seconds.trim().trim_matches('"').parse().ok())
        .map(Duration::from_secs)
}

#[cfg(test)]
mod tests;
