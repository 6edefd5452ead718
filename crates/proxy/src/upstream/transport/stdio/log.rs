//! What a process says on its standard error.

use mcp::TargetName;
use tokio::io::AsyncRead;

use crate::lines::{Line, Lines};

/// The longest line of a log; the rest of a longer one is lost.
const LOG_LINE: usize = 4096;

/// Puts what a target says on its standard error into our log, until it ends.
pub(crate) async fn log<R: AsyncRead + Unpin>(target: TargetName, stderr: R) {
    let mut lines = Lines::new(stderr, LOG_LINE);
    while let Some(line) = lines.next().await {
        match line {
            Line::Whole(line) if line.is_empty() => {}
            Line::Whole(line) => {
                let text: String = String::from_utf8_lossy(&line)
                    .chars()
                    .map(|letter| if letter.is_control() { ' ' } else { letter })
                    .collect();
                tracing::info!(target = %target.as_str(), "{text}");
            }
            Line::TooLong(_) => {
                tracing::info!(target = %target.as_str(), "(a line of more than {LOG_LINE} bytes)");
            }
        }
    }
}
