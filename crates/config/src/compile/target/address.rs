//! Where a target is.

use std::path::PathBuf;

use http::Uri;

use super::Scope;
use crate::document::{Close, Target};
use crate::secret::Secret;
use crate::snapshot::{HttpAddress, ProcessAddress, TargetAddress};

pub(super) fn address(written: &Target, scope: &mut Scope<'_, '_>) -> Result<TargetAddress, Close> {
    match (&written.url, &written.command) {
        (Some(url), None) => http(written, url, scope).map(TargetAddress::Http),
        (None, Some(command)) => process(written, command, scope).map(TargetAddress::Process),
        (None, None) => {
            let message = "a target has a `url` or a `command`";
            Err(scope.report.close("target.address", scope.path, message))
        }
        (Some(_), Some(_)) => {
            let message = "a target has a `url` or a `command`, not both";
            Err(scope.report.close("target.address", scope.path, message))
        }
    }
}

fn http(written: &Target, url: &str, scope: &mut Scope<'_, '_>) -> Result<HttpAddress, Close> {
    let fields = [
        ("args", !written.args.is_empty()),
        ("env", !written.env.is_empty()),
        ("cwd", written.cwd.is_some()),
        ("process", written.process.is_some()),
        ("maxProcesses", written.max_processes.is_some()),
    ];
    without_meaning(&fields, "a `url`", scope);
    let url = scope.resolve("url", url)?;
    let url = parse_url(&url).map_err(|reason| scope.close("target.url", "url", reason))?;
    Ok(HttpAddress { url, transport: written.transport, endpoints: written.endpoints.clone() })
}

/// The message says nothing of the URL itself: it may hold a secret.
pub(in crate::compile) fn parse_url(text: &str) -> Result<Uri, &'static str> {
    let url: Uri = text.parse().map_err(|_| "this is not a url")?;
    if !matches!(url.scheme_str(), Some("http" | "https")) {
        return Err("a url begins with `http://` or `https://`");
    }
    let authority = url.authority().ok_or("a url names a host")?;
    if authority.as_str().contains('@') {
        return Err("a url holds no user name or password; put credentials into `headers`");
    }
    if authority.host().is_empty() {
        return Err("a url names a host");
    }
    let port = authority.as_str().rsplit_once(':').map(|(_, port)| port);
    let has_port = port.is_some_and(|port| !port.ends_with(']'));
    if has_port && matches!(authority.port_u16(), None | Some(0)) {
        return Err("the port of a url is from 1 to 65535");
    }
    Ok(url)
}

fn process(
    written: &Target,
    command: &str,
    scope: &mut Scope<'_, '_>,
) -> Result<ProcessAddress, Close> {
    let fields = [
        ("headers", !written.headers.is_empty()),
        ("forwardHeaders", !written.forward_headers.is_empty()),
        ("transport", written.transport.is_some()),
        ("endpoints", written.endpoints.is_some()),
    ];
    without_meaning(&fields, "a `command`", scope);
    let command = scope.resolve("command", command)?;
    if command.is_empty() {
        return Err(scope.close("target.address", "command", "the command is empty"));
    }
    let mut args = Vec::new();
    for (index, arg) in written.args.iter().enumerate() {
        args.push(scope.resolve(&format!("args[{index}]"), arg)?);
    }
    let mut env = Vec::new();
    for (name, value) in &written.env {
        let field = format!("env.{name}");
        if name.is_empty() || name.contains(['=', '\0']) {
            return Err(scope.close("target.env", &field, "this is not a variable's name"));
        }
        let value = scope.resolve(&field, value)?;
        env.push((name.clone(), Secret::new(value)));
    }
    let cwd = match &written.cwd {
        Some(cwd) => Some(PathBuf::from(scope.resolve("cwd", &cwd.to_string_lossy())?)),
        None => None,
    };
    let has_nul = args.iter().any(|arg| arg.contains('\0')) || command.contains('\0');
    if has_nul || env.iter().any(|(_, value)| value.expose().contains('\0')) {
        let message = "a program takes no NUL characters";
        return Err(scope.report.close("target.address", scope.path, message));
    }
    Ok(ProcessAddress { command, args, env, cwd })
}

/// Reports fields that mean nothing to a target of this kind.
fn without_meaning(fields: &[(&str, bool)], kind: &str, scope: &mut Scope<'_, '_>) {
    for (field, is_set) in fields {
        if *is_set {
            let path = scope.at(field);
            let message = format!("this means nothing to a target with {kind}");
            scope.report.warning("target.unusedField", &path, message);
        }
    }
}
