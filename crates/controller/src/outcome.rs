//! How it went with what runs a Gateway.

/// How it went with the objects of a Gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// They are as they should be.
    Applied,
    /// One that is needed exists and is somebody else's.
    Foreign(String),
    /// The API server did not take one.
    Failed(String),
    /// The API server was not there, or has no time: nothing is known of it yet.
    Unheard(String),
    /// Another replica writes.
    NotLeading,
}
