//! Kubernetes manifests as users keep them in files: one or several YAML documents, `List`s among
//! them. An object that cannot be used is reported on itself and costs nothing else.

mod decode;
mod node;
mod salvage;

use std::sync::Arc;

use config::{Diagnostic, Origins, Place, Severity};
use serde_json::Value;
use serde_saphyr::Error;

use crate::world::World;
use decode::Decoder;
pub(crate) use decode::UNDECODABLE;
use node::Node;
pub(crate) use salvage::UNREADABLE;

/// The objects of one file, and what is wrong with those that cannot be used.
#[derive(Clone, Debug, Default)]
pub struct Manifests {
    /// The objects that matter to translation.
    pub world: World,
    /// One entry for each object that is ignored or broken, and for each field that nobody knows.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads the text of one file. `file` is what diagnostics call it.
///
/// # Errors
/// The text is not YAML. The diagnostic says where; none of the file can be used.
pub fn read(file: &str, text: &str) -> Result<Manifests, Diagnostic> {
    let file: Arc<str> = file.into();
    let nodes: Vec<Node> = serde_saphyr::from_multiple_with_options(text, options())
        .map_err(|error| syntax(&file, &error))?;
    let mut decoder = Decoder::default();
    for node in nodes.into_iter().flat_map(Node::objects) {
        let (value, origins) = node.unpack(&file);
        decoder.decode(value, origins);
    }
    Ok(decoder.manifests)
}

/// One object as an API server holds it.
pub(crate) fn object(value: Value) -> Manifests {
    let mut decoder = Decoder::default();
    decoder.decode(value, Origins::default());
    decoder.manifests
}

/// The bounds of a file: room for a dump of a whole cluster, and none for a bomb of aliases.
fn options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_documents: 100_000,
            max_events: 50_000_000,
            max_nodes: 20_000_000,
            max_recorded_anchor_events: 200_000,
        },
    }
}

fn syntax(file: &Arc<str>, error: &serde_saphyr::Error) -> Diagnostic {
    let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let place = error.location().map(|location| Place {
        file: Arc::clone(file),
        line: number(location.line()),
        column: number(location.column()),
    });
    Diagnostic {
        severity: Severity::Error,
        id: "document.syntax",
        path: String::new(),
        message: words(error),
        place,
    }
}

/// What is wrong, in words of ours where the library's speak of its options.
fn words(error: &Error) -> String {
    match error.without_snippet() {
        Error::AliasError { error, .. } => words(error),
        Error::DuplicateMappingKey { key: Some(key), .. } => format!("`{key}` is written twice"),
        Error::DuplicateMappingKey { key: None, .. } => "a key is written twice".to_owned(),
        Error::Budget { .. }
        | Error::AliasReplayLimitExceeded { .. }
        | Error::AliasExpansionLimitExceeded { .. }
        | Error::AliasReplayStackDepthExceeded { .. } => {
            "this is too large or too deep, with what its aliases stand for".to_owned()
        }
        other => other.to_string().lines().next().unwrap_or_default().to_owned(),
    }
}

#[cfg(test)]
mod tests;
