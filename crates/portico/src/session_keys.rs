//! The keys that seal session ids: of this process alone, or from a folder that replicas share.

use std::fs;
use std::path::Path;

use anyhow::Context;
use proxy::KeyRing;

use crate::failure::InputError;

/// A key that nobody else knows: sessions end with this process.
pub(crate) fn random() -> anyhow::Result<KeyRing> {
    KeyRing::random().context("cannot make a key for session ids")
}

/// The keys in `folder`: files of 32 bytes, named by their numbers, of which the highest seals and all
/// open.
///
/// # Errors
/// There is none, or one has another length.
pub(crate) fn read(folder: &Path) -> anyhow::Result<KeyRing> {
    let failed =
        |reason: String| InputError(format!("session keys in {}: {reason}", folder.display()));
    let files = fs::read_dir(folder).map_err(|error| failed(error.to_string()))?;
    let mut keys = Vec::new();
    for file in files {
        let file = file.map_err(|error| failed(error.to_string()))?;
        // A mounted Secret has more in its folder than its keys.
        let Some(id) = file.file_name().to_str().and_then(|name| name.parse::<u8>().ok()) else {
            continue;
        };
        let bytes = fs::read(file.path()).map_err(|error| failed(format!("`{id}`: {error}")))?;
        let key = <[u8; 32]>::try_from(bytes.as_slice())
            .map_err(|_| failed(format!("`{id}` has {} bytes instead of 32", bytes.len())))?;
        keys.push((id, key));
    }
    keys.sort_unstable_by(|(left, _), (right, _)| right.cmp(left));
    KeyRing::new(&keys)
        .map_err(|error| failed(format!("{error}; they are named `0` to `255`")).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_by_number_and_anything_else_says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
        let error = |folder: &Path| read(folder).map(drop).unwrap_err().to_string();
        write("..data", b"");
        assert!(error(folder.path()).contains("at least one key"));
        write("0", &[1; 32]);
        write("7", &[2; 32]);
        read(folder.path()).unwrap();
        write("8", &[3; 31]);
        assert!(error(folder.path()).contains("`8` has 31 bytes instead of 32"));
        assert!(error(Path::new("/nowhere")).contains("/nowhere"));
    }
}
