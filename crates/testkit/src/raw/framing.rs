//! How a message becomes bytes, per transport.

/// How a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Streamable HTTP, one JSON document per answer.
    Json,
    /// Streamable HTTP, an event stream per answer.
    Events,
    /// HTTP+SSE of 2024-11-05: one GET stream for all answers.
    Sse,
    /// Lines on a pipe.
    Stdio,
}

/// The head of an event stream.
pub(super) const EVENTS_HEAD: &str = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
    cache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n";

/// What ends an event stream, so that the connection can be used again.
pub(super) const EVENTS_END: &str = "0\r\n\r\n";

/// What says that a notification was taken.
pub(super) const ACCEPTED: &str = "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n";

impl Framing {
    /// One message, framed. The head of an event stream is sent before.
    pub(super) fn message(self, message: &str) -> Vec<u8> {
        match self {
            Self::Json => json(message, ""),
            Self::Events | Self::Sse => event("message", message),
            Self::Stdio => format!("{message}\n").into_bytes(),
        }
    }

    /// A whole answer, with more header lines where there are headers.
    pub(super) fn answer(self, message: &str, headers: &str) -> Vec<u8> {
        match self {
            Self::Json => json(message, headers),
            Self::Events => {
                let head = EVENTS_HEAD.trim_end();
                let mut bytes = format!("{head}\r\n{headers}\r\n").into_bytes();
                bytes.extend(event("message", message));
                bytes.extend(EVENTS_END.as_bytes());
                bytes
            }
            Self::Sse | Self::Stdio => self.message(message),
        }
    }
}

/// One event, as a chunk of its own.
pub(super) fn event(kind: &str, data: &str) -> Vec<u8> {
    let event = format!("event: {kind}\ndata: {data}\n\n");
    format!("{:x}\r\n{event}\r\n", event.len()).into_bytes()
}

pub(super) fn json(message: &str, headers: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{headers}\r\n{message}",
        message.len()
    )
    .into_bytes()
}
