//! Text that must not be seen.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that may hold a credential. Printed or serialized it is `***`; only
/// [`Secret::expose`] gives the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("***")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Secrets by their keys, each with its values by name. Printed it tells how many there are.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, BTreeMap<String, Secret>>);

impl Secrets {
    /// Takes in values of a secret, besides those of it that are there.
    pub fn insert(&mut self, key: impl Into<String>, values: BTreeMap<String, Secret>) {
        self.0.entry(key.into()).or_default().extend(values);
    }

    /// Takes in all of `others`.
    pub fn extend(&mut self, others: Self) {
        others.0.into_iter().for_each(|(key, values)| self.insert(key, values));
    }

    /// Each of them by its key.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &BTreeMap<String, Secret>)> {
        self.0.iter()
    }

    /// The values of a secret, by name.
    pub fn get(&self, key: &str) -> Option<&BTreeMap<String, Secret>> {
        self.0.get(key)
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} secrets", self.0.len())
    }
}
