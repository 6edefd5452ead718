//! The server `time`: two tools, no state.

use jiff::Timestamp;
use jiff::tz::Offset;
use mcp::{Message, Method};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::service::{Asker, Failure, Hello, Service};
use crate::service::{arguments, list, mistake, name, success};
use crate::session::Sessions;

/// Tells the time and converts it between offsets from UTC.
#[derive(Debug)]
pub(crate) struct Time;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Now {
    offset: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Convert {
    time: String,
    offset: String,
}

impl Service for Time {
    fn hello(&self) -> Hello {
        Hello {
            name: "time",
            title: "Time",
            instructions: "Tells the time at any offset from UTC. Times are RFC 3339.",
            capabilities: json!({ "tools": {} }),
        }
    }

    fn sessions(&self) -> Option<&Sessions> {
        None
    }

    fn answer(&self, _: &Asker<'_>, request: &Message) -> Result<Value, Failure> {
        match request.method() {
            Some(Method::ToolsList) => list(request, "tools", tools()),
            Some(Method::ToolsCall) => call(request),
            _ => Err(Failure::unknown_method(request)),
        }
    }
}

fn call(request: &Message) -> Result<Value, Failure> {
    let answer = match name(request)? {
        "now" => now(request),
        "convert" => convert(request),
        other => return Err(Failure::unknown_tool(other)),
    };
    Ok(match answer {
        Ok(time) => success(time.clone(), json!({ "time": time })),
        Err(problem) => mistake(problem),
    })
}

fn now(request: &Message) -> Result<String, String> {
    let Now { offset } = arguments(request)?;
    let offset = offset_of(offset.as_deref().unwrap_or("Z"))?;
    Ok(Timestamp::now().display_with_offset(offset).to_string())
}

fn convert(request: &Message) -> Result<String, String> {
    let Convert { time, offset } = arguments(request)?;
    let time: Timestamp = time.parse().map_err(|error| format!("`{time}` is no time: {error}"))?;
    Ok(time.display_with_offset(offset_of(&offset)?).to_string())
}

/// `Z`, `+05:30` or `-08:00`.
fn offset_of(text: &str) -> Result<Offset, String> {
    let parsed = match text {
        "Z" | "z" => Some(Offset::UTC),
        _ => signed(text).and_then(|seconds| Offset::from_seconds(seconds).ok()),
    };
    parsed.ok_or_else(|| format!("`{text}` is no offset from UTC, such as `Z` or `+05:30`"))
}

fn signed(text: &str) -> Option<i32> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(text) => (-1, text),
        None => (1, text.strip_prefix('+')?),
    };
    let (hours, minutes) = text.split_once(':')?;
    let number = |text: &str| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i32>().ok().filter(|_| digits)
    };
    let minutes = number(minutes).filter(|minutes| *minutes < 60)?;
    Some(sign * (number(hours)? * 3600 + minutes * 60))
}

fn tools() -> Value {
    let offset = json!({
        "type": "string",
        "description": "Offset from UTC, such as `Z`, `+05:30` or `-08:00`",
    });
    let output = json!({
        "type": "object",
        "properties": { "time": { "type": "string" } },
        "required": ["time"],
    });
    json!([
        {
            "name": "now",
            "title": "Current time",
            "description": "The current time, in UTC or at another offset from it.",
            "inputSchema": { "type": "object", "properties": { "offset": offset } },
            "outputSchema": output,
            "annotations": { "readOnlyHint": true },
        },
        {
            "name": "convert",
            "title": "Convert a time",
            "description": "The same moment at another offset from UTC.",
            "inputSchema": {
                "type": "object",
                "properties": {
                    "time": { "type": "string", "description": "RFC 3339, with its own offset" },
                    "offset": offset,
                },
                "required": ["time", "offset"],
            },
            "outputSchema": output,
            "annotations": { "readOnlyHint": true },
        },
    ])
}
