//! One server as editors write it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::document::{Target, Transport};
use crate::guard::is_guard;
use crate::node::Unknown;

/// Whether a field guards something: a server with one is closed until it is built, for it would
/// be used without. Editors ask a program for headers, too.
pub(super) fn is_guard_of_server(unknown: &Unknown) -> bool {
    // Which tools a client runs without asking its user is the client's business, and stays there.
    let is_the_clients = unknown.field == "alwaysAllow";
    unknown.field == "headersHelper" || (is_guard(&unknown.field) && !is_the_clients)
}

/// One server, with the fields of all editors.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Server {
    #[serde(rename = "type")]
    kind: Option<String>,
    transport: Option<String>,
    command: Option<String>,
    args: Vec<String>,
    env: BTreeMap<String, String>,
    env_file: Option<String>,
    cwd: Option<PathBuf>,
    url: Option<String>,
    server_url: Option<String>,
    headers: BTreeMap<String, String>,
    pub(super) disabled: bool,
}

/// What is spoken, told by `type`, `transport` or what else is there.
enum Kind {
    Stdio,
    /// Without a transport, it has to be found out.
    Http(Option<Transport>),
}

impl Server {
    /// The target, still without its name.
    pub(super) fn target(self) -> Result<Target, &'static str> {
        if self.env_file.is_some() {
            return Err("`envFile` is not read; write the variables into `env` as `${VAR}`");
        }
        let url = match (self.url, self.server_url) {
            (Some(_), Some(_)) => return Err("a server has `url` or `serverUrl`, not both"),
            (url, server_url) => url.or(server_url),
        };
        let written = self.kind.as_deref().or(self.transport.as_deref());
        let target = Target {
            args: self.args,
            env: self.env,
            cwd: self.cwd,
            headers: self.headers,
            ..Target::default()
        };
        match (kind(written, url.as_deref())?, self.command, url) {
            (Kind::Stdio, Some(command), None) => Ok(Target { command: Some(command), ..target }),
            (Kind::Http(transport), None, Some(url)) => {
                Ok(Target { url: Some(url), transport, ..target })
            }
            (Kind::Stdio, None, None) => Err("a server has a `command` or a `url`"),
            (_, Some(_), Some(_)) => Err("a server has a `command` or a `url`, not both"),
            (Kind::Stdio, None, Some(_)) => Err("a server of type `stdio` has a `command`"),
            (Kind::Http(_), _, None) => Err("a server of this type has a `url`"),
        }
    }
}

fn kind(written: Option<&str>, url: Option<&str>) -> Result<Kind, &'static str> {
    match (written, url) {
        (Some("stdio"), _) | (None, None) => Ok(Kind::Stdio),
        (Some("sse"), _) => Ok(Kind::Http(Some(Transport::Sse))),
        // Editors that write `http` try both.
        (Some("http"), _) => Ok(Kind::Http(None)),
        (Some("streamable-http" | "streamableHttp" | "streamable_http"), _) => {
            Ok(Kind::Http(Some(Transport::Streamable)))
        }
        (Some(_), _) => Err("the type of a server is `stdio`, `http` or `sse`"),
        // This is what the old transport's servers are called everywhere.
        (None, Some(url)) if is_sse(url) => Ok(Kind::Http(Some(Transport::Sse))),
        (None, Some(_)) => Ok(Kind::Http(None)),
    }
}

fn is_sse(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/').ends_with("/sse")
}
