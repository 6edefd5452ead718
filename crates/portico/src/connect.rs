//! What to tell people after the start: where it listens, and how to point clients at it.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use config::Document;
use config::document::{Action, Listener, PathMatch, Protocol, Route};

/// The URL of each route that is open and has one, on the listener that was bound to `bound`; without
/// routes that of the endpoint that is there by default.
pub(crate) fn urls(document: &Document, configured: SocketAddr, bound: SocketAddr) -> Vec<String> {
    let all = document.listeners.iter().filter(|listener| listener.address == configured);
    let here: Vec<_> = all.filter(|listener| listener.close.is_none()).collect();
    let mut urls = Vec::new();
    let is_open = |route: &&Route| !matches!(route.action, Action::Close(_) | Action::Fail(_));
    for route in document.routes.iter().filter(is_open) {
        let is_its = |listener: &&&Listener| route.listeners.contains(&listener.name);
        let listener = match route.listeners.is_empty() {
            true => here.first(),
            false => here.iter().find(is_its),
        };
        if listener.is_none() && !(route.listeners.is_empty() && document.listeners.is_empty()) {
            continue;
        }
        let hostname = listener.and_then(|listener| listener.hostname.as_ref());
        let mut hosts = route.hostnames.iter().chain(hostname);
        let host = hosts.find(|host| !host.starts_with('*'));
        let host = host.map(String::as_str);
        let scheme = scheme(listener.copied());
        urls.extend(paths(route).map(|path| url(scheme, host, bound, path)));
    }
    if document.routes.is_empty() {
        urls.push(url(scheme(here.first().copied()), None, bound, "/mcp"));
    }
    let mut seen = BTreeSet::new();
    // A path with and without its last slash is one to whoever connects.
    urls.retain(|url| seen.insert(url.trim_end_matches('/').to_owned()));
    urls
}

/// How to connect the clients that most people have.
pub(crate) fn instructions(url: &str) -> String {
    format!(
        r#"
Portico is ready: one MCP endpoint for all targets at

    {url}

Claude Code
    claude mcp add --transport http portico {url}

Cursor, in ~/.cursor/mcp.json
    {{"mcpServers":{{"portico":{{"url":"{url}"}}}}}}

VS Code
    code --add-mcp '{{"name":"portico","type":"http","url":"{url}"}}'

MCP Inspector
    npx @modelcontextprotocol/inspector --cli {url} --method tools/list

Stop with Ctrl-C.
"#
    )
}

fn paths(route: &Route) -> impl Iterator<Item = &str> {
    let all = route.matches.is_empty().then_some("/");
    let written = route.matches.iter().filter_map(|one| match &one.path {
        Some(PathMatch::Exact(path) | PathMatch::Prefix(path)) => Some(path.as_str()),
        Some(PathMatch::Regex(_)) => None,
        None => Some("/"),
    });
    all.into_iter().chain(written)
}

fn scheme(listener: Option<&Listener>) -> &'static str {
    match listener.map(|listener| listener.protocol) {
        Some(Protocol::Https) => "https",
        Some(Protocol::Http) | None => "http",
    }
}

fn url(scheme: &str, host: Option<&str>, bound: SocketAddr, path: &str) -> String {
    let authority = match host {
        Some(host) => format!("{host}:{}", bound.port()),
        None => reachable(bound).to_string(),
    };
    format!("{scheme}://{authority}{path}")
}

/// An address to connect to: "every address" is none.
fn reachable(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

#[cfg(test)]
mod tests;
