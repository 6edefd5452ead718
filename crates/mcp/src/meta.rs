//! The gateway's own keys under `_meta`.

/// In a list's result: which targets are missing, stale or have entries withheld.
pub const TARGETS_META: &str = "dev.portico/targets";

/// In an item whose name was shortened: its whole prefixed name.
pub const FULL_NAME_META: &str = "dev.portico/fullName";
