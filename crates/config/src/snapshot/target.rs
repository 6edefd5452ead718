//! Backends and targets as they are executed.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, Uri};
use mcp::TargetName;

use super::upstream_tls::UpstreamTls;
use crate::document::{Close, ElicitationLabel, FailureMode, PrefixMode, Process, Transport};
use crate::secret::Secret;

/// The MCP server a client sees.
#[derive(Debug, Clone, PartialEq)]
pub struct Backend {
    /// Its name.
    pub name: Arc<str>,
    /// Its targets, each name once, in the order of lists. Closed ones are among them.
    pub targets: Vec<Arc<Target>>,
    /// When names carry the target's name in front.
    pub prefix_mode: PrefixMode,
    /// What a target that cannot be listed does to the rest.
    pub failure_mode: Option<FailureMode>,
    /// What stands in front of an elicitation's message, where there are several targets.
    pub elicitation_label: ElicitationLabel,
    /// Why it is shut: its requests get 503 with this.
    pub closed: Option<Close>,
}

/// A real MCP server.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its name.
    pub name: TargetName,
    /// What makes it the same upstream across reloads.
    pub key: TargetKey,
    /// Where it is. Meaningless, and never to be used, while `closed` is set.
    pub address: TargetAddress,
    /// How to treat it; may change while the upstream lives.
    pub settings: TargetSettings,
    /// Why it is shut: nothing is sent to it, and calls to it fail with this.
    pub closed: Option<Close>,
}

/// What makes two configured targets the same upstream: the name, the transport, the URL as written
/// or the command with its arguments, environment and folder, and which headers say who asks. Other
/// headers, the values of all, deadlines, TLS and endpoints are no part of it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TargetKey {
    pub(crate) shown: Arc<str>,
    pub(crate) owner: Arc<str>,
    pub(crate) hidden: Arc<[String]>,
}

/// Where a target is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TargetAddress {
    /// At a URL.
    Http(HttpAddress),
    /// In a process of ours.
    Process(ProcessAddress),
}

/// A target at a URL.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpAddress {
    /// An absolute `http` or `https` URL without user information.
    pub url: Uri,
    /// How it is spoken to; `None` where that has to be found out.
    pub transport: Option<Transport>,
    /// A key of [`Snapshot::endpoints`](super::Snapshot::endpoints): connect there.
    pub endpoints: Option<String>,
}

/// A target in a process of ours.
#[derive(Clone, PartialEq, Eq)]
pub struct ProcessAddress {
    /// The program.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Variables added to its environment.
    pub env: Vec<(String, Secret)>,
    /// The folder it runs in.
    pub cwd: Option<PathBuf>,
}

/// How to treat a target.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetSettings {
    /// Headers sent with every request.
    pub headers: Vec<(HeaderName, Secret)>,
    /// Client headers that are passed on.
    pub forward_headers: Vec<HeaderName>,
    /// How its certificate is checked, and what it is shown.
    pub tls: UpstreamTls,
    /// Whether sessions share its process.
    pub process: Process,
    /// How many processes of it may run at once.
    pub max_processes: u32,
    /// Its deadlines.
    pub timeouts: Timeouts,
}

/// The deadlines of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// The time to connect.
    pub connect: Duration,
    /// The time a page of a list may take.
    pub list: Duration,
    /// The time a call may take without progress.
    pub call: Duration,
    /// The time a call may take while it reports progress.
    pub progress: Duration,
    /// The time a program may take from its start to its first answer.
    pub start: Duration,
}

impl TargetKey {
    /// The backend that has the target to itself; empty for a target of the document.
    pub fn owner(&self) -> &str {
        &self.owner
    }
}

impl fmt::Debug for TargetKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

impl fmt::Display for TargetKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.shown)
    }
}

/// Paths and queries of URLs may be secrets too, and are not shown.
impl fmt::Debug for HttpAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.url.scheme_str().unwrap_or_default();
        let authority = self.url.authority().map(|authority| authority.as_str());
        write!(formatter, "{scheme}://{}", authority.unwrap_or_default())?;
        match self.transport {
            Some(transport) => write!(formatter, " ({transport:?})"),
            None => Ok(()),
        }
    }
}

/// Arguments may be secrets too, and are not shown.
impl fmt::Debug for ProcessAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} with {} arguments", self.command, self.args.len())
    }
}
