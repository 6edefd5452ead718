//! How each target stands, as `/targets` shows it.

use std::time::SystemTime;

use serde::{Serialize, Serializer};

use crate::clock::rfc3339;

/// How a target stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TargetState {
    /// Nothing is known of it yet.
    Starting,
    /// Its catalog is fresh.
    Up,
    /// It does not answer; its last known catalog is served.
    Stale,
    /// It does not answer and never has.
    Down,
    /// The configuration keeps it shut.
    Closed,
}

/// One target of one backend.
#[derive(Debug, Clone, Serialize)]
pub struct TargetStatus {
    /// The backend's name.
    pub backend: String,
    /// The target's name.
    pub target: String,
    /// How it stands.
    pub state: TargetState,
    /// The revision that was agreed on with it.
    #[serde(serialize_with = "revision", skip_serializing_if = "Option::is_none")]
    pub revision: Option<mcp::Revision>,
    /// Tools in its last known catalog.
    pub tools: usize,
    /// The class of its last error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<&'static str>,
    /// When it came into this state.
    #[serde(serialize_with = "timestamp")]
    pub since: SystemTime,
}

fn revision<S: Serializer>(
    revision: &Option<mcp::Revision>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match revision {
        Some(revision) => serializer.serialize_str(revision.as_str()),
        None => serializer.serialize_none(),
    }
}

fn timestamp<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&rfc3339(*time))
}
