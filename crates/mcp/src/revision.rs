//! The dated revisions of the protocol. This is the only place where they are compared.

/// A dated MCP specification; answers every "does it …?".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are their dates")]
pub enum Revision {
    V2024_11_05,
    V2025_03_26,
    V2025_06_18,
    V2025_11_25,
    V2026_07_28,
}

impl Revision {
    /// The last one with `initialize` and sessions.
    pub const LATEST_LEGACY: Self = Self::V2025_11_25;

    /// All of them, oldest first.
    pub const ALL: [Self; 5] = [
        Self::V2024_11_05,
        Self::V2025_03_26,
        Self::V2025_06_18,
        Self::V2025_11_25,
        Self::V2026_07_28,
    ];

    /// What a request over streamable HTTP without `MCP-Protocol-Version` speaks
    /// (2025-06-18, transports).
    pub const ASSUMED: Self = Self::V2025_03_26;

    /// The revision of that date.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|revision| revision.as_str() == text)
    }

    /// Its date.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2024_11_05 => "2024-11-05",
            Self::V2025_03_26 => "2025-03-26",
            Self::V2025_06_18 => "2025-06-18",
            Self::V2025_11_25 => "2025-11-25",
            Self::V2026_07_28 => "2026-07-28",
        }
    }

    /// What `initialize` answers to a client that asks for `asked`: that legacy revision, else
    /// the latest legacy one. 2026-07-28 has no `initialize`, so asking for it there is an error
    /// of the client's that gets the latest legacy one too.
    pub fn negotiate(asked: &str) -> Self {
        Self::parse(asked).filter(|revision| revision.has_sessions()).unwrap_or(Self::LATEST_LEGACY)
    }

    /// Whether a client opens a session with `initialize` (SEP-2567 and SEP-2575 removed both).
    pub fn has_sessions(self) -> bool {
        self < Self::V2026_07_28
    }

    /// Whether several messages may come in one array (2025-06-18 removed it).
    pub fn allows_batches(self) -> bool {
        self == Self::V2025_03_26
    }

    /// Whether requests repeat their method and name in headers (SEP-2243).
    pub fn mirrors_headers(self) -> bool {
        self >= Self::V2026_07_28
    }

    /// Whether requests after `initialize` carry `MCP-Protocol-Version`.
    pub fn sends_version_header(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether content may be a `resource_link`; older clients refuse a whole result for one.
    pub fn has_resource_links(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether clients may be asked by `elicitation/create`.
    pub fn has_elicitation(self) -> bool {
        self >= Self::V2025_06_18
    }

    /// Whether elicitation may have `mode: url` (SEP-1036).
    pub fn has_url_elicitation(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Whether clients say if they take `tools` and `includeContext` in sampling (SEP-1577).
    pub fn has_sampling_details(self) -> bool {
        self >= Self::V2025_11_25
    }

    /// Whether there are tasks without an extension (SEP-1686; 2026-07-28 moved them to one).
    pub fn has_tasks(self) -> bool {
        self == Self::V2025_11_25
    }

    /// Whether clients say when their roots change.
    pub fn announces_roots(self) -> bool {
        self < Self::V2026_07_28
    }

    /// Whether events have ids by which a client reads on (2025-03-26 to 2025-11-25, transports).
    pub fn resumes_streams(self) -> bool {
        self >= Self::V2025_03_26 && self.has_sessions()
    }

    /// Whether a stream may begin with an event that has an id and no data (SEP-1699).
    pub fn primes_streams(self) -> bool {
        self == Self::V2025_11_25
    }
}

#[cfg(test)]
mod tests;
