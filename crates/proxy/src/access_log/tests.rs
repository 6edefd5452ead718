//! Lines as they are written, and that each is written exactly once.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body::{Body, Frame, SizeHint};
use http_body_util::{BodyExt, Full};

use crate::access_log::{AccessLog, Ending, Format, Output, Record, RecordedBody, TellsEnding};
use crate::clock::{Clock, ManualClock};
use crate::metrics::{Metrics, RequestKind};
use crate::tasks::Tasks;

struct Harness {
    metrics: Arc<Metrics>,
    access_log: AccessLog,
    clock: Clock,
    manual: ManualClock,
    file: tempfile::NamedTempFile,
}

impl Harness {
    async fn new(format: Format) -> Self {
        let file = tempfile::NamedTempFile::new().unwrap();
        let metrics = Metrics::new(&Tasks::new());
        let output = Output::File(file.path().to_owned());
        let access_log = AccessLog::start(output, format, &metrics).await.unwrap();
        let (clock, manual) = Clock::manual();
        Self { metrics, access_log, clock, manual, file }
    }

    fn record(&self) -> Record {
        let remote = SocketAddr::from(([127, 0, 0, 1], 5000));
        Record::new(&self.access_log, &self.clock, remote)
    }

    async fn lines(self) -> String {
        self.access_log.close().await;
        std::fs::read_to_string(self.file.path()).unwrap()
    }
}

/// What a record that was used like this says in the log.
async fn check(format: Format, act: impl AsyncFnOnce(&Harness), expected: &str) {
    let harness = Harness::new(format).await;
    act(&harness).await;
    assert_eq!(harness.lines().await, expected);
}

fn call(harness: &Harness) -> Record {
    let mut record = harness.record();
    record.route(&harness.metrics.route("all"));
    record.request(RequestKind::Message(mcp::Method::ToolsCall));
    record.target(&harness.metrics.target("all", "github"));
    record.tool("github_search");
    record
}

#[tokio::test]
async fn a_line_tells_what_was_asked_and_how_it_ended() {
    check(
        Format::Text,
        async |harness| {
            let mut record = call(harness);
            record.session("abcdefghijklmnopqrstuvwxyz");
            harness.manual.advance(Duration::from_micros(1500));
            record.head(StatusCode::OK);
            let body = RecordedBody::new(Whole::new("12345"), record);
            body.collect().await.unwrap();
        },
        "2027-01-15T08:00:00.000Z 127.0.0.1:5000 route=all method=tools/call target=github \
         tool=github_search status=200 duration_ms=1.500 bytes=5 ended=complete \
         session=abcdefghijkl\n",
    )
    .await;
}

#[tokio::test]
async fn the_same_line_as_json() {
    check(
        Format::Json,
        async |harness| {
            let mut record = call(harness);
            record.head(StatusCode::OK);
            record.error("timeout");
            record.end(Ending::TargetTimedOut);
        },
        "{\"time\":\"2027-01-15T08:00:00.000Z\",\"remote\":\"127.0.0.1:5000\",\"route\":\"all\",\
         \"method\":\"tools/call\",\"target\":\"github\",\"tool\":\"github_search\",\"status\":200,\
         \"duration_ms\":0.0,\"bytes\":0,\"ended\":\"target_timed_out\",\"error\":\"timeout\"}\n",
    )
    .await;
}

#[tokio::test]
async fn a_record_that_is_dropped_without_a_head_says_that_the_client_left() {
    check(
        Format::Text,
        async |harness| drop(harness.record()),
        "2027-01-15T08:00:00.000Z 127.0.0.1:5000 method=unread duration_ms=0.000 bytes=0 \
         ended=client_left_before_head\n",
    )
    .await;
}

#[tokio::test]
async fn a_body_that_is_dropped_half_way_says_that_the_client_left_in_mid_stream() {
    check(
        Format::Text,
        async |harness| {
            let mut record = harness.record();
            record.head(StatusCode::OK);
            let mut body = RecordedBody::new(chunks(&["ab", "cd"]), record);
            body.frame().await.unwrap().unwrap();
        },
        "2027-01-15T08:00:00.000Z 127.0.0.1:5000 method=unread status=200 duration_ms=0.000 \
         bytes=2 ended=client_left_mid_stream\n",
    )
    .await;
}

#[tokio::test]
async fn a_body_of_known_length_is_complete_when_its_last_byte_is_taken() {
    check(
        Format::Text,
        async |harness| {
            let mut record = harness.record();
            record.head(StatusCode::OK);
            let mut body = RecordedBody::new(Whole::new("ab"), record);
            body.frame().await.unwrap().unwrap();
        },
        "2027-01-15T08:00:00.000Z 127.0.0.1:5000 method=unread status=200 duration_ms=0.000 \
         bytes=2 ended=complete\n",
    )
    .await;
}

#[tokio::test]
async fn an_answer_that_tells_of_a_failure_ends_as_that_failure() {
    check(
        Format::Text,
        async |harness| {
            let mut record = harness.record();
            record.head(StatusCode::OK);
            record.ends_as(Ending::TargetFailed);
            RecordedBody::new(chunks(&["ab"]), record).collect().await.unwrap();
        },
        "2027-01-15T08:00:00.000Z 127.0.0.1:5000 method=unread status=200 duration_ms=0.000 \
         bytes=2 ended=target_failed\n",
    )
    .await;
}

#[tokio::test]
async fn what_a_client_wrote_cannot_break_a_line_or_fill_the_disk() {
    check(
        Format::Text,
        async |harness| {
            let mut record = harness.record();
            record.method_name("a\n\u{1b}[2Jb \"c\u{202e}");
            record.tool(&"x".repeat(1000));
            record.end(Ending::Refused);
        },
        &format!(
            "2027-01-15T08:00:00.000Z 127.0.0.1:5000 \
             method=\"a\\\\u{{a}}\\\\u{{1b}}[2Jb \\\"c\\\\u{{202e}}\" tool={}… duration_ms=0.000 \
             bytes=0 ended=refused\n",
            "x".repeat(128)
        ),
    )
    .await;
}

#[tokio::test]
async fn a_record_also_counts_in_the_metrics() {
    let harness = Harness::new(Format::Text).await;
    let (_route, _target) = (harness.metrics.route("all"), harness.metrics.target("all", "github"));
    let mut record = call(&harness);
    record.head(StatusCode::OK);
    record.end(Ending::Complete);
    let text = harness.metrics.encode();
    assert!(text.contains(r#"{route="all",method="tools/call",status="2xx"} 1"#), "{text}");
    assert!(text.contains("portico_target_call_duration_seconds_count"), "{text}");
}

#[tokio::test]
async fn lines_after_the_end_are_counted_as_lost() {
    let harness = Harness::new(Format::Text).await;
    harness.access_log.close().await;
    drop(harness.record());
    assert!(harness.metrics.encode().contains("portico_access_log_lost_lines_total 1"));
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_named() {
    let metrics = Metrics::new(&Tasks::new());
    let output = Output::File("/nowhere/access.log".into());
    let error = AccessLog::start(output, Format::Text, &metrics).await.unwrap_err();
    assert!(error.to_string().contains("`/nowhere/access.log`"), "{error}");
}

#[tokio::test]
async fn a_body_can_tell_how_it_ended() {
    check(
        Format::Text,
        async |harness| {
            let mut record = harness.record();
            record.head(StatusCode::OK);
            let mut body = chunks(&["ab"]);
            body.ending = Some(Ending::TargetTimedOut);
            RecordedBody::new(body, record).collect().await.unwrap();
        },
        "2027-01-15T08:00:00.000Z 127.0.0.1:5000 method=unread status=200 duration_ms=0.000 \
         bytes=2 ended=target_timed_out\n",
    )
    .await;
}

/// A body that says how long it is.
struct Whole(Full<Bytes>);

impl Whole {
    fn new(text: &'static str) -> Self {
        Self(Full::new(Bytes::from_static(text.as_bytes())))
    }
}

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

impl TellsEnding for Whole {
    fn ending(&self) -> Option<Ending> {
        None
    }
}

/// A body that does not say how long it is.
struct Chunks {
    chunks: VecDeque<Bytes>,
    ending: Option<Ending>,
}

fn chunks(texts: &[&'static str]) -> Chunks {
    let chunks = texts.iter().map(|text| Bytes::from_static(text.as_bytes())).collect();
    Chunks { chunks, ending: None }
}

impl Body for Chunks {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.chunks.pop_front().map(|chunk| Ok(Frame::data(chunk))))
    }
}

impl TellsEnding for Chunks {
    fn ending(&self) -> Option<Ending> {
        self.ending
    }
}
