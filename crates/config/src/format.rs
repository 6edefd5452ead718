//! Which of the ways in a text is, told by its content alone, also while it is broken.

/// The ways in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The native document.
    Native,
    /// An `mcp.json` as editors write it.
    McpJson,
    /// Kubernetes manifests.
    Manifests,
}

/// Which of the ways in a text is: `mcpServers` or `servers` at its top make an `mcp.json`,
/// `apiVersion` and `kind` at the top of any of its documents, or one of them with `metadata` or
/// `spec`, make manifests, and everything else, nothing included, is native.
pub fn format(text: &str) -> Format {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if without_space(text).starts_with(['{', '[']) {
        return of_keys(&braced_keys(text));
    }
    let mut keys = Vec::new();
    for line in text.lines() {
        if line.starts_with("---") {
            if of_keys(&keys) != Format::Native {
                break;
            }
            keys.clear();
            continue;
        }
        let Some((key, _)) = line.split_once(':') else { continue };
        let key = key.trim_end().trim_matches(['"', '\'']);
        keys.push(key);
    }
    of_keys(&keys)
}

fn of_keys(keys: &[&str]) -> Format {
    // An object that lost one of the two is a broken one, and no document of ours has such fields.
    let said = ["apiVersion", "kind", "metadata", "spec"].iter().filter(|key| keys.contains(key));
    let is_typed = keys.contains(&"apiVersion") || keys.contains(&"kind");
    if is_typed && said.count() > 1 {
        return Format::Manifests;
    }
    // Settings of an editor have their servers under `mcp`.
    if keys.iter().any(|key| matches!(*key, "mcpServers" | "servers" | "mcp")) {
        return Format::McpJson;
    }
    Format::Native
}

/// A text without the white space and the comments of JSON and YAML that it begins with.
fn without_space(text: &str) -> &str {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let tail = if rest.starts_with("//") || rest.starts_with('#') {
            rest.split_once('\n').map(|(_, tail)| tail)
        } else if rest.starts_with("/*") {
            rest.split_once("*/").map(|(_, tail)| tail)
        } else if rest.starts_with("---") {
            rest.get(3..)
        } else {
            return rest;
        };
        let Some(tail) = tail else { return "" };
        rest = tail;
    }
}

/// The keys of the outermost braces of a text, quoted or not.
fn braced_keys(text: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(next) = rest.chars().next() {
        let tail = rest.get(next.len_utf8()..).unwrap_or_default();
        rest = match next {
            '{' | '[' => {
                depth += 1;
                tail
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                tail
            }
            '/' if tail.starts_with(['/', '*']) => {
                let skipped = without_space(rest);
                if skipped.len() == rest.len() { tail } else { skipped }
            }
            '"' | '\'' => {
                let (word, after) = quoted(tail, next);
                if depth == 1 && after.trim_start().starts_with(':') {
                    keys.push(word);
                }
                after
            }
            next if next.is_alphanumeric() => {
                let end = tail.find(|c: char| !c.is_alphanumeric()).unwrap_or(tail.len());
                let (_, after) = tail.split_at_checked(end).unwrap_or((tail, ""));
                let word = rest.get(..rest.len() - after.len()).unwrap_or_default();
                if depth == 1 && after.trim_start().starts_with(':') {
                    keys.push(word);
                }
                after
            }
            _ => tail,
        };
    }
    keys
}

/// What stands before the closing quote, and what stands behind it.
fn quoted(text: &str, quote: char) -> (&str, &str) {
    let mut escaped = false;
    for (index, next) in text.char_indices() {
        if next == quote && !escaped {
            let after = text.get(index + quote.len_utf8()..).unwrap_or_default();
            return (text.get(..index).unwrap_or_default(), after);
        }
        escaped = next == '\\' && !escaped;
    }
    (text, "")
}

#[cfg(test)]
mod tests;
