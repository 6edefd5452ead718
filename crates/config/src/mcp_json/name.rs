//! Names of targets from keys that may be anything.

use std::collections::HashSet;

use mcp::TargetName;

/// The names that were given.
#[derive(Default)]
pub(super) struct Names {
    taken: HashSet<String>,
}

impl Names {
    /// The name for a key: the key itself if it is a name, else what is left of it in lower case
    /// with each run of other characters as one `-`; `-2` and so on where that is taken.
    pub(super) fn name(&mut self, key: &str) -> Option<String> {
        let (name, _) = TargetName::from_key(key).ok()?;
        let mut unique = name.as_str().to_owned();
        for number in 2_u32.. {
            if self.taken.insert(unique.clone()) {
                break;
            }
            unique = format!("{name}-{number}");
        }
        Some(unique)
    }
}
