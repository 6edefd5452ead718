//! Hostnames of listeners and routes, and whether two of them have a host in common.

/// Whether there is a host that both name, `*.suffix` being every host below `suffix`.
pub(crate) fn intersect(one: &str, other: &str) -> bool {
    let (one, other) = (one.to_ascii_lowercase(), other.to_ascii_lowercase());
    one == other || covers(&one, &other) || covers(&other, &one)
}

/// Whether `wide` is a wildcard and every host of `narrow` is one of its.
fn covers(wide: &str, narrow: &str) -> bool {
    let Some(suffix) = wide.strip_prefix('*') else { return false };
    let narrow = narrow.strip_prefix('*').unwrap_or(narrow);
    narrow.len() > suffix.len() && narrow.ends_with(suffix)
}

#[cfg(test)]
mod tests;
