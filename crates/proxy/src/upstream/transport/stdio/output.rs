//! What a process says on its standard output, line by line.

use std::sync::Arc;

use tokio::process::ChildStdout;

use crate::lines::{Line, Lines};
use crate::upstream::error::{Oversized, UpstreamError};
use crate::upstream::transport::Common;
use crate::upstream::transport::calls::{Calls, Suspect};
use crate::upstream::transport::receive::{Replies, sort_shared};

/// Reads to the end of the output. Never waits for anybody but the process.
pub(crate) async fn read(
    common: Arc<Common>,
    calls: Arc<Calls>,
    replies: Replies,
    stdout: Option<ChildStdout>,
) {
    let Some(stdout) = stdout else { return };
    let limit = common.limits.stdio_line;
    let mut lines = Lines::new(stdout, limit);
    while let Some(line) = lines.next().await {
        match line {
            Line::Whole(line) if !starts_like_json(&line) => {
                if !line.is_empty() {
                    tracing::debug!(peer = %common.peer, "A line that is not JSON was dropped.");
                }
            }
            Line::Whole(line) => {
                replies.send(sort_shared(&common, &calls, &line, &replies));
            }
            Line::TooLong(nonce) => {
                let suspect = nonce.map_or(Suspect::Unknown, Suspect::Known);
                let peer = common.peer.clone();
                let error = UpstreamError::TooLarge { peer, what: Oversized::Line, limit };
                if !calls.fail(suspect, error) {
                    tracing::warn!(peer = %common.peer, limit, "A line over the limit was dropped.");
                }
            }
        }
    }
}

fn starts_like_json(line: &[u8]) -> bool {
    matches!(line.trim_ascii_start().first(), Some(b'{' | b'['))
}
