//! Listeners of one Gateway that requests could not tell apart: the API asks that none of them is
//! served then, not even the first.

use config::document::Protocol;

use crate::hostname;
use crate::status::reason;
use crate::translate::listener::{Listener, Problem};

/// Marks the listeners that conflict, and those whose certificates may answer for each other's
/// hosts.
pub(super) fn find(listeners: &mut [Listener]) {
    let found: Vec<_> = listeners
        .iter()
        .enumerate()
        .map(|(index, listener)| {
            let others = listeners.iter().enumerate().filter(|(other, _)| *other != index);
            let rivals: Vec<&Listener> = others
                .map(|(_, other)| other)
                .filter(|other| port(other).is_some() && port(other) == port(listener))
                .collect();
            (conflict(listener, &rivals), overlap(listener, &rivals))
        })
        .collect();
    for (listener, (conflict, overlap)) in listeners.iter_mut().zip(found) {
        listener.conflict = conflict;
        listener.overlap = overlap;
    }
}

fn port(listener: &Listener) -> Option<u16> {
    listener.served_as.map(|(_, port)| port)
}

fn protocol(listener: &Listener) -> Option<Protocol> {
    listener.served_as.map(|(protocol, _)| protocol)
}

fn conflict(listener: &Listener, rivals: &[&Listener]) -> Option<Problem> {
    let problem = |reason, with: &Listener, what: &str, field| {
        let message = format!("listener `{}` has the same port and {what}", with.section);
        Problem { reason, message, id: "listener.conflict", field }
    };
    let other = rivals.iter().find(|other| protocol(other) != protocol(listener));
    if let Some(other) = other {
        let what = "another protocol";
        return Some(problem(reason::PROTOCOL_CONFLICT, other, what, ".protocol"));
    }
    let twin = rivals.iter().find(|other| other.hostname == listener.hostname)?;
    Some(problem(reason::HOSTNAME_CONFLICT, twin, "hostname", ""))
}

/// Over TLS the certificate is chosen before any request is read.
fn overlap(listener: &Listener, rivals: &[&Listener]) -> Option<String> {
    if protocol(listener) != Some(Protocol::Https) {
        return None;
    }
    let overlaps = |other: &&&Listener| match (&listener.hostname, &other.hostname) {
        (Some(own), Some(other)) => hostname::intersect(own, other),
        (None, _) | (_, None) => true,
    };
    let https = rivals.iter().filter(|other| protocol(other) == Some(Protocol::Https));
    let names: Vec<String> =
        https.filter(overlaps).map(|other| format!("`{}`", other.section)).collect();
    let message = format!("it has hosts in common with {}", names.join(", "));
    (!names.is_empty()).then_some(message)
}
