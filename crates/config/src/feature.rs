//! What a document may ask its reader to know: `requires` names features that narrow what an element
//! answers, so that a proxy that is older than its controller keeps shut what it would serve too widely.

use crate::document::Close;

/// The features that are known here besides everything that version 0.1 has: none yet. Whoever adds a field
/// that narrows or guards something adds its name here, and has the controller write it into `requires` of each
/// element that uses it.
const KNOWN: [&str; 0] = [];

/// What keeps an element shut that requires these.
pub(crate) fn close_for(requires: &[String]) -> Option<Close> {
    let unknown = requires.iter().find(|feature| !KNOWN.contains(&feature.as_str()))?;
    let reason =
        format!("it requires `{unknown}`, which this version of the gateway does not know");
    Some(Close { id: "document.requires".to_owned(), reason })
}
