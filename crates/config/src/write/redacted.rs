//! A document that may be shown: everything that may hold a secret is hidden, and references to
//! variables stay readable.

use crate::document::{Action, Document, Filters, Target, TargetEntry};
use crate::secret::Secrets;

/// What stands where a secret may have been written.
const HIDDEN: &str = "***";

/// A document that may be shown. Of headers, variables and arguments, and of what follows the host
/// of a URL, each text that is written out is `***`, as are the defaults of references: people
/// write tokens there. `Bearer` and references to variables stay.
pub fn redacted(document: &Document) -> Document {
    let mut document = document.clone();
    for target in &mut document.targets {
        redact(target);
    }
    for backend in &mut document.backends {
        for entry in &mut backend.targets {
            match entry {
                TargetEntry::Named(_) => {}
                TargetEntry::Inline(target) => redact(target),
            }
        }
    }
    for service in &mut document.services {
        service.url = hidden_url(&service.url);
    }
    for route in &mut document.routes {
        redact_filters(&mut route.filters);
        if let Action::Backends(list) = &mut route.action {
            list.iter_mut().for_each(|one| redact_filters(&mut one.filters));
        }
    }
    document.secrets = Secrets::default();
    document
}

/// Filters know no references.
fn redact_filters(filters: &mut Filters) {
    for changes in [&mut filters.request_headers, &mut filters.response_headers] {
        for value in changes.set.values_mut().chain(changes.add.values_mut()) {
            HIDDEN.clone_into(value);
        }
    }
}

fn redact(target: &mut Target) {
    for value in target.headers.values_mut() {
        *value = match value.strip_prefix("Bearer ") {
            Some(token) => format!("Bearer {}", hidden(token)),
            None => hidden(value),
        };
    }
    for value in target.env.values_mut().chain(&mut target.args) {
        *value = hidden(value);
    }
    if let Some(url) = &mut target.url {
        *url = hidden_url(url);
    }
}

/// Scheme and host stay. User information, path, query and fragment may be secrets.
fn hidden_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return hidden(url) };
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '+';
    if !scheme.chars().all(is_plain) {
        return hidden(url);
    }
    let end = end_of_authority(rest);
    let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (format!("{}@", hidden(user)), host),
        None => (String::new(), authority),
    };
    let host: String = parts(host).into_iter().map(Part::shown).collect();
    let slash = if rest.starts_with('/') { "/" } else { "" };
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    format!("{scheme}://{user}{host}{slash}{}", hidden(rest))
}

/// Where a path, query or fragment begins that is not in a reference.
fn end_of_authority(rest: &str) -> usize {
    let mut start = 0;
    for part in parts(rest) {
        let length = match part {
            Part::Literal(text) => match text.find(['/', '?', '#']) {
                Some(index) => return start + index,
                None => text.len(),
            },
            Part::Reference { written, .. } => written.len(),
        };
        start += length;
    }
    start
}

/// A value of which only references are left.
fn hidden(value: &str) -> String {
    parts(value).into_iter().map(Part::hidden).collect()
}

/// A piece of a value.
#[derive(Clone, Copy)]
enum Part<'a> {
    Literal(&'a str),
    Reference {
        written: &'a str,
        /// The variable, after `env:` if that is written.
        variable: &'a str,
        has_default: bool,
    },
}

impl Part<'_> {
    fn shown(self) -> String {
        match self {
            Self::Literal(text) => text.to_owned(),
            Self::Reference { .. } => self.hidden(),
        }
    }

    fn hidden(self) -> String {
        match self {
            Self::Literal(_) => HIDDEN.to_owned(),
            Self::Reference { variable, has_default: false, .. } => format!("${{{variable}}}"),
            Self::Reference { variable, has_default: true, .. } => {
                format!("${{{variable}:-{HIDDEN}}}")
            }
        }
    }
}

/// The pieces of a value. What looks like a reference and is none is a literal.
fn parts(value: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut rest = value;
    while let Some((literal, reference, after)) = next_reference(rest) {
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        parts.push(reference);
        rest = after;
    }
    if !rest.is_empty() {
        parts.push(Part::Literal(rest));
    }
    parts
}

/// The first reference in a text, with what is before and after it.
fn next_reference(text: &str) -> Option<(&str, Part<'_>, &str)> {
    for (start, _) in text.match_indices("${") {
        let (before, from) = text.split_at_checked(start)?;
        // `$${` is a literal `${`.
        if before.ends_with('$') {
            continue;
        }
        let end = from.find('}')?;
        let (written, after) = from.split_at_checked(end + 1)?;
        let inner = written.strip_prefix("${").and_then(|inner| inner.strip_suffix('}'))?;
        let (variable, has_default) = match inner.split_once(":-") {
            Some((variable, _)) => (variable, true),
            None => (inner, false),
        };
        if is_variable(variable) {
            return Some((before, Part::Reference { written, variable, has_default }, after));
        }
    }
    None
}

fn is_variable(text: &str) -> bool {
    let name = text.strip_prefix("env:").unwrap_or(text);
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}
