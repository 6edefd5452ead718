//! What a guard is called: the one list by which a field that nobody knows closes what it stands
//! in, in native documents, in an `mcp.json` and in manifests.

/// Parts of the names of fields that guard something, in lower case and without `-` and `_`.
const GUARDS: [&str; 17] = [
    "acl",
    "allow",
    "apikey",
    "auth",
    "cert",
    "cors",
    "credential",
    "deny",
    "filter",
    "guard",
    "jwt",
    "polic",
    "ratelimit",
    "rbac",
    "restrict",
    "secure",
    "tls",
];

/// Whether a field that nobody knows was likely meant to guard what it stands in: by its own name,
/// or because it stands in a guard. `path` is its path, or its name alone.
pub fn is_guard(path: &str) -> bool {
    path.split(['.', '[']).any(is_guard_name)
}

fn is_guard_name(name: &str) -> bool {
    let letters = name.chars().filter(|letter| !matches!(letter, '-' | '_'));
    let name: String = letters.map(|letter| letter.to_ascii_lowercase()).collect();
    GUARDS.iter().any(|guard| name.contains(guard))
}

/// What the fields begin with, in lower case, that say which requests something is for.
const CONDITIONS: [&str; 8] =
    ["header", "host", "match", "method", "path", "port", "query", "section"];

/// Whether a field that nobody knows was likely meant to say which requests something is for, which
/// would be for more of them without it. `field` is its name.
pub fn is_condition(field: &str) -> bool {
    let name = field.to_ascii_lowercase();
    CONDITIONS.iter().any(|condition| name.starts_with(condition))
}

#[cfg(test)]
mod tests;
