//! Names: of targets, of tools and prompts as their targets know them, and as clients see them.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

/// Why a text is not a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// It is empty, or nothing of it can stand in a name.
    #[error("the name is empty")]
    Empty,
    /// It is too long.
    #[error("the name is longer than {limit} characters")]
    TooLong {
        /// How long it may be.
        limit: usize,
    },
    /// It holds what a name may not hold.
    #[error("`{name}` is not a name of lower case letters, digits, `-` and `.`")]
    Invalid {
        /// The text.
        name: String,
    },
}

/// A target's name: labels of lower case letters, digits and inner `-`, joined by dots; 253
/// characters at most. Neither `_` nor `+` can be in it, so a prefix made of it never is ambiguous.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetName(Arc<str>);

impl TargetName {
    /// How long a target's name may be.
    pub const MAX_LENGTH: usize = 253;

    /// Checks a name.
    ///
    /// # Errors
    /// It is not such a name.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > Self::MAX_LENGTH {
            return Err(NameError::TooLong { limit: Self::MAX_LENGTH });
        }
        if !name.split('.').all(is_label) {
            return Err(NameError::Invalid { name: name.to_owned() });
        }
        Ok(Self(name.into()))
    }

    /// A key of `mcp.json` made into a name (lower case, each run of other characters one `-`),
    /// and whether that changed it.
    ///
    /// # Errors
    /// Nothing of it can stand in a name, or it is too long.
    pub fn from_key(key: &str) -> Result<(Self, bool), NameError> {
        match Self::new(key) {
            Ok(name) => return Ok((name, false)),
            Err(NameError::Empty) => return Err(NameError::Empty),
            Err(NameError::TooLong { .. } | NameError::Invalid { .. }) => {}
        }
        let mut text = String::with_capacity(key.len());
        let mut run = false;
        for character in key.to_lowercase().chars() {
            let known = character.is_ascii_alphanumeric() || matches!(character, '-' | '.');
            if known {
                text.push(character);
            } else if !run {
                text.push('-');
            }
            run = !known;
        }
        let labels = text.split('.').map(|label| label.trim_matches('-'));
        let labels: Vec<&str> = labels.filter(|label| !label.is_empty()).collect();
        Self::new(&labels.join(".")).map(|name| (name, true))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !label.is_empty()
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// A tool or prompt as its target knows it: any text that is not empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NativeName(Arc<str>);

impl NativeName {
    /// Checks a name.
    ///
    /// # Errors
    /// It is empty.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() { Err(NameError::Empty) } else { Ok(Self(name.into())) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it holds nothing but what the name of a tool may have.
    pub fn is_plain(&self) -> bool {
        self.0.chars().all(is_plain)
    }
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.')
}

/// A tool or prompt as clients see it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ToolName(Arc<str>);

impl ToolName {
    /// The least length, in characters, that leaves something of a shortened name to read.
    pub const MIN_LIMIT: usize = 16;

    /// `<target>_<native>` if it has at most `limit` characters, all of them such as a name may have
    /// (2025-11-25, tools, "Tool Names"; several models refuse a whole request for another one), else
    /// `<target, at most 16>-<6 of a digest of the whole>_<the end of native>` with `_` for what a name
    /// may not have. The same on every replica, whatever else there is. A limit below `MIN_LIMIT` is
    /// taken as that.
    pub fn prefixed(target: &TargetName, native: &NativeName, limit: usize) -> Self {
        let whole = format!("{}_{}", target.as_str(), native.as_str());
        if native.is_plain() && whole.chars().count() <= limit {
            return Self(whole.into());
        }
        let room = limit.max(Self::MIN_LIMIT) - DIGEST - 2;
        let prefix: String = target.as_str().chars().take(16.min(room / 2)).collect();
        let room = room - prefix.chars().count();
        let skipped = native.as_str().chars().count().saturating_sub(room);
        let plain = |letter| if is_plain(letter) { letter } else { '_' };
        let end: String = native.as_str().chars().skip(skipped).map(plain).collect();
        Self(format!("{prefix}-{}_{end}", digest(&whole)).into())
    }

    /// The name without a prefix, as it is.
    pub fn bare(native: &NativeName) -> Self {
        Self(native.0.clone())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many characters of a digest tell shortened names apart: 30 bits.
const DIGEST: usize = 6;

fn digest(whole: &str) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bytes = Sha256::digest(whole.as_bytes());
    let letters = bytes.iter().take(DIGEST).filter_map(|byte| ALPHABET.get(usize::from(byte % 32)));
    letters.map(|letter| char::from(*letter)).collect()
}

impl fmt::Display for TargetName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for NativeName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Display for ToolName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
