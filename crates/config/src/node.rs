//! A parsed text as a tree in which everything has a place: what YAML and JSON have in common.
//!
//! One parse gives values and places, so that a mistake anywhere is reported where it stands and
//! costs only the element around it.

mod deserializer;
mod json;
mod yaml;

use std::collections::HashSet;
use std::sync::Arc;

pub(crate) use deserializer::{Context, NodeDeserializer, Path, Unknown};
pub(crate) use json::{parse_json, parse_published};
pub(crate) use yaml::parse_yaml;

use crate::diagnostic::Place;
use crate::origins::Origins;

/// How many nodes a text may hold, those that aliases repeat included.
const MAX_NODES: usize = 200_000;
/// How deeply nodes may be nested.
const MAX_DEPTH: usize = 64;

/// A place in the text: line and column from one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// A value and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) position: Position,
    pub(crate) value: Value,
}

/// A value, not yet typed: what a plain scalar means is decided by who reads it.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Mapping),
}

/// A scalar, decoded.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    pub(crate) style: Style,
}

/// Whether a scalar is text by its quotes, or may be a number, a boolean or null.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Quoted,
}

/// Keys and values in the order of the text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mapping {
    pub(crate) entries: Vec<Entry>,
    /// The second of two entries with the same key.
    pub(crate) repeated: Option<usize>,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) position: Position,
    pub(crate) value: Node,
}

/// Why a text is not a tree.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) position: Position,
    pub(crate) message: String,
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };

    pub(crate) fn in_file(self, file: &Arc<str>) -> Place {
        Place { file: Arc::clone(file), line: self.line, column: self.column }
    }
}

impl Node {
    pub(crate) fn null(position: Position) -> Self {
        let scalar = Scalar { text: String::new(), style: Style::Plain };
        Self { position, value: Value::Scalar(scalar) }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.value, Value::Scalar(scalar) if scalar.is_null())
    }

    pub(crate) fn as_mapping(&self) -> Option<&Mapping> {
        match &self.value {
            Value::Mapping(mapping) => Some(mapping),
            Value::Scalar(_) | Value::Sequence(_) => None,
        }
    }

    pub(crate) fn as_sequence(&self) -> Option<&[Node]> {
        match &self.value {
            Value::Sequence(nodes) => Some(nodes),
            Value::Scalar(_) | Value::Mapping(_) => None,
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) if !scalar.is_null() => Some(&scalar.text),
            Value::Scalar(_) | Value::Sequence(_) | Value::Mapping(_) => None,
        }
    }

    /// The value of a key, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        let entries = &self.as_mapping()?.entries;
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// A copy of a mapping without one of its keys.
    pub(crate) fn without(&self, key: &str) -> Self {
        let mut node = self.clone();
        if let Value::Mapping(mapping) = &mut node.value {
            mapping.entries.retain(|entry| entry.key != key);
        }
        node
    }

    /// Remembers where everything in here stands, as what is at and below `path`.
    pub(crate) fn locate(&self, path: &str, file: &Arc<str>, origins: &mut Origins) {
        origins.insert(path, self.position.in_file(file));
        match &self.value {
            Value::Scalar(_) => {}
            Value::Sequence(nodes) => {
                for (index, node) in nodes.iter().enumerate() {
                    node.locate(&format!("{path}[{index}]"), file, origins);
                }
            }
            Value::Mapping(mapping) => {
                for entry in &mapping.entries {
                    entry.value.locate(&join(path, &entry.key), file, origins);
                }
            }
        }
    }
}

impl Scalar {
    pub(crate) fn is_null(&self) -> bool {
        self.style == Style::Plain
            && matches!(self.text.as_str(), "" | "~" | "null" | "Null" | "NULL")
    }
}

impl Mapping {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        let mut keys = HashSet::new();
        let repeated = entries.iter().position(|entry| !keys.insert(entry.key.as_str()));
        Self { entries, repeated }
    }
}

/// The path of a key below `path`.
pub(crate) fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
