//! The bounds that protect the gateway, with their defaults.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::size;
use crate::duration::Duration;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;

/// The bounds that protect the gateway. At a limit new work is refused with an error that names
/// it, and existing work goes on. Sizes are in bytes, or written like `4MiB`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// The body of a client's request, in bytes.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub request_body: usize,
    /// An answer that has to be rewritten, in bytes; others stream without a limit.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub rewritten_answer: usize,
    /// One event of a target's event stream, in bytes.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub sse_event: usize,
    /// One line of a program's standard output, in bytes.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub stdio_line: usize,
    /// Messages in one batch.
    pub batch: usize,
    /// Messages of one batch that are worked on at once, where they are answered together: over
    /// streamable HTTP.
    pub batch_concurrency: usize,
    /// The header block of a request, in bytes.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub header_block: usize,
    /// Connections of clients.
    pub connections: usize,
    /// Streams of one HTTP/2 connection.
    pub http2_streams: u32,
    /// Sessions of clients with state in memory.
    pub sessions: usize,
    /// Open streams of one session.
    pub streams_per_session: usize,
    /// Events that are kept of one stream, to resume it.
    pub event_store_events: usize,
    /// Bytes that are kept of one stream.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub event_store_stream: usize,
    /// Bytes that are kept of all streams.
    #[serde(with = "size")]
    #[schemars(schema_with = "size::schema")]
    pub event_store_total: usize,
    /// Pages of one list that are fetched from a target.
    pub pages_per_drain: usize,
    /// Tools that are taken from one target.
    pub tools_per_target: usize,
    /// Catalogs that are kept of one target.
    pub catalogs_per_target: usize,
    /// Lists of single sessions that are kept of one target.
    pub overlays_per_target: usize,
    /// Processes of one target for clients; a quarter as many may run besides to read its
    /// lists, and for a moment twice that: one that ends beside its successor.
    pub processes: u32,
    /// Ended sessions that are remembered until they would have expired, so that they stay ended;
    /// half of them may be ones that were idle for too long.
    pub tombstones: usize,
    /// The time to connect to a target.
    pub connect: Duration,
    /// The time a list waits for targets that are not known yet.
    pub list: Duration,
    /// The time a call may take without progress.
    pub call: Duration,
    /// The time a call may take while it reports progress.
    pub progress: Duration,
    /// The time a program may take from its start to its first answer.
    pub start: Duration,
    /// The time a call goes on after its client left.
    pub orphan_call: Duration,
    /// The time a call waits for what its client has to answer.
    pub parked_call: Duration,
    /// The time after which an unused process ends.
    pub process_idle: Duration,
    /// The time after which an unused session ends. One that has set nothing at its servers begins
    /// again by itself.
    pub session_idle: Duration,
    /// The time after which every session ends.
    pub session_absolute: Duration,
    /// The time after which a catalog is fetched again without being told to.
    pub refresh: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_body: 4 * MIB,
            rewritten_answer: 64 * MIB,
            sse_event: 16 * MIB,
            stdio_line: 16 * MIB,
            batch: 64,
            batch_concurrency: 8,
            header_block: 32 * KIB,
            connections: 10_000,
            http2_streams: 256,
            sessions: 100_000,
            streams_per_session: 8,
            event_store_events: 256,
            event_store_stream: MIB,
            event_store_total: 64 * MIB,
            pages_per_drain: 1_000,
            tools_per_target: 20_000,
            catalogs_per_target: 32,
            overlays_per_target: 256,
            processes: 32,
            tombstones: 100_000,
            connect: Duration::from_secs(5),
            list: Duration::from_secs(5),
            call: Duration::from_secs(5 * 60),
            progress: Duration::from_secs(60 * 60),
            start: Duration::from_secs(120),
            orphan_call: Duration::from_secs(5 * 60),
            parked_call: Duration::from_secs(10 * 60),
            process_idle: Duration::from_secs(10 * 60),
            session_idle: Duration::from_secs(30 * 60),
            session_absolute: Duration::from_secs(24 * 60 * 60),
            refresh: Duration::from_secs(10 * 60),
        }
    }
}

impl Limits {
    /// The limits with their defaults for those that are zero and let nothing through, and the
    /// names of these. Where zero means to keep nothing, or not to wait, it stays.
    pub fn usable(&self) -> (Self, Vec<&'static str>) {
        let (mut limits, default) = (self.clone(), Self::default());
        let mut replaced = Vec::new();
        let sizes = [
            ("requestBody", &mut limits.request_body, default.request_body),
            ("rewrittenAnswer", &mut limits.rewritten_answer, default.rewritten_answer),
            ("sseEvent", &mut limits.sse_event, default.sse_event),
            ("stdioLine", &mut limits.stdio_line, default.stdio_line),
            ("batch", &mut limits.batch, default.batch),
            ("batchConcurrency", &mut limits.batch_concurrency, default.batch_concurrency),
            ("headerBlock", &mut limits.header_block, default.header_block),
            ("connections", &mut limits.connections, default.connections),
            ("sessions", &mut limits.sessions, default.sessions),
            ("streamsPerSession", &mut limits.streams_per_session, default.streams_per_session),
            ("pagesPerDrain", &mut limits.pages_per_drain, default.pages_per_drain),
            ("toolsPerTarget", &mut limits.tools_per_target, default.tools_per_target),
            ("catalogsPerTarget", &mut limits.catalogs_per_target, default.catalogs_per_target),
        ];
        for (name, size, default) in sizes {
            replace(name, size, default, &mut replaced);
        }
        replace("http2Streams", &mut limits.http2_streams, default.http2_streams, &mut replaced);
        replace("processes", &mut limits.processes, default.processes, &mut replaced);
        let times = [
            ("connect", &mut limits.connect, default.connect),
            ("list", &mut limits.list, default.list),
            ("call", &mut limits.call, default.call),
            ("progress", &mut limits.progress, default.progress),
            ("start", &mut limits.start, default.start),
            ("sessionIdle", &mut limits.session_idle, default.session_idle),
            ("sessionAbsolute", &mut limits.session_absolute, default.session_absolute),
            ("refresh", &mut limits.refresh, default.refresh),
        ];
        for (name, time, default) in times {
            replace(name, time, default, &mut replaced);
        }
        (limits, replaced)
    }
}

/// Puts `default` in the place of a zero.
fn replace<T: Default + PartialEq>(
    name: &'static str,
    value: &mut T,
    default: T,
    replaced: &mut Vec<&'static str>,
) {
    if *value == T::default() {
        *value = default;
        replaced.push(name);
    }
}

/// Deadlines of one target. What is unset is as in [`Limits`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Timeouts {
    /// The time to connect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect: Option<Duration>,
    /// The time a page of a list may take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub list: Option<Duration>,
    /// The time a call may take without progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub call: Option<Duration>,
    /// The time a call may take while it reports progress.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<Duration>,
    /// The time a program may take from its start to its first answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start: Option<Duration>,
}
