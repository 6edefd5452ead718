//! What to do about a listener that cannot be opened.

use std::io::ErrorKind;

use proxy::ListenError;

/// Says of each listener what is wrong and what helps.
pub(super) fn explain(failed: &[ListenError]) -> anyhow::Error {
    let lines: Vec<_> = failed.iter().map(|error| format!("{error}; {}", advice(error))).collect();
    anyhow::anyhow!("{}", lines.join("\n"))
}

fn advice(error: &ListenError) -> String {
    let port = error.address.port();
    let other = if port < 1024 { 8080 } else { port.checked_add(1).unwrap_or(8080) };
    let way_out = format!("serve it on another port with `--port {port}={other}`");
    match error.source.kind() {
        ErrorKind::AddrInUse => format!("another program has this port: {way_out}"),
        ErrorKind::PermissionDenied => format!("ports below 1024 need a privilege: {way_out}"),
        ErrorKind::AddrNotAvailable => {
            "this machine does not have that address: change the listener's `address`".to_owned()
        }
        _ => way_out,
    }
}

#[cfg(test)]
mod tests;
