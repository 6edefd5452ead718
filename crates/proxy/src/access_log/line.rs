//! A finished line, and how it is written as text and as JSON.

use std::fmt::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use crate::access_log::{Ending, Format};
use crate::clock::rfc3339;

/// The most characters of a text that a client wrote.
const MAX_TEXT: usize = 128;
/// The most characters of why something was not done.
const MAX_REASON: usize = 256;
/// The most characters of a session id: enough to follow it, too few to use it.
const MAX_SESSION: usize = 12;

/// What one request did. Nothing in it is longer than its bound, and no text holds a character that
/// a terminal would act on.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    #[serde(serialize_with = "timestamp")]
    pub(super) time: SystemTime,
    pub(super) remote: SocketAddr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) route: Option<Arc<str>>,
    pub(super) method: Clean,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) target: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) tool: Option<Clean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<u16>,
    #[serde(rename = "duration_ms", serialize_with = "milliseconds")]
    pub(super) duration: Duration,
    pub(super) bytes: u64,
    pub(super) ended: Ending,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<Clean>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<Clean>,
}

impl Line {
    /// Appends the line and its line end to `buffer`.
    pub(super) fn append_to(&self, buffer: &mut Vec<u8>, format: Format) {
        match format {
            Format::Text => buffer.extend_from_slice(self.to_string().as_bytes()),
            // Nothing in a line can fail to serialize; a vector takes every write.
            Format::Json => drop(serde_json::to_writer(&mut *buffer, self)),
        }
        buffer.push(b'\n');
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", rfc3339(self.time), self.remote)?;
        if let Some(route) = &self.route {
            pair(f, "route", route)?;
        }
        pair(f, "method", self.method.as_str())?;
        if let Some(target) = &self.target {
            pair(f, "target", target)?;
        }
        if let Some(tool) = &self.tool {
            pair(f, "tool", tool.as_str())?;
        }
        if let Some(status) = self.status {
            write!(f, " status={status}")?;
        }
        let milliseconds = self.duration.as_secs_f64() * 1000.0;
        write!(f, " duration_ms={milliseconds:.3} bytes={} ended={}", self.bytes, self.ended)?;
        if let Some(error) = self.error {
            pair(f, "error", error)?;
        }
        if let Some(reason) = &self.reason {
            pair(f, "reason", reason.as_str())?;
        }
        if let Some(session) = &self.session {
            pair(f, "session", session.as_str())?;
        }
        Ok(())
    }
}

/// A text of foreign origin: cut to a length, and without characters that a terminal or a log viewer
/// would act on.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Clean(String);

impl Clean {
    pub(super) fn text(text: &str) -> Self {
        Self::cut(text, MAX_TEXT)
    }

    pub(super) fn reason(text: &str) -> Self {
        Self::cut(text, MAX_REASON)
    }

    pub(super) fn session(id: &str) -> Self {
        Self(id.chars().take(MAX_SESSION).filter(char::is_ascii_graphic).collect())
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    fn cut(text: &str, limit: usize) -> Self {
        let mut clean = String::with_capacity(text.len().min(limit));
        for (index, character) in text.chars().enumerate() {
            if index == limit {
                clean.push('…');
                break;
            }
            if acts(character) {
                clean.extend(character.escape_unicode());
            } else {
                clean.push(character);
            }
        }
        Self(clean)
    }
}

/// Control characters, line and paragraph separators, and what changes the direction of text.
fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// ` key=value`, the value in quotes where a reader could not tell where it ends.
fn pair(f: &mut fmt::Formatter<'_>, key: &str, value: &str) -> fmt::Result {
    write!(f, " {key}=")?;
    let is_plain = |c: char| !c.is_whitespace() && !matches!(c, '"' | '=' | '\\');
    if !value.is_empty() && value.chars().all(is_plain) {
        return f.write_str(value);
    }
    f.write_char('"')?;
    for character in value.chars() {
        if matches!(character, '"' | '\\') {
            f.write_char('\\')?;
        }
        f.write_char(character)?;
    }
    f.write_char('"')
}

fn timestamp<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&rfc3339(*time))
}

fn milliseconds<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    // Whole microseconds: more digits say nothing.
    let microseconds = u32::try_from(duration.as_micros()).unwrap_or(u32::MAX);
    serializer.serialize_f64(f64::from(microseconds) / 1000.0)
}
