//! `--port FROM=TO`: a listener's port on another one, so that a document that says 80 runs on a
//! laptop.

use std::str::FromStr;

use config::Document;
use config::document::Listener;

/// Serve the listeners of one port on another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PortMapping {
    pub(crate) from: u16,
    pub(crate) to: u16,
}

impl FromStr for PortMapping {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let port = |text: &str| {
            let parsed = text.trim().parse::<u16>();
            parsed.map_err(|_| format!("`{text}` is not a port (0 to 65535)"))
        };
        let Some((from, to)) = text.split_once('=') else {
            return Err(
                "write it like `80=8080`: the listener's port, then the one to serve".into()
            );
        };
        Ok(Self { from: port(from)?, to: port(to)? })
    }
}

/// The port that is moved to several others, if there is one: only one of them could be meant.
pub(crate) fn moved_twice(mappings: &[PortMapping]) -> Option<u16> {
    let mut from: Vec<u16> = mappings.iter().map(|mapping| mapping.from).collect();
    from.sort_unstable();
    from.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    })
}

/// Moves the listeners of `document`, each once. Returns the mappings that no listener has a port
/// for.
pub(crate) fn apply(mappings: &[PortMapping], document: &mut Document) -> Vec<PortMapping> {
    if document.listeners.is_empty() && !mappings.is_empty() {
        document.listeners.push(Listener::default());
    }
    let mut unused = mappings.to_vec();
    for listener in &mut document.listeners {
        let port = listener.address.port();
        if let Some(mapping) = mappings.iter().find(|mapping| mapping.from == port) {
            listener.address.set_port(mapping.to);
            unused.retain(|unused| unused.from != port);
        }
    }
    unused
}

#[cfg(test)]
mod tests;
