//! What may differ between a transcript of a client and a server and one with the gateway between them.

use testkit::PlayerKind;

/// A server that others wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Server {
    /// npm `@modelcontextprotocol/server-everything`.
    Everything,
    /// `tests/peers/mcp/server.py` on the Python SDK.
    Python,
}

/// Who speaks to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speaker {
    /// A client that does one step after the other.
    Player(PlayerKind),
    /// The Inspector's command line, a session for each step.
    Inspector,
}

/// Who speaks with whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    pub(crate) client: Speaker,
    pub(crate) server: Server,
}

/// Where something was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Between the client and the gateway.
    Client,
    /// Between the gateway and the server.
    Server,
}

impl Server {
    /// What it tells as often as it happens to, so that no two conversations have it alike.
    pub(crate) fn by_chance(self) -> &'static [&'static str] {
        match self {
            // It registers tools once the client is there, and says so for each: those that it registers before the
            // client listens are told to nobody, and what comes at once the gateway tells once.
            Self::Everything => &["notifications/tools/list_changed"],
            Self::Python => &[],
        }
    }
}

/// Lines that are lost or found between these clients and these servers. In a pattern, `*` stands for anything.
pub(crate) struct Exception {
    pub(crate) side: Side,
    pub(crate) clients: &'static [Speaker],
    pub(crate) servers: &'static [Server],
    pub(crate) lines: &'static [&'static str],
    /// Why that is right.
    pub(crate) reason: &'static str,
}

const TYPESCRIPT: Speaker = Speaker::Player(PlayerKind::TypeScript);
const TYPESCRIPT_OVER_SSE: Speaker = Speaker::Player(PlayerKind::TypeScriptOverSse);
const MCP_REMOTE: Speaker = Speaker::Player(PlayerKind::McpRemote);
const PYTHON: Speaker = Speaker::Player(PlayerKind::Python);
const PYTHON_OVER_SSE: Speaker = Speaker::Player(PlayerKind::PythonOverSse);
const RMCP: Speaker = Speaker::Player(PlayerKind::Rmcp);

const ALL_CLIENTS: &[Speaker] = &[
    TYPESCRIPT,
    TYPESCRIPT_OVER_SSE,
    MCP_REMOTE,
    Speaker::Inspector,
    PYTHON,
    PYTHON_OVER_SSE,
    RMCP,
];
/// Those that do everything.
const PLAYERS: &[Speaker] =
    &[TYPESCRIPT, TYPESCRIPT_OVER_SSE, MCP_REMOTE, PYTHON, PYTHON_OVER_SSE, RMCP];
const STREAMABLE_PLAYERS: &[Speaker] = &[TYPESCRIPT, MCP_REMOTE, PYTHON, RMCP];
/// Those over streamable HTTP.
const STREAMABLE: &[Speaker] = &[TYPESCRIPT, MCP_REMOTE, Speaker::Inspector, PYTHON, RMCP];
const OVER_SSE: &[Speaker] = &[TYPESCRIPT_OVER_SSE, PYTHON_OVER_SSE];
const ON_NODE: &[Speaker] = &[TYPESCRIPT, TYPESCRIPT_OVER_SSE, MCP_REMOTE, Speaker::Inspector];
/// They end their session with a word.
const LEAVING: &[Speaker] = &[TYPESCRIPT, PYTHON, RMCP];
/// They put `application/json` first in `Accept`.
const PREFER_JSON: &[Speaker] = &[TYPESCRIPT, MCP_REMOTE, Speaker::Inspector, PYTHON];
const ALL_SERVERS: &[Server] = &[Server::Everything, Server::Python];

pub(crate) const EXCEPTIONS: &[Exception] = &[
    Exception {
        side: Side::Client,
        clients: ALL_CLIENTS,
        servers: &[Server::Everything],
        lines: &["* < x-powered-by: *", "* < access-control-*"],
        reason: "which framework a server has is nobody's concern, and which pages may read an answer is the gateway's",
    },
    Exception {
        side: Side::Client,
        clients: ALL_CLIENTS,
        servers: &[Server::Python],
        lines: &["* < server: uvicorn"],
        reason: "which framework a server has is nobody's concern",
    },
    Exception {
        side: Side::Client,
        clients: STREAMABLE,
        servers: ALL_SERVERS,
        lines: &["* < mcp-session-id: a session"],
        reason: "the answer to `initialize` says which session it is, and no other has to",
    },
    Exception {
        side: Side::Client,
        clients: STREAMABLE,
        servers: &[Server::Python],
        lines: &["notifications/* < content-type: application/json"],
        reason: "what has no body has no type",
    },
    Exception {
        side: Side::Client,
        clients: STREAMABLE_PLAYERS,
        servers: &[Server::Python],
        lines: &["answer to * < content-type: application/json"],
        reason: "what has no body has no type",
    },
    Exception {
        side: Side::Client,
        clients: LEAVING,
        servers: &[Server::Python],
        lines: &["DELETE 1 < content-type: application/json"],
        reason: "what has no body has no type",
    },
    Exception {
        side: Side::Client,
        clients: LEAVING,
        servers: ALL_SERVERS,
        lines: &["DELETE 1 < 200", "DELETE 1 < 204"],
        reason: "the specification names no status; 204 says that there is no body",
    },
    Exception {
        side: Side::Client,
        clients: PREFER_JSON,
        servers: ALL_SERVERS,
        lines: &[
            "* < content-type: text/event-stream",
            "* < content-type: application/json",
            "* < cache-control: no-cache, no-transform",
            "* < x-accel-buffering: no",
        ],
        reason: "an answer that is one message is JSON for clients that prefer it",
    },
    Exception {
        side: Side::Client,
        clients: STREAMABLE_PLAYERS,
        servers: &[Server::Everything],
        lines: &["* < an id and no message", "* <1 with an id", "* <1 with no id"],
        reason: "what is JSON, or comes from the menu, is not read on: whoever lost it asks again",
    },
    Exception {
        side: Side::Client,
        clients: STREAMABLE_PLAYERS,
        servers: &[Server::Python],
        lines: &["* < an id and no message", "* <* with an id", "* <* with no id"],
        reason: "the streams of the gateway can be read on, those of this server cannot",
    },
    Exception {
        side: Side::Client,
        clients: STREAMABLE_PLAYERS,
        servers: ALL_SERVERS,
        lines: &["* < retry: 1000"],
        reason: "a stream that can be read on says when to come back",
    },
    Exception {
        side: Side::Client,
        clients: OVER_SSE,
        servers: &[Server::Everything],
        lines: &["GET 1 < x-accel-buffering: no"],
        reason: "a proxy on the way is told to pass every event on at once",
    },
    Exception {
        side: Side::Client,
        clients: OVER_SSE,
        servers: &[Server::Python],
        lines: &[
            "GET 1 < cache-control: no-store",
            "GET 1 < cache-control: no-cache, no-transform",
            "GET 1 < content-type: text/event-stream; charset=utf-8",
            "GET 1 < content-type: text/event-stream",
        ],
        reason: "events are UTF-8 by their definition, and either word keeps them out of caches",
    },
    Exception {
        side: Side::Server,
        clients: ALL_CLIENTS,
        servers: ALL_SERVERS,
        lines: &["* > user-agent: *", "* > accept-encoding: *", "* > accept: *"],
        reason: "who asks, and what it can read, is said for each hop",
    },
    Exception {
        side: Side::Server,
        clients: ON_NODE,
        servers: ALL_SERVERS,
        lines: &["* > accept-language: *", "* > sec-fetch-mode: cors"],
        reason: "what Node's `fetch` says of itself",
    },
    Exception {
        side: Side::Server,
        clients: &[PYTHON, PYTHON_OVER_SSE],
        servers: ALL_SERVERS,
        lines: &["GET 1 > cache-control: no-store"],
        reason: "caches on the way to the gateway are no concern of those behind it",
    },
    Exception {
        side: Side::Server,
        clients: &[PYTHON],
        servers: ALL_SERVERS,
        lines: &[
            "GET 1 > content-type: application/json",
            "DELETE 1 > content-type: application/json",
        ],
        reason: "what has no body has no type",
    },
    Exception {
        side: Side::Server,
        clients: ALL_CLIENTS,
        servers: ALL_SERVERS,
        lines: &["tools/list *"],
        reason: "lists are answered from the menu",
    },
    Exception {
        side: Side::Server,
        clients: PLAYERS,
        servers: ALL_SERVERS,
        lines: &["resources/list *", "resources/templates/list *", "prompts/list *"],
        reason: "lists are answered from the menu",
    },
    Exception {
        side: Side::Server,
        clients: PLAYERS,
        servers: ALL_SERVERS,
        lines: &["ping *"],
        reason: "pings are answered on each hop",
    },
    Exception {
        side: Side::Server,
        clients: OVER_SSE,
        servers: ALL_SERVERS,
        lines: &["GET 1 < answer to */list *"],
        reason: "lists are answered from the menu",
    },
    Exception {
        side: Side::Server,
        clients: OVER_SSE,
        servers: ALL_SERVERS,
        lines: &["GET 1 < answer to ping *"],
        reason: "pings are answered on each hop",
    },
    Exception {
        side: Side::Server,
        clients: &[TYPESCRIPT_OVER_SSE],
        servers: ALL_SERVERS,
        lines: &["* > mcp-protocol-version: 2025-11-25"],
        reason: "it is a header of streamable HTTP; HTTP+SSE is as it was in 2024-11-05",
    },
    Exception {
        side: Side::Server,
        clients: &[TYPESCRIPT_OVER_SSE],
        servers: ALL_SERVERS,
        lines: &["GET 1 > cache-control: no-cache", "GET 1 > pragma: no-cache"],
        reason: "caches on the way to the gateway are no concern of those behind it",
    },
    Exception {
        side: Side::Server,
        clients: &[MCP_REMOTE],
        servers: ALL_SERVERS,
        lines: &["* > mcp-method: *", "* > mcp-name: *"],
        reason: "they are headers of 2026-07-28, and this session is older",
    },
];
