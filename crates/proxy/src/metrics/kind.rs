//! The closed sets that say what was asked and how it was answered.

use http::StatusCode;

/// What a client asked for, as far as the gateway could tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// Nothing was understood: no route, no body, not a message.
    Unread,
    /// An HTTP GET: an event stream.
    Stream,
    /// An HTTP DELETE: the end of a session.
    End,
    /// A request that no MCP is spoken in.
    Http,
    /// Several messages in one body.
    Batch,
    /// An answer to a request of a target.
    Answer,
    /// One request or notification.
    Message(mcp::Method),
}

impl RequestKind {
    /// How many kinds there are: the six without a method, and one for each method.
    pub(super) const COUNT: usize = 6 + mcp::Method::Other as usize + 1;

    /// A short name out of a closed set: a method of the protocol, `other`, or a word for the rest.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Stream => "GET",
            Self::End => "DELETE",
            Self::Http => "http",
            Self::Batch => "batch",
            Self::Answer => "answer",
            Self::Message(method) => method.name().unwrap_or("other"),
        }
    }

    pub(super) fn index(self) -> usize {
        match self {
            Self::Unread => 0,
            Self::Stream => 1,
            Self::End => 2,
            Self::Batch => 3,
            Self::Answer => 4,
            Self::Http => 5,
            Self::Message(method) => 6 + method as usize,
        }
    }
}

/// The first digit of an HTTP status, or that there was none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StatusClass {
    None,
    Success,
    Redirect,
    Client,
    Server,
}

impl StatusClass {
    pub(super) const ALL: [Self; 5] =
        [Self::None, Self::Success, Self::Redirect, Self::Client, Self::Server];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Success => "2xx",
            Self::Redirect => "3xx",
            Self::Client => "4xx",
            Self::Server => "5xx",
        }
    }
}

impl From<StatusCode> for StatusClass {
    fn from(status: StatusCode) -> Self {
        match status.as_u16() {
            ..300 => Self::Success,
            300..400 => Self::Redirect,
            400..500 => Self::Client,
            500.. => Self::Server,
        }
    }
}

/// What is asked of a target: the methods that do work, and all lists as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MethodClass {
    ToolCall,
    PromptGet,
    ResourceRead,
    Complete,
    List,
    Other,
}

impl MethodClass {
    pub(super) const ALL: [Self; 6] = [
        Self::ToolCall,
        Self::PromptGet,
        Self::ResourceRead,
        Self::Complete,
        Self::List,
        Self::Other,
    ];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::ToolCall => "tools/call",
            Self::PromptGet => "prompts/get",
            Self::ResourceRead => "resources/read",
            Self::Complete => "completion/complete",
            Self::List => "list",
            Self::Other => "other",
        }
    }
}

impl From<mcp::Method> for MethodClass {
    fn from(method: mcp::Method) -> Self {
        match method {
            mcp::Method::ToolsCall => Self::ToolCall,
            mcp::Method::PromptsGet => Self::PromptGet,
            mcp::Method::ResourcesRead => Self::ResourceRead,
            mcp::Method::CompletionComplete => Self::Complete,
            method if method.list().is_some() => Self::List,
            _ => Self::Other,
        }
    }
}
