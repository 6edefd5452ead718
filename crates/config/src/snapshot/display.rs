//! A snapshot as text: what runs, without secrets. For the admin port and for tests.

use std::fmt;

use super::Snapshot;
use super::listener::Listener;
use super::route::{Action, Lead, Route, Share, Weighted};
use super::target::{Backend, Target, TargetAddress, TargetSettings};
use super::upstream_tls::UpstreamTls;
use crate::document::ElicitationLabel;

impl fmt::Display for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for listener in &self.listeners {
            write!(formatter, "{listener}")?;
        }
        for backend in self.backends.values() {
            write!(formatter, "{backend}")?;
        }
        for service in self.services.values() {
            writeln!(formatter, "{service}")?;
        }
        for (key, addresses) in self.endpoints.iter() {
            writeln!(formatter, "endpoints {key} {addresses:?}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "listener {} {}", self.name, self.address)?;
        if let Some(tls) = &self.tls {
            write!(formatter, "{tls}")?;
        }
        for (hostname, allowed) in self.allowed.sorted() {
            let on = if hostname == "*" { String::new() } else { format!("on {hostname}: ") };
            if !allowed.origins.is_empty() {
                writeln!(formatter, "  {on}origins {}", allowed.origins.join(" "))?;
            }
            if !allowed.hosts.is_empty() {
                writeln!(formatter, "  {on}hosts {}", allowed.hosts.join(" "))?;
            }
        }
        for line in self.routes.to_string().lines() {
            writeln!(formatter, "  {line}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Route {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "route {}", self.name)?;
        match &self.action {
            Action::Mcp(backends) => backends.iter().try_for_each(|weighted| {
                write!(formatter, ", {}", Among(weighted, backends.len()))
            })?,
            Action::Http(shares) => shares.iter().try_for_each(|share| share.fmt(formatter))?,
            Action::Redirect(redirect) => write!(formatter, ", {redirect}")?,
            Action::Closed(close) => write!(formatter, ", closed {}: {}", close.id, close.reason)?,
            Action::Failed(close) => write!(formatter, ", failed {}: {}", close.id, close.reason)?,
        }
        write!(formatter, "{}", self.filters)?;
        if let Some(time) = self.timeouts.request {
            write!(formatter, ", request {time:?}")?;
        }
        match self.timeouts.backend_request {
            Some(time) => write!(formatter, ", backend request {time:?}"),
            None => Ok(()),
        }
    }
}

/// A backend among as many.
struct Among<'a>(&'a Weighted, usize);

impl fmt::Display for Among<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(weighted, count) = self;
        write!(formatter, "backend {}", weighted.backend)?;
        if *count > 1 {
            write!(formatter, " weight {}", weighted.weight)?;
        }
        Ok(())
    }
}

impl fmt::Display for Share {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.lead {
            Lead::Service(name) => write!(formatter, ", service {name}")?,
            Lead::Failed(close) => write!(formatter, ", failed {}: {}", close.id, close.reason)?,
            Lead::Mcp(backends) => {
                for weighted in backends {
                    write!(formatter, ", {}", Among(weighted, backends.len()))?;
                }
            }
        }
        write!(formatter, " share {}{}", self.weight, self.filters)
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "backend {} prefix {:?}", self.name, self.prefix_mode)?;
        if let Some(mode) = self.failure_mode {
            write!(formatter, " failure {mode:?}")?;
        }
        if self.elicitation_label == ElicitationLabel::None {
            formatter.write_str(" elicitations without label")?;
        }
        if let Some(close) = &self.closed {
            write!(formatter, " closed {}: {}", close.id, close.reason)?;
        }
        writeln!(formatter)?;
        for target in &self.targets {
            write!(formatter, "{target}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(close) = &self.closed {
            let (id, reason) = (&close.id, &close.reason);
            return writeln!(formatter, "  target {} closed {id}: {reason}", self.name);
        }
        write!(formatter, "  target {} ", self.name)?;
        match &self.address {
            TargetAddress::Http(http) => {
                write!(formatter, "{http:?}")?;
                if let Some(key) = &http.endpoints {
                    write!(formatter, " endpoints {key}")?;
                }
            }
            TargetAddress::Process(process) => {
                write!(formatter, "{process:?}")?;
                for (name, value) in &process.env {
                    write!(formatter, " {name}={value}")?;
                }
                write!(formatter, " {:?} {}", self.settings.process, self.settings.max_processes)?;
            }
        }
        writeln!(formatter)?;
        write!(formatter, "{}", self.settings)
    }
}

impl fmt::Display for TargetSettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.headers {
            writeln!(formatter, "    header {name}: {value}")?;
        }
        for name in &self.forward_headers {
            writeln!(formatter, "    forwards {name}")?;
        }
        if self.tls != UpstreamTls::default() {
            writeln!(formatter, "    {}", self.tls)?;
        }
        let times = &self.timeouts;
        writeln!(
            formatter,
            "    connect {:?} list {:?} call {:?} progress {:?} start {:?}",
            times.connect, times.list, times.call, times.progress, times.start
        )
    }
}
