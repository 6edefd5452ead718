//! What a client takes as an answer: its `Accept` headers.

use http::HeaderMap;
use http::header::ACCEPT;

/// What a client takes. No header, or `*/*`: JSON, so that `| jq` works. `q=0` excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accept {
    /// It takes `application/json`.
    pub json: bool,
    /// It names `text/event-stream` or `text/*`, or takes anything but JSON.
    pub event_stream: bool,
    /// It names event streams before JSON: of two forms that it takes, the one that it would rather
    /// have.
    pub prefers_events: bool,
}

impl Accept {
    /// Whether an answer of one message is best given as JSON.
    pub fn wants_json(self) -> bool {
        self.json && !self.prefers_events
    }

    /// What all `Accept` headers of a request say together.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut json = Best::default();
        let mut event_stream = Best::default();
        let (mut any, mut first) = (false, None);
        for value in headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()) {
            for range in value.split(',').map(str::trim).filter(|range| !range.is_empty()) {
                any = true;
                let (name, takes) = parse(range);
                if takes && matches!(name.as_str(), "application/json" | "text/event-stream") {
                    first.get_or_insert(name == "text/event-stream");
                }
                json.consider(&name, takes, &["*/*", "application/*", "application/json"]);
                event_stream.consider(&name, takes, &["*/*", "text/*", "text/event-stream"]);
            }
        }
        let json = json.takes || !any;
        // `*/*` alone is no wish for a stream, unless nothing else is left.
        let is_named = event_stream.rank > 1;
        let event_stream = event_stream.takes && (is_named || !json);
        Self { json, event_stream, prefers_events: event_stream && first == Some(true) }
    }
}

/// The most specific range so far that fits a type, and whether it takes it.
#[derive(Default)]
struct Best {
    rank: usize,
    takes: bool,
}

impl Best {
    /// `ranges` are those that fit, the most specific last.
    fn consider(&mut self, name: &str, takes: bool, ranges: &[&str]) {
        let Some(rank) = ranges.iter().position(|range| *range == name) else { return };
        if rank + 1 > self.rank {
            *self = Self { rank: rank + 1, takes };
        } else if rank + 1 == self.rank {
            self.takes |= takes;
        }
    }
}

/// The name of a media range in lower case, and whether its `q` is more than 0.
fn parse(range: &str) -> (String, bool) {
    let mut parts = range.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let quality = parts.filter_map(|part| part.split_once('=')).find_map(|(key, value)| {
        key.trim().eq_ignore_ascii_case("q").then(|| value.trim().parse::<f32>().ok()).flatten()
    });
    (name, quality.is_none_or(|quality| quality > 0.0))
}

#[cfg(test)]
mod tests;
