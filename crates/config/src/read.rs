//! The native document: text in, document, origins and diagnostics out. One bad element costs
//! itself: it is left out, or kept and closed where it guards something.

mod author;
mod element;
mod guard;
mod parts;
mod suggest;

use std::sync::Arc;

use serde::Deserialize;

use crate::diagnostic::{Diagnostic, Severity};
use crate::document::{Action, Admin, Close, Document, Filters, Listener, Route, RouteTimeouts};
use crate::guard::is_guard;
use crate::node::{Entry, Mapping, Node, Value, parse_published, parse_yaml};
use crate::origins::Origins;

use author::{Author, condensed};
pub(crate) use element::{Read, read_element};
pub(crate) use suggest::closest;

/// What a text says.
#[derive(Debug, Clone, Default)]
pub struct Reading {
    /// What could be read.
    pub document: Document,
    /// Where it was written.
    pub origins: Origins,
    /// What is wrong with the rest.
    pub diagnostics: Vec<Diagnostic>,
    /// How many fields a controller wrote that are not known here.
    pub unknown_fields: usize,
}

/// The members of a document, as [`read`] knows them.
pub(crate) const MEMBERS: [&str; 11] = [
    "listeners",
    "routes",
    "backends",
    "targets",
    "services",
    "endpoints",
    "names",
    "limits",
    "admin",
    "drain",
    "close",
];

/// Reads a native document. `file` is what its places are reported in.
///
/// # Errors
/// The text is not YAML, or not a mapping: nothing of it can be used.
pub fn read(file: &str, text: &str) -> Result<Reading, Diagnostic> {
    let file: Arc<str> = file.into();
    let root = parse_yaml(text).map_err(|error| error.diagnostic(&file))?;
    Reader::new(file, Author::Person).read(&root)
}

/// Reads a document that a controller publishes, which may be newer than this proxy: a field that is
/// not known is left out, unless it narrows or guards what it stands in, or its element `requires` what is not
/// known; then that is closed. `name` is what it is published as. Nothing is said of places in the text.
///
/// # Errors
/// The text is not JSON, or not a mapping: nothing of it can be used.
pub fn read_published(name: &str, text: &str) -> Result<Reading, Diagnostic> {
    let name: Arc<str> = name.into();
    let root = parse_published(text).map_err(|error| error.diagnostic(&name))?;
    let mut reading = Reader::new(name, Author::Controller).read(&root)?;
    reading.origins = Origins::default();
    let is_unknown = |one: &&Diagnostic| one.id == "document.unknownField";
    reading.unknown_fields = reading.diagnostics.iter().filter(is_unknown).count();
    reading.diagnostics = condensed(reading.diagnostics);
    Ok(reading)
}

struct Reader {
    file: Arc<str>,
    author: Author,
    reading: Reading,
    /// Why the routes that are there when none are written may not be opened.
    close: Option<Close>,
    /// What is left of a listener that could not be read.
    broken: Option<Listener>,
}

impl Reader {
    fn new(file: Arc<str>, author: Author) -> Self {
        Self { file, author, reading: Reading::default(), close: None, broken: None }
    }

    fn read(mut self, root: &Node) -> Result<Reading, Diagnostic> {
        self.document(root)?;
        Ok(self.finish())
    }

    fn document(&mut self, root: &Node) -> Result<(), Diagnostic> {
        self.reading.origins.insert("", root.position.in_file(&self.file));
        if root.is_null() {
            return Ok(());
        }
        let Value::Mapping(Mapping { entries, repeated }) = &root.value else {
            return Err(Diagnostic {
                severity: Severity::Error,
                id: "document.syntax",
                path: String::new(),
                message: "a document is a mapping, such as `targets: [...]`".to_owned(),
                place: Some(root.position.in_file(&self.file)),
            });
        };
        if let Some(entry) = repeated.and_then(|index| entries.get(index)) {
            let message = format!("`{}` is written twice; only the first counts", entry.key);
            self.error("document.repeated", entry, message);
        }
        for (index, entry) in entries.iter().enumerate() {
            let is_first = entries.iter().take(index).all(|earlier| earlier.key != entry.key);
            if is_first {
                self.member(entry);
            }
        }
        Ok(())
    }

    fn member(&mut self, entry: &Entry) {
        let node = &entry.value;
        match entry.key.as_str() {
            "listeners" => {
                for item in self.items(entry) {
                    self.listener(item);
                }
            }
            "routes" => {
                for item in self.items(entry) {
                    self.route(item);
                }
            }
            "backends" => {
                for item in self.items(entry) {
                    self.backend(item);
                }
            }
            "targets" => {
                for item in self.items(entry) {
                    let path = format!("targets[{}]", self.reading.document.targets.len());
                    if let Some(target) = self.target(item, &path) {
                        self.reading.document.targets.push(target);
                    }
                }
            }
            "services" => {
                for item in self.items(entry) {
                    self.service(item);
                }
            }
            "endpoints" => self.reading.document.endpoints = self.single("endpoints", node),
            "names" => self.reading.document.names = self.single("names", node),
            "limits" => self.reading.document.limits = self.single("limits", node),
            "admin" => self.admin(node),
            "drain" => self.reading.document.drain = self.single("drain", node),
            "close" => {
                if let Some(close) = guard::close_of(self.element::<Option<Close>>(node, "close")) {
                    self.close_all(close);
                }
            }
            unknown => {
                let mut message = format!("there is no field `{unknown}`");
                let known = self.author.meant(closest(unknown, MEMBERS));
                if let Some(known) = known {
                    message = format!("{message}; did you mean `{known}`?");
                }
                let close =
                    Close { id: "document.unknownField".to_owned(), reason: message.clone() };
                if is_guard(unknown) || known == Some("close") {
                    self.close_all(close);
                } else if matches!(known, Some("routes" | "backends")) {
                    self.close = Some(close);
                }
                self.report(self.author.severity(), "document.unknownField", entry, message);
            }
        }
    }

    /// The elements of a list. A list that was left empty has none.
    fn items<'a>(&mut self, entry: &'a Entry) -> &'a [Node] {
        self.reading.origins.insert(&entry.key, entry.value.position.in_file(&self.file));
        if let Some(items) = entry.value.as_sequence() {
            return items;
        }
        if !entry.value.is_null() {
            let message = "this has to be a list".to_owned();
            if matches!(entry.key.as_str(), "routes" | "backends") {
                let reason = format!("{}: {message}", entry.key);
                self.close = Some(Close { id: "document.type".to_owned(), reason });
            }
            self.error("document.type", entry, message);
        }
        &[]
    }

    /// Keeps all of the document shut, for the first reason.
    fn close_all(&mut self, close: Close) {
        self.reading.document.close.get_or_insert(close);
    }

    /// Where routes or listeners were written and none of them could be read, there is a closed one
    /// instead of the default ones.
    fn finish(self) -> Reading {
        let mut reading = self.reading;
        if let (Some(listener), []) = (self.broken, reading.document.listeners.as_slice()) {
            reading.document.listeners.push(listener);
        }
        if let (Some(close), []) = (self.close, reading.document.routes.as_slice()) {
            reading.document.routes.push(Route {
                name: "closed".to_owned(),
                listeners: Vec::new(),
                hostnames: Vec::new(),
                matches: Vec::new(),
                filters: Filters::default(),
                timeouts: RouteTimeouts::default(),
                action: Action::Close(close),
                requires: Vec::new(),
            });
        }
        reading
    }

    fn single<T: Default + for<'a> Deserialize<'a>>(&mut self, path: &str, node: &Node) -> T {
        let read = self.element(node, path);
        if let Some(unknown) = read.unknown.iter().find(|unknown| is_guard(&unknown.path)) {
            self.close_all(guard::close_for(unknown));
        }
        read.value.unwrap_or_default()
    }

    /// An admin port whose guard is not known is reached from this machine alone.
    fn admin(&mut self, node: &Node) {
        let read = self.element::<Admin>(node, "admin");
        let mut admin = read.value.unwrap_or_default();
        if read.unknown.iter().any(|unknown| is_guard(&unknown.path)) {
            admin.address.set_ip(Admin::default().address.ip());
        }
        self.reading.document.admin = admin;
    }

    fn element<T: for<'a> Deserialize<'a>>(&mut self, node: &Node, path: &str) -> Read<T> {
        let reading = &mut self.reading;
        node.locate(path, &self.file, &mut reading.origins);
        let mut read = read_element::<T>(node, path, &self.file, self.author.severity());
        reading.diagnostics.append(&mut read.diagnostics);
        read
    }

    fn error(&mut self, id: &'static str, entry: &Entry, message: String) {
        self.report(Severity::Error, id, entry, message);
    }

    fn report(&mut self, severity: Severity, id: &'static str, entry: &Entry, message: String) {
        let place = Some(entry.position.in_file(&self.file));
        let path = entry.key.clone();
        self.reading.diagnostics.push(Diagnostic { severity, id, path, message, place });
    }
}
