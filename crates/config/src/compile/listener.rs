//! Listeners: those of one address put together, and the routes onto them.

use std::net::SocketAddr;
use std::sync::Arc;

use super::action::Leads;
use super::hostname::{self, Intersection};
use super::report::Report;
use super::route::{self, routes};
use super::tls::certificates;
use crate::document::{self, Close, Document};
use crate::read::closest;
use crate::snapshot::{
    Action, AllowedByHost, Certificate, Filters, Listener, ListenerTls, Route, RouteTable,
    RouteTimeouts,
};

/// A listener, ready to get routes.
struct Compiled {
    name: String,
    address: SocketAddr,
    hostname: Option<String>,
    close: Option<Close>,
    /// Set where TLS is spoken; empty where nobody is let in.
    certificates: Option<Vec<Certificate>>,
    allowed_origins: Vec<String>,
    allowed_hosts: Vec<String>,
}

pub(super) fn listeners(
    document: &Document,
    leads: &mut Leads<'_>,
    report: &mut Report<'_>,
) -> Vec<Listener> {
    let compiled = compiled(document, report);
    let routes = routes(document, leads, report);
    for route in &routes {
        check_names(route, &compiled, report);
    }
    let mut listeners: Vec<Listener> = Vec::new();
    for one in &compiled {
        // Port 0 is another port each time.
        let known = listeners
            .iter_mut()
            .find(|known| known.address == one.address && one.address.port() != 0);
        let listener = match known {
            Some(known) => known,
            None => {
                listeners.push(Listener {
                    name: one.name.as_str().into(),
                    address: one.address,
                    routes: RouteTable::default(),
                    allowed: AllowedByHost::default(),
                    tls: one.certificates.as_ref().map(|_| ListenerTls::default()),
                });
                let Some(listener) = listeners.last_mut() else { continue };
                listener
            }
        };
        attach(listener, one, &routes);
    }
    listeners
}

fn compiled(document: &Document, report: &mut Report<'_>) -> Vec<Compiled> {
    let mut compiled: Vec<Compiled> = Vec::new();
    let default = [document::Listener::default()];
    let written = if document.listeners.is_empty() { &default } else { &document.listeners[..] };
    for (index, written) in written.iter().enumerate() {
        let path = format!("listeners[{index}]");
        if compiled.iter().any(|known| known.name == written.name) {
            let message = format!("`{}` is already defined; this one is left out", written.name);
            report.error("name.repeated", &path, message);
            continue;
        }
        let Some(listener) = listener(document, written, &path, report) else { continue };
        let other = compiled.iter().find(|known| {
            let is_same = known.address == listener.address && listener.address.port() != 0;
            is_same && known.certificates.is_some() != listener.certificates.is_some()
        });
        if let Some(other) = other {
            let message = format!(
                "`{}` speaks something else on this address; this one is left out",
                other.name
            );
            report.error("listener.protocol", &path, message);
            continue;
        }
        // Port 0 is another port each time.
        let same = compiled.iter().find(|known| {
            let is_same = known.address == listener.address && known.hostname == listener.hostname;
            is_same && listener.address.port() != 0
        });
        if let Some(same) = same {
            let message = format!(
                "`{0}` has this address and hostname, too: the routes of both answer here, and \
                 where two match those of `{0}`",
                same.name
            );
            report.warning("listener.shared", &path, message);
        }
        let close = document.close.clone().or_else(|| listener.close.clone());
        compiled.push(Compiled { close, ..listener });
    }
    compiled
}

fn listener(
    document: &Document,
    written: &document::Listener,
    path: &str,
    report: &mut Report<'_>,
) -> Option<Compiled> {
    let hostname = match &written.hostname {
        None => None,
        Some(text) => {
            let Some(host) = hostname::parse(text) else {
                let message = format!("`{text}` is not a host; this listener is left out");
                report.error("listener.hostname", &format!("{path}.hostname"), message);
                return None;
            };
            Some(host)
        }
    };
    let mut allowed_origins = Vec::new();
    for (index, text) in written.allowed_origins.iter().enumerate() {
        let origin = text.to_ascii_lowercase();
        let host = origin.split_once("://").map(|(_, host)| host);
        if origin == "*" || host.is_some_and(|host| !host.is_empty() && !host.contains('/')) {
            allowed_origins.push(origin);
            continue;
        }
        let path = format!("{path}.allowedOrigins[{index}]");
        let message = format!("`{text}` is not an origin, such as `https://app.example.com`");
        report.error("listener.origin", &path, message);
    }
    Some(Compiled {
        name: written.name.clone(),
        address: written.address,
        hostname,
        close: written.close.clone(),
        certificates: certificates(document, written, path, report),
        allowed_origins,
        allowed_hosts: written.allowed_hosts.iter().map(|host| host.to_ascii_lowercase()).collect(),
    })
}

/// Reports listeners that a route names and that are not there.
fn check_names(route: &route::Compiled, listeners: &[Compiled], report: &mut Report<'_>) {
    for (index, name) in route.listeners.iter().enumerate() {
        if listeners.iter().any(|listener| listener.name == *name) {
            continue;
        }
        let mut message = format!("there is no listener named `{name}`");
        if let Some(known) = closest(name, listeners.iter().map(|known| known.name.as_str())) {
            message = format!("{message}; did you mean `{known}`?");
        }
        report.error("listener.unknown", &format!("{}.listeners[{index}]", route.path), message);
    }
}

fn attach(listener: &mut Listener, one: &Compiled, routes: &[route::Compiled]) {
    let allowed = listener.allowed.entry(one.hostname.as_deref());
    extend(&mut allowed.hosts, one.allowed_hosts.iter().chain(&one.hostname).cloned());
    extend(&mut allowed.origins, one.allowed_origins.iter().cloned());
    if let (Some(tls), Some(certificates)) = (&mut listener.tls, &one.certificates) {
        tls.add(one.hostname.as_deref(), certificates);
    }
    listener.routes.add_listener(one.hostname.as_deref());
    for compiled in routes {
        let serves = compiled.listeners.is_empty() || compiled.listeners.contains(&one.name);
        if !serves {
            continue;
        }
        let route = match &one.close {
            None => Arc::clone(&compiled.route),
            Some(close) => Arc::new(Route {
                name: Arc::clone(&compiled.route.name),
                filters: Filters::default(),
                timeouts: RouteTimeouts::default(),
                action: Action::Closed(close.clone()),
            }),
        };
        for host in &compiled.hostnames {
            let host = match hostname::intersection(one.hostname.as_deref(), host.as_deref()) {
                Intersection::None => continue,
                Intersection::Any => None,
                Intersection::Host(host) => Some(host),
            };
            extend(&mut allowed.hosts, host.iter().cloned());
            for (path, conditions) in &compiled.matches {
                let host = host.as_deref();
                listener.routes.add(one.hostname.as_deref(), host, path, conditions, &route);
            }
        }
    }
}

fn extend(list: &mut Vec<String>, others: impl IntoIterator<Item = String>) {
    for other in others {
        if !list.contains(&other) {
            list.push(other);
        }
    }
}
