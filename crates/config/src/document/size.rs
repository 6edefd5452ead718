//! Sizes in bytes, written as a number or like `4MiB`. For `#[serde(with = "size")]`.

use std::fmt;

use schemars::{Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserializer, Visitor};
use serde::{Serialize, Serializer};

const UNITS: [(&str, u64); 7] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("B", 1),
];

pub(super) fn serialize<S: Serializer>(size: &usize, serializer: S) -> Result<S::Ok, S::Error> {
    for (unit, factor) in UNITS.iter().take(3).rev() {
        let size = *size as u64;
        if size > 0 && size.is_multiple_of(*factor) {
            return format!("{}{unit}", size / factor).serialize(serializer);
        }
    }
    size.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    deserializer.deserialize_any(SizeVisitor)
}

pub(super) fn schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": ["integer", "string"],
        "minimum": 0,
        "pattern": "^[0-9]+ ?(B|kB|MB|GB|KiB|MiB|GiB)$"
    })
}

struct SizeVisitor;

impl Visitor<'_> for SizeVisitor {
    type Value = usize;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number of bytes, or a size like `4MiB`")
    }

    fn visit_u64<E: de::Error>(self, size: u64) -> Result<usize, E> {
        usize::try_from(size).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<usize, E> {
        let invalid = || E::invalid_value(de::Unexpected::Str(text), &self);
        for (unit, factor) in UNITS {
            let Some(number) = text.strip_suffix(unit) else { continue };
            let number: u64 = number.trim_end().parse().map_err(|_| invalid())?;
            let size = number.checked_mul(factor).and_then(|size| usize::try_from(size).ok());
            return size.ok_or_else(invalid);
        }
        Err(invalid())
    }
}
