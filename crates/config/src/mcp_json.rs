//! The `mcp.json` of editors as a native document: `mcpServers` of Claude, Cursor and Windsurf,
//! `servers` of VS Code.

mod name;
mod server;

use std::sync::Arc;

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Close, Target};
use crate::node::{Entry, Mapping, Node, join, parse_json, parse_yaml};
use crate::read::{Read, Reading, read_element};
use name::Names;
use server::{Server, is_guard_of_server};

/// Members of the file besides the servers that mean something to editors, and nothing here.
const KNOWN: [&str; 2] = ["$schema", "inputs"];

/// Reads an `mcp.json`: JSON as editors write it, with comments and trailing commas, or the same
/// as YAML. Each server becomes a target; its references to variables stay as they are written.
///
/// # Errors
/// The text cannot be parsed, or is not an object: nothing of it can be used.
pub fn expand(file: &str, text: &str) -> Result<Reading, Diagnostic> {
    let file: Arc<str> = file.into();
    let root = parse(text).map_err(|error| error.diagnostic(&file))?;
    let names = Names::new(root.as_mapping().map(keys).unwrap_or_default());
    let mut expansion = Expansion { file, reading: Reading::default(), names };
    expansion.file(&root)?;
    Ok(expansion.reading)
}

fn parse(text: &str) -> Result<Node, crate::node::SyntaxError> {
    let is_json = |text: &str| text.starts_with('{') || text.starts_with("/*");
    let start = text.trim_start_matches('\u{feff}').trim_start();
    if is_json(start) || start.starts_with("//") { parse_json(text) } else { parse_yaml(text) }
}

/// The keys of all servers, of whichever member.
fn keys(mapping: &Mapping) -> Vec<&str> {
    let mut found = Vec::new();
    for entry in &mapping.entries {
        let Some(inner) = entry.value.as_mapping() else { continue };
        match entry.key.as_str() {
            "mcpServers" | "servers" => {
                found.extend(inner.entries.iter().map(|server| server.key.as_str()));
            }
            "mcp" => found.extend(keys(inner)),
            _ => {}
        }
    }
    found
}

struct Expansion {
    file: Arc<str>,
    reading: Reading,
    names: Names,
}

impl Expansion {
    fn file(&mut self, root: &Node) -> Result<(), Diagnostic> {
        self.reading.origins.insert("", root.position.in_file(&self.file));
        if root.is_null() {
            return Ok(());
        }
        let Some(mapping) = root.as_mapping() else {
            return Err(Diagnostic {
                severity: Severity::Error,
                id: "document.syntax",
                path: String::new(),
                message: "an `mcp.json` is an object with `mcpServers` or `servers`".to_owned(),
                place: Some(root.position.in_file(&self.file)),
            });
        };
        self.members(mapping, "");
        Ok(())
    }

    fn members(&mut self, mapping: &Mapping, path: &str) {
        for entry in &mapping.entries {
            let path = join(path, &entry.key);
            match (entry.key.as_str(), &entry.value) {
                ("mcpServers" | "servers", node) => self.servers(node, entry, &path),
                // An editor's settings have the same under `mcp`.
                ("mcp", node) if path == "mcp" && node.as_mapping().is_some() => {
                    if let Some(mapping) = node.as_mapping() {
                        self.members(mapping, &path);
                    }
                }
                (key, _) if KNOWN.contains(&key) => {}
                (key, _) => {
                    let message = format!("`{key}` means nothing here");
                    self.report(Severity::Warning, "document.unknownField", entry, &path, message);
                }
            }
        }
    }

    fn servers(&mut self, node: &Node, entry: &Entry, path: &str) {
        let Some(mapping) = node.as_mapping() else {
            if !node.is_null() {
                let message = "this has to be an object of servers".to_owned();
                self.report(Severity::Error, "document.type", entry, path, message);
            }
            return;
        };
        for (index, entry) in mapping.entries.iter().enumerate() {
            let path = join(path, &entry.key);
            if mapping.entries.iter().take(index).any(|earlier| earlier.key == entry.key) {
                let message = format!("`{}` is already defined; this one is left out", entry.key);
                self.report(Severity::Error, "name.repeated", entry, &path, message);
                continue;
            }
            self.server(entry, &path);
        }
    }

    fn server(&mut self, entry: &Entry, path: &str) {
        let read = read_element::<Server>(&entry.value, path, &self.file, Severity::Warning);
        let Read { value, unknown, mut diagnostics } = read;
        if value.as_ref().is_ok_and(|server| server.disabled) {
            return;
        }
        let guard = unknown.iter().find(|unknown| is_guard_of_server(unknown));
        for diagnostic in &mut diagnostics {
            let Some(unknown) = unknown.iter().find(|one| one.path == diagnostic.path) else {
                continue;
            };
            diagnostic.message = format!("`{}` means nothing here", unknown.field);
            if is_guard_of_server(unknown) {
                diagnostic.severity = Severity::Error;
                diagnostic.message = format!("`{}` is not built yet", unknown.field);
            }
        }
        self.reading.diagnostics.append(&mut diagnostics);
        let Some(name) = self.name(entry, path) else { return };
        let target = match value {
            Ok(server) => match server.target() {
                Ok(target) => target,
                Err(reason) => {
                    let message = reason.to_owned();
                    self.report(Severity::Error, "target.address", entry, path, message);
                    closed("target.address", format!("{path}: {reason}"))
                }
            },
            Err(reason) => closed("document.type", reason),
        };
        let mut target = Target { name, ..target };
        if let Some(guard) = guard {
            let reason = format!("{}: `{}` is not built yet", guard.path, guard.field);
            target.close = closed("document.unknownField", reason).close;
        }
        let index = self.reading.document.targets.len();
        let origins = &mut self.reading.origins;
        entry.value.locate(&format!("targets[{index}]"), &self.file, origins);
        self.reading.document.targets.push(target);
    }

    /// The target's name: the key, or what is made of it.
    fn name(&mut self, entry: &Entry, path: &str) -> Option<String> {
        let Some(name) = self.names.name(&entry.key) else {
            let message = format!("no target name can be made of `{}`", entry.key);
            self.report(Severity::Error, "target.name", entry, path, message);
            return None;
        };
        if name != entry.key {
            let message = format!("`{}` is called `{name}` here", entry.key);
            self.report(Severity::Warning, "target.renamed", entry, path, message);
        }
        Some(name)
    }

    fn report(
        &mut self,
        severity: Severity,
        id: &'static str,
        entry: &Entry,
        path: &str,
        message: String,
    ) {
        self.reading.diagnostics.push(Diagnostic {
            severity,
            id,
            path: path.to_owned(),
            message,
            place: Some(entry.position.in_file(&self.file)),
        });
    }
}

fn closed(id: &str, reason: String) -> Target {
    Target { close: Some(Close { id: id.to_owned(), reason }), ..Target::default() }
}
