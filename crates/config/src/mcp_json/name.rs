//! Names of targets from keys that may be anything.

use std::collections::HashSet;

use mcp::TargetName;

/// The names that were given, and those that are kept for who has them as a key.
pub(super) struct Names {
    keys: HashSet<String>,
    taken: HashSet<String>,
}

impl Names {
    /// No names yet. What is a name among `keys` is kept for that key, wherever it stands.
    pub(super) fn new<'a>(keys: impl IntoIterator<Item = &'a str>) -> Self {
        let names = keys.into_iter().filter(|key| TargetName::new(key).is_ok());
        Self { keys: names.map(ToOwned::to_owned).collect(), taken: HashSet::new() }
    }

    /// The name for a key: the key itself if it is a name, else what is left of it in lower case
    /// with each run of other characters as one `-`; `-2` and so on where that is taken.
    pub(super) fn name(&mut self, key: &str) -> Option<String> {
        let (name, _) = TargetName::from_key(key).ok()?;
        let mut unique = name.as_str().to_owned();
        for number in 2_u32.. {
            let is_free = unique == key || !self.keys.contains(&unique);
            if is_free && self.taken.insert(unique.clone()) {
                break;
            }
            unique = format!("{name}-{number}");
        }
        Some(unique)
    }
}
