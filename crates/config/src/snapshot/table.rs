//! Which request reaches which route, by the precedence of the Gateway API.

use std::fmt;
use std::sync::Arc;

use super::conditions::{Conditions, PathTest};
use super::hosts::Hosts;
use super::paths::{Paths, Rule};
use super::route::{Matched, RequestHead, Route};

/// The routes of one address.
///
/// The listener with the most specific hostname answers a request, and no other one. Among its
/// routes the most specific hostname wins; then an exact path, an expression, the longest prefix;
/// then a method, more headers, more query parameters; then the order of the document.
#[derive(Debug, Clone, Default)]
pub struct RouteTable {
    listeners: Hosts<Hosts<Paths>>,
    rules: usize,
}

impl RouteTable {
    /// The most specific route that matches. Allocates nothing, unless an expression has to match
    /// an encoded query parameter.
    pub fn find(&self, request: &RequestHead<'_>) -> Option<Matched<'_>> {
        let routes = self.listeners.matching(request.host).next()?;
        routes.matching(request.host).find_map(|paths| paths.find(request))
    }

    /// Whether there is a listener for `host`, and another one answers for `name`.
    pub fn is_of_another_listener(&self, name: &str, host: &str) -> bool {
        let of = |host: &str| self.listeners.matching(host).next().map(std::ptr::from_ref);
        of(host).is_some_and(|listener| of(name) != Some(listener))
    }

    /// Every route, once for each of its rules.
    pub fn routes(&self) -> impl Iterator<Item = &Arc<Route>> {
        let hosts = self.listeners.iter().flat_map(|(_, hosts)| hosts.iter());
        hosts.flat_map(|(_, paths)| paths.iter()).map(|(_, rule)| &rule.route)
    }

    /// Makes a listener's hostname known: it answers for it also where it has no routes.
    pub(crate) fn add_listener(&mut self, hostname: Option<&str>) {
        self.listeners.entry(hostname);
    }

    /// Adds a route of the listener with `hostname`, for `host`.
    pub(crate) fn add(
        &mut self,
        hostname: Option<&str>,
        host: Option<&str>,
        path: &PathTest,
        conditions: &Conditions,
        route: &Arc<Route>,
    ) {
        let (conditions, route) = (conditions.clone(), Arc::clone(route));
        let rule = Rule { conditions, route, order: self.rules };
        self.rules += 1;
        self.listeners.entry(hostname).entry(host).add(path, rule);
    }
}

/// One line per rule, in the order of the document.
impl fmt::Display for RouteTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        for (hostname, hosts) in self.listeners.iter() {
            let hostname = if hostname == "*" { hostname } else { format!("on {hostname}:") };
            for (host, paths) in hosts.iter() {
                for (path, Rule { conditions, route, order }) in paths.iter() {
                    let hostname = hostname.trim_start_matches('*');
                    let line = format!("{hostname} {host} {path}{conditions} -> {route}");
                    lines.push((*order, line.trim_start().to_owned()));
                }
            }
        }
        lines.sort();
        for (_, line) in lines {
            writeln!(formatter, "{line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
