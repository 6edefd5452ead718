//! Hosts of listeners and routes: exact or `*.suffix`.

/// A host in lower case, if it is one, `*.suffix` included.
pub(super) fn parse(text: &str) -> Option<String> {
    let text = text.to_ascii_lowercase();
    let name = text.strip_prefix("*.").unwrap_or(&text);
    let is_label = |label: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        !label.is_empty() && label.len() <= 63 && label.chars().all(is_part)
    };
    let is_address = name.starts_with('[') && name.ends_with(']');
    let is_name = name.len() <= 253 && name.split('.').all(is_label);
    (is_name || is_address && text == name).then_some(text)
}

/// The hosts that both are for; `None` stands for any.
pub(super) fn intersection(listener: Option<&str>, route: Option<&str>) -> Intersection {
    match (listener, route) {
        (None, None) => Intersection::Any,
        (Some(host), None) | (None, Some(host)) => Intersection::Host(host.to_owned()),
        (Some(listener), Some(route)) if covers(listener, route) => {
            Intersection::Host(route.to_owned())
        }
        (Some(listener), Some(route)) if covers(route, listener) => {
            Intersection::Host(listener.to_owned())
        }
        (Some(_), Some(_)) => Intersection::None,
    }
}

/// What two hosts have in common.
pub(super) enum Intersection {
    None,
    Any,
    Host(String),
}

/// Whether every host of `other` is one of `host`.
fn covers(host: &str, other: &str) -> bool {
    let Some(suffix) = host.strip_prefix('*') else { return host == other };
    let other = other.strip_prefix('*').unwrap_or(other);
    other.ends_with(suffix)
}
