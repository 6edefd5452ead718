//! Targets: names checked, variables resolved, addresses and headers parsed.

mod address;
mod headers;

use std::collections::HashMap;
use std::sync::Arc;

use mcp::TargetName;

pub(super) use address::parse_url;
pub(super) use headers::is_own as is_own_header;

use super::Variables;
use super::credential::credentials;
use super::report::Report;
use super::upstream_tls::{Checked, Ids};
use crate::document::{self, Close, Document, Limits, Process};
use crate::secret::Secrets;
use crate::snapshot::{
    ProcessAddress, Target, TargetAddress, TargetKey, TargetSettings, Timeouts, UpstreamTls,
};

/// The targets of a document by name: `None` for those that have been reported and left out.
pub(super) type Targets<'a> = HashMap<&'a str, Option<Arc<Target>>>;

/// What one target is compiled with.
pub(super) struct Scope<'a, 'o> {
    pub(super) path: &'a str,
    /// The backend that has this target to itself; empty for a target of the document.
    pub(super) owner: &'a str,
    pub(super) variables: &'a Variables,
    pub(super) secrets: &'a Secrets,
    pub(super) report: &'a mut Report<'o>,
}

pub(super) fn targets<'a>(
    document: &'a Document,
    variables: &Variables,
    report: &mut Report<'_>,
) -> Targets<'a> {
    let mut targets = Targets::new();
    for (index, written) in document.targets.iter().enumerate() {
        let path = format!("targets[{index}]");
        if targets.contains_key(written.name.as_str()) {
            let message = format!("`{}` is already defined; this one is left out", written.name);
            report.error("name.repeated", &path, message);
            continue;
        }
        let mut scope =
            Scope { path: &path, owner: "", variables, secrets: &document.secrets, report };
        let target = target(written, &document.limits, &mut scope).map(Arc::new);
        targets.insert(&written.name, target);
    }
    targets
}

/// One target; none if it has no usable name.
pub(super) fn target(
    written: &document::Target,
    limits: &Limits,
    scope: &mut Scope<'_, '_>,
) -> Option<Target> {
    let name = match TargetName::new(&written.name) {
        Ok(name) => name,
        Err(error) => {
            let path = scope.at("name");
            scope.report.error("target.name", &path, error.to_string());
            return None;
        }
    };
    let key = key(written, scope.owner);
    if let Some(close) = &written.close {
        return Some(closed(name, key, limits, close.clone()));
    }
    let address = address::address(written, scope);
    let settings = settings(written, limits, scope);
    Some(match (address, settings) {
        (Ok(address), Ok(settings)) => Target { name, key, address, settings, closed: None },
        (Err(close), _) | (_, Err(close)) => closed(name, key, limits, close),
    })
}

impl Scope<'_, '_> {
    pub(super) fn at(&self, field: &str) -> String {
        format!("{}.{field}", self.path)
    }

    /// Reports what closes the target.
    fn close(&mut self, id: &'static str, field: &str, message: impl Into<String>) -> Close {
        let path = self.at(field);
        self.report.close(id, &path, message)
    }

    /// A value with its variables resolved.
    fn resolve(&mut self, field: &str, value: &str) -> Result<String, Close> {
        super::variables::resolve(value, self.variables)
            .map_err(|error| self.close(error.id(), field, error.to_string()))
    }
}

fn settings(
    written: &document::Target,
    limits: &Limits,
    scope: &mut Scope<'_, '_>,
) -> Result<TargetSettings, Close> {
    let headers = headers::headers(written, scope);
    let forward_headers = headers::forward_headers(written, scope);
    let is_https = written.url.as_ref().is_some_and(|url| !url.starts_with("http://"));
    let path = scope.at("tls");
    let ids = Ids { tls: "target.tls", insecure: "target.insecure" };
    let mut checked =
        Checked { path: &path, ids, secrets: scope.secrets, report: &mut *scope.report };
    let tls = checked.tls(written.tls.as_ref(), is_https);
    let mut headers = headers?;
    let path = scope.at("credentials");
    credentials(&written.credentials, scope.secrets, &mut headers, &path, scope.report)?;
    Ok(TargetSettings {
        headers,
        forward_headers,
        tls: tls?,
        process: written.process.unwrap_or_default(),
        max_processes: max_processes(written, limits, scope),
        timeouts: timeouts(&written.timeouts, limits, scope),
    })
}

fn max_processes(written: &document::Target, limits: &Limits, scope: &mut Scope<'_, '_>) -> u32 {
    if written.max_processes == Some(0) {
        let path = scope.at("maxProcesses");
        scope.report.error("target.maxProcesses", &path, "this has to be at least 1");
        return limits.processes;
    }
    written.max_processes.unwrap_or(limits.processes)
}

fn timeouts(written: &document::Timeouts, limits: &Limits, scope: &mut Scope<'_, '_>) -> Timeouts {
    let mut time = |name: &str, own: Option<crate::Duration>, limit: crate::Duration| {
        if own == Some(crate::Duration::ZERO) {
            let path = scope.at(&format!("timeouts.{name}"));
            let message = format!("no time at all; {limit} is used");
            scope.report.error("target.timeout", &path, message);
            return limit.get();
        }
        own.unwrap_or(limit).get()
    };
    let call = time("call", written.call, limits.call);
    let progress = time("progress", written.progress, limits.progress);
    Timeouts {
        connect: time("connect", written.connect, limits.connect),
        list: time("list", written.list, limits.list),
        call,
        // Whoever gives calls more time than progress did not mean to take it back.
        progress: progress.max(call),
        start: time("start", written.start, limits.start),
    }
}

/// A target that is known, and that nothing is sent to.
fn closed(name: TargetName, key: TargetKey, limits: &Limits, close: Close) -> Target {
    let address = TargetAddress::Process(ProcessAddress {
        command: String::new(),
        args: Vec::new(),
        env: Vec::new(),
        cwd: None,
    });
    let settings = TargetSettings {
        headers: Vec::new(),
        forward_headers: Vec::new(),
        tls: UpstreamTls::default(),
        process: Process::default(),
        max_processes: limits.processes,
        timeouts: Timeouts {
            connect: limits.connect.get(),
            list: limits.list.get(),
            call: limits.call.get(),
            progress: limits.progress.get(),
            start: limits.start.get(),
        },
    };
    Target { name, key, address, settings, closed: Some(close) }
}

/// The same for two targets if they are the same upstream. Name and owner are part of it: two
/// targets of one URL may differ in nothing but the credential, which is no part of it.
fn key(written: &document::Target, owner: &str) -> TargetKey {
    let transport = match (&written.url, written.transport) {
        (None, _) => "stdio",
        (Some(_), None) => "http",
        (Some(_), Some(document::Transport::Streamable)) => "streamable",
        (Some(_), Some(document::Transport::Sse)) => "sse",
    };
    let place = written.url.as_ref().or(written.command.as_ref()).map_or("", String::as_str);
    // What follows a `?` or stands before an `@` may be a secret.
    let shown = place.split(['?', '#']).next().unwrap_or_default();
    let shown = match shown.split_once("://") {
        Some((scheme, rest)) => {
            let host = rest.split('/').next().unwrap_or_default();
            let host = host.rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}")
        }
        None => shown.to_owned(),
    };
    let mut hidden = vec![written.name.clone(), place.to_owned()];
    hidden.extend(written.args.iter().map(|arg| format!("arg {arg}")));
    hidden.extend(written.env.iter().map(|(name, value)| format!("env {name}={value}")));
    hidden.extend(written.cwd.iter().map(|cwd| format!("cwd {}", cwd.display())));
    let credentials = written.headers.keys().filter(|name| headers::is_credential(name));
    let given = written.credentials.iter().map(|credential| &credential.header);
    let names = credentials.chain(given).map(|name| name.to_lowercase());
    hidden.extend(names.map(|name| format!("credential {name}")));
    let shown = format!("{transport} {shown}").into();
    TargetKey { shown, owner: owner.into(), hidden: hidden.into() }
}
