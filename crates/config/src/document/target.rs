//! A real MCP server, as it is written.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::credential::Credential;
use super::limits::Timeouts;
use super::route::Close;
use super::{is_default, is_false};

/// A real MCP server: an address or a command, and how to treat it.
///
/// Values of `url`, `args`, `env`, `cwd` and `headers` may hold `${VAR}`, `${env:VAR}` and
/// `${VAR:-default}`, from the gateway's environment; `$${` is a literal `${`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Target {
    /// What backends call it, and the prefix of its tools: lower case letters, digits, `-`, `.`.
    pub name: String,
    /// Where it is reached over HTTP. Exactly one of `url` and `command`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The program that is run and spoken to over its standard input and output.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The program's arguments.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    /// Variables added to the program's environment.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The folder the program runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cwd: Option<PathBuf>,
    /// How a `url` is spoken to. Unset: `streamable`, and `sse` where the target refuses that with
    /// 400, 404 or 405, as servers of 2024-11-05 do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// Headers sent to it with every request.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What it is shown of secrets that come beside the document, in headers.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
    /// Client headers that are passed on. Credentials, connection and MCP headers never are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forward_headers: Vec<String>,
    /// A key of the document's `endpoints`: connect there, instead of resolving the url's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<String>,
    /// How its certificate is checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<TargetTls>,
    /// Whether sessions share its process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// How many processes of it may run at once for clients; a quarter as many, one at least and for a
    /// moment twice that,
    /// may run besides to read its lists. Unset: `limits.processes`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_processes: Option<u32>,
    /// Deadlines of its own.
    #[serde(skip_serializing_if = "is_default")]
    pub timeouts: Timeouts,
    /// Keeps it shut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub close: Option<Close>,
    /// Features that whoever serves this has to know; where one is not known, it is kept shut. A
    /// controller writes them for proxies that are older than itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub requires: Vec<String>,
}

/// How a `url` is spoken to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Transport {
    /// Streamable HTTP (2025-03-26 and later).
    #[default]
    Streamable,
    /// HTTP+SSE (2024-11-05).
    Sse,
}

/// Whether sessions share a target's process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Process {
    /// A process per client session.
    #[default]
    Session,
    /// One for all.
    Shared,
}

/// How a server's certificate is checked, and what it is shown. An unknown field in here closes the
/// server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TargetTls {
    /// A file with the certificates that are trusted, in PEM. Unset: the system's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca: Option<PathBuf>,
    /// The key of a secret that comes beside the document, whose `ca.crt` holds the certificates that are
    /// trusted. Not together with `ca`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_secret: Option<String>,
    /// The name that is asked for, and that its certificate has to be for. Unset: the url's host.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
    /// Names one of which its certificate has to be for, instead of `serverName`: DNS names and IP
    /// addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subject_alt_names: Vec<String>,
    /// The key of a secret that comes beside the document, with what the gateway proves itself with:
    /// `tls.crt` and `tls.key`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// Takes a certificate that is trusted for any name. For tests only.
    #[serde(skip_serializing_if = "is_false")]
    pub insecure_skip_name: bool,
    /// Takes any certificate. For tests only.
    #[serde(skip_serializing_if = "is_false")]
    pub insecure_skip_verify: bool,
}
