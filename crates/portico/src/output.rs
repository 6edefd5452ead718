//! Standard output, for what a command has to say. A reader that has gone away (`| head`) is no
//! failure.

use std::io::{self, Write};

/// Writes `text` to standard output.
pub(crate) fn print(text: &str) {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    if let Err(error) = written {
        tracing::debug!(%error, "Nobody reads standard output.");
    }
}
