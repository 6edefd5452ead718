//! The log: to standard error, so that standard output stays for the access log and for what a
//! command prints. `RUST_LOG` chooses what is in it; `info` where it is not set.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::arguments::LogFormat;

/// Starts the log of this process.
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}
