//! A snapshot as text: what runs, without secrets. For the admin port and for tests.

use std::fmt;

use super::Snapshot;
use super::listener::Listener;
use super::route::{Action, Route};
use super::target::{Backend, Target, TargetAddress, TargetSettings};
use crate::document::ElicitationLabel;

impl fmt::Display for Snapshot {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for listener in &self.listeners {
            write!(formatter, "{listener}")?;
        }
        for backend in self.backends.values() {
            write!(formatter, "{backend}")?;
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
            Action::Mcp(backends) => {
                for weighted in backends {
                    write!(formatter, ", backend {}", weighted.backend)?;
                    if backends.len() > 1 {
                        write!(formatter, " weight {}", weighted.weight)?;
                    }
                }
                Ok(())
            }
            Action::Closed(close) => write!(formatter, ", closed {}: {}", close.id, close.reason),
        }
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
        if let Some(tls) = &self.tls {
            writeln!(formatter, "    {tls:?}")?;
        }
        let times = &self.timeouts;
        writeln!(
            formatter,
            "    connect {:?} list {:?} call {:?} progress {:?} start {:?}",
            times.connect, times.list, times.call, times.progress, times.start
        )
    }
}
