//! Work that was refused because a bound was reached, by bound.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::Counter;

/// A bound that refuses work when it is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Connections from clients.
    Connections,
    /// The size of a request's head.
    Head,
    /// The size of a request's body.
    Body,
    /// The size of an answer that must be rewritten.
    Answer,
    /// The size of one event or stdio line.
    Event,
    /// Messages in a batch.
    Batch,
    /// Sessions held in memory.
    Sessions,
    /// Streams of one session.
    Streams,
    /// What the event stores hold in all; whoever reads on too late is refused.
    EventStore,
    /// Sessions that are not to come back, and are remembered.
    Tombstones,
    /// Processes of one target.
    Processes,
    /// Pages of one list.
    Pages,
    /// Entries of one target.
    Entries,
    /// Catalogs of one target.
    Catalogs,
    /// Sessions that have lists of their own at one target.
    Overlays,
}

impl Limit {
    /// Every limit, in the order of declaration.
    pub const ALL: [Self; 15] = [
        Self::Connections,
        Self::Head,
        Self::Body,
        Self::Answer,
        Self::Event,
        Self::Batch,
        Self::Sessions,
        Self::Streams,
        Self::EventStore,
        Self::Tombstones,
        Self::Processes,
        Self::Pages,
        Self::Entries,
        Self::Catalogs,
        Self::Overlays,
    ];

    /// Its field in the document's `limits`.
    pub fn field(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Head => "headerBlock",
            Self::Body => "requestBody",
            Self::Answer => "rewrittenAnswer",
            Self::Event => "sseEvent",
            Self::Batch => "batch",
            Self::Sessions => "sessions",
            Self::Streams => "streamsPerSession",
            Self::EventStore => "eventStoreTotal",
            Self::Tombstones => "tombstones",
            Self::Processes => "processes",
            Self::Pages => "pagesPerDrain",
            Self::Entries => "toolsPerTarget",
            Self::Catalogs => "catalogsPerTarget",
            Self::Overlays => "overlaysPerTarget",
        }
    }

    /// Its name in the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::Head => "header_block",
            Self::Body => "request_body",
            Self::Answer => "rewritten_answer",
            Self::Event => "event",
            Self::Batch => "batch",
            Self::Sessions => "sessions",
            Self::Streams => "streams_per_session",
            Self::EventStore => "event_store",
            Self::Tombstones => "tombstones",
            Self::Processes => "processes",
            Self::Pages => "pages_per_drain",
            Self::Entries => "tools_per_target",
            Self::Catalogs => "catalogs_per_target",
            Self::Overlays => "overlays_per_target",
        }
    }
}

/// One counter per limit.
#[derive(Debug, Default)]
pub(super) struct Rejections([Counter; Limit::ALL.len()]);

impl Rejections {
    pub(super) fn count(&self, limit: Limit) {
        if let Some(counter) = self.0.get(limit as usize) {
            counter.inc();
        }
    }
}

impl Collector for Rejections {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let help = "Work that was refused because a limit was reached.";
        let mut metric =
            encoder.encode_descriptor("limit_rejections", help, None, MetricType::Counter)?;
        for (limit, counter) in Limit::ALL.iter().zip(&self.0) {
            counter.encode(metric.encode_family(&[("limit", limit.as_str())])?)?;
        }
        Ok(())
    }
}
