//! Where each path of a document was written, so that what is found out later, by `compile`, is
//! still reported at a line and a column.

use std::collections::BTreeMap;

use crate::diagnostic::Place;

/// Where each path of a document was written. Paths are written like
/// `targets[0].headers.Authorization`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins {
    places: BTreeMap<String, Place>,
}

impl Origins {
    /// Where `path` was written, or else the nearest thing around it that was.
    pub fn place(&self, path: &str) -> Option<&Place> {
        let mut path = path;
        loop {
            if let Some(place) = self.places.get(path) {
                return Some(place);
            }
            if path.is_empty() {
                return None;
            }
            path = parent(path);
        }
    }

    /// Remembers where `path` was written. The empty path is the document itself.
    pub fn insert(&mut self, path: impl Into<String>, place: Place) {
        self.places.insert(path.into(), place);
    }

    /// Takes over every place of `other` at or below `path`, as places at or below `new_path`.
    pub fn adopt(&mut self, other: &Origins, path: &str, new_path: &str) {
        for (key, place) in other.places.range(path.to_owned()..) {
            let Some(tail) = key.strip_prefix(path) else { break };
            if tail.is_empty() || tail.starts_with(['.', '[']) {
                self.places.insert(format!("{new_path}{tail}"), place.clone());
            }
        }
    }
}

/// The path around a path: without its last `.key` or `[index]`.
fn parent(path: &str) -> &str {
    path.rfind(['.', '[']).and_then(|end| path.get(..end)).unwrap_or_default()
}
